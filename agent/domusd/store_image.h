#ifndef DOMUS_DOMUSD_STORE_IMAGE_H
#define DOMUS_DOMUSD_STORE_IMAGE_H

#include <jansson.h>
#include <stdint.h>

#include "domusd/blob_tus.h"
#include "domusd/store.h"

/* Rows of `images`. Errors as in store.h, and ERROR_IMAGE_UNKNOWN, ERROR_IMAGE_IN_USE. */
struct image {
	char id[41];
	char name[TUS_NAME_MAX + 1];
	enum blob_kind kind;
	int64_t size;
	char sha256[65];
	int64_t created; /* wall clock, ms */
	int64_t revision;
};

int store_image_get(struct store_tx *tx, const char *id, struct image *image, struct error *e);
/* Up to `limit` images whose id is greater than `after`, by id. How many, or -1. */
int store_image_list(struct store_tx *tx, const char *after, int limit, struct image *images,
		     struct error *e);
int store_image_insert(struct store_tx *tx, const struct image *image, struct error *e);
/* ERROR_IMAGE_IN_USE names the domains that use it. */
int store_image_delete(struct store_tx *tx, const char *id, struct error *e);
/* Names of the domains that use it: new array, or NULL and *e. */
json_t *store_image_users(struct store_tx *tx, const char *id, struct error *e);

#endif
