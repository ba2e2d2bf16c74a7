#ifndef DOMUS_DOMUSD_STORE_IDEMPOTENCY_H
#define DOMUS_DOMUSD_STORE_IDEMPOTENCY_H

#include "domusd/store.h"

/* The answer that was given under an Idempotency-Key. Allocated strings; body is NULL where there was none. */
struct idempotency_row {
	unsigned char request[32]; /* SHA-256 of what was asked */
	int64_t status;
	char *headers; /* JSON object of names and values */
	char *body;
};

/* 1 found and not expired, 0, -1. The caller frees the row with store_idempotency_free(). */
int store_idempotency_find(struct store_tx *tx, int64_t user_id, const char *key, int64_t now,
			   struct idempotency_row *row, struct error *e);
void store_idempotency_free(struct idempotency_row *row);
int store_idempotency_put(struct store_tx *tx, int64_t user_id, const char *key,
			  const struct idempotency_row *row, int64_t expires, struct error *e);
int store_idempotency_expire(struct store_tx *tx, int64_t now, struct error *e);

#endif
