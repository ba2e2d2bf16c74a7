#ifndef DOMUS_DOMUSD_STORE_VOLUME_H
#define DOMUS_DOMUSD_STORE_VOLUME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "domusd/store.h"

/* Rows of `volumes`. Errors as in store.h, and ERROR_VOLUME_UNKNOWN, _EXISTS, _IN_USE. */
struct volume {
	char id[41];
	char name[41];
	int64_t size;
	char image[41]; /* what it was copied from, while that exists, or "" */
	int64_t created; /* wall clock, ms */
	int64_t revision;
};

int store_volume_get(struct store_tx *tx, const char *id, struct volume *volume, struct error *e);
/* Up to `limit` volumes whose id is greater than `after`, by id. How many, or -1. */
int store_volume_list(struct store_tx *tx, const char *after, int limit, struct volume *volumes,
		      struct error *e);
/* ERROR_VOLUME_EXISTS when the name is taken. 0 or -1. */
int store_volume_name_free(struct store_tx *tx, const char *name, struct error *e);
/* An image that is gone meanwhile is left out. */
int store_volume_insert(struct store_tx *tx, const struct volume *volume, struct error *e);
/* ERROR_VOLUME_IN_USE names the domains that use it. */
int store_volume_delete(struct store_tx *tx, const char *id, struct error *e);
/* Names of the domains that use it: new array, or NULL and *e. */
json_t *store_volume_users(struct store_tx *tx, const char *id, struct error *e);
/* A domain other than `domain` that may write to the volume, or if `writes` uses it at all: 1 and its
 * name (41 bytes), 0 none, -1 and *e. */
int store_volume_rival(struct store_tx *tx, const char *id, const char *domain, bool writes,
		       char rival[41], struct error *e);

#endif
