#ifndef DOMUS_DOMUSD_STORE_UPLOAD_H
#define DOMUS_DOMUSD_STORE_UPLOAD_H

#include <stdint.h>

#include "domusd/blob_tus.h"
#include "domusd/store.h"

/* Rows of `uploads`. Errors as in store.h, and ERROR_UPLOAD_UNKNOWN. */
struct upload_row {
	char id[41];
	char name[TUS_NAME_MAX + 1];
	enum blob_kind kind;
	char sha256[65]; /* promised, or "" */
	int64_t length;
	int64_t offset;	    /* on disk for sure */
	int64_t expires;    /* wall clock, ms */
	char created_by[40]; /* user name */
	char image[41];	    /* once complete, or "" */
};

int store_upload_get(struct store_tx *tx, const char *id, struct upload_row *row, struct error *e);
/* Up to `limit` uploads whose id is greater than `after`, by id. How many, or -1. */
int store_upload_list(struct store_tx *tx, const char *after, int limit, struct upload_row *rows,
		      struct error *e);
int store_upload_insert(struct store_tx *tx, const struct upload_row *row, struct error *e);
int store_upload_progress(struct store_tx *tx, const char *id, int64_t offset, int64_t expires,
			  struct error *e);
int store_upload_complete(struct store_tx *tx, const char *id, const char *image, struct error *e);
int store_upload_delete(struct store_tx *tx, const char *id, struct error *e);
/* How many bytes are still to come of all uploads, or -1. */
int64_t store_upload_outstanding(struct store_tx *tx, struct error *e);

#endif
