/* /api/v1/images: what was uploaded. */
#include <stdio.h>
#include <stdlib.h>

#include "domusd/api/api.h"
#include "domusd/blob.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/store_image.h"

static json_t *image_json(struct store_tx *tx, const struct image *image, struct error *e)
{
	char created[CLOCK_TEXT_SIZE];
	json_t *users = store_image_users(tx, image->id, e);

	return users ? json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:s, s:I}", "id", image->id,
				 "name", image->name, "kind", blob_kind_name(image->kind), "size",
				 (json_int_t)image->size, "sha256", image->sha256, "used_by", users,
				 "created", clock_format(image->created, created), "revision",
				 (json_int_t)image->revision)
		     : NULL;
}

static json_t *images_json(struct store_tx *tx, const struct image *images, int count,
			   struct error *e)
{
	json_t *items = json_array();

	for (int i = 0; i < count; i++) {
		json_t *item = image_json(tx, &images[i], e);

		if (!item) {
			json_decref(items);
			return NULL;
		}
		json_array_append_new(items, item);
	}
	return items;
}

void api_images_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct image *images = NULL;
	json_t *items = NULL;
	struct page page;
	struct error e;
	int count = -1;

	if (request_page(r, &page, &e) == 0 && store_begin_read(domusd.store, &tx, &e) == 0) {
		images = calloc((size_t)page.limit + 1, sizeof(*images));
		count = images ? store_image_list(tx, page.cursor, page.limit + 1, images, &e)
			       : error_set(&e, ERROR_INTERNAL, "Out of memory");
	}
	if (count >= 0)
		items = images_json(tx, images, count < page.limit ? count : page.limit, &e);
	if (items)
		request_reply_list(r, items, count > page.limit ? images[page.limit - 1].id : NULL);
	else
		request_fail(r, &e);
	free(images);
}

void api_image_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct image image;
	json_t *json = NULL;
	struct error e;

	if (store_begin_read(domusd.store, &tx, &e) < 0 ||
	    store_image_get(tx, request_param(r, "id"), &image, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (request_none_match(r, image.revision)) {
		request_reply_not_modified(r, image.revision);
		return;
	}
	json = image_json(tx, &image, &e);
	if (!json) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, image.revision);
	request_reply_json(r, 200, json);
}

static int image_delete(struct request *r, char id[41], struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct image image;
	char resource[64];
	struct event event = {
		.type = "image.deleted", .resource = resource, .actor = request_actor(r)};

	if (store_begin(domusd.store, &tx, e) < 0 ||
	    store_image_get(tx, request_param(r, "id"), &image, e) < 0 ||
	    request_if_match(r, image.revision, e) < 0 || store_image_delete(tx, image.id, e) < 0)
		return -1;
	snprintf(id, 41, "%s", image.id);
	snprintf(resource, sizeof(resource), "images/%s", id);
	if (journal_append(domusd.journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

void api_image_delete(struct request *r)
{
	char id[41];
	struct error e;

	if (image_delete(r, id, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	blob_image_unlink(domusd.blob, id);
	request_reply_empty(r, 204);
}
