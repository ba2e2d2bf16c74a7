/* /api/v1/volumes: disks of domains, empty or copied from an image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/blob.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/id.h"
#include "domusd/operation_read.h"

#define SECTOR 512

static json_t *volume_json(struct store_tx *tx, const struct volume *volume, struct error *e)
{
	char created[CLOCK_TEXT_SIZE];
	json_t *users = store_volume_users(tx, volume->id, e);

	return users ? json_pack("{s:s, s:s, s:I, s:s?, s:o, s:s, s:I}", "id", volume->id, "name",
				 volume->name, "size", (json_int_t)volume->size, "image",
				 *volume->image ? volume->image : NULL, "used_by", users, "created",
				 clock_format(volume->created, created), "revision",
				 (json_int_t)volume->revision)
		     : NULL;
}

static json_t *volumes_json(struct store_tx *tx, const struct volume *volumes, int count,
			    struct error *e)
{
	json_t *items = json_array();

	for (int i = 0; i < count; i++) {
		json_t *item = volume_json(tx, &volumes[i], e);

		if (!item) {
			json_decref(items);
			return NULL;
		}
		json_array_append_new(items, item);
	}
	return items;
}

void api_volumes_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct volume *volumes = NULL;
	json_t *items = NULL;
	struct page page;
	struct error e;
	int count = -1;

	if (request_page(r, &page, &e) == 0 && store_begin_read(domusd.store, &tx, &e) == 0) {
		volumes = calloc((size_t)page.limit + 1, sizeof(*volumes));
		count = volumes ? store_volume_list(tx, page.cursor, page.limit + 1, volumes, &e)
				: error_set(&e, ERROR_INTERNAL, "Out of memory");
	}
	if (count >= 0)
		items = volumes_json(tx, volumes, count < page.limit ? count : page.limit, &e);
	if (items)
		request_reply_list(r, items,
				   count > page.limit ? volumes[page.limit - 1].id : NULL);
	else
		request_fail(r, &e);
	free(volumes);
}

void api_volume_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct volume volume;
	json_t *json;
	struct error e;

	if (store_begin_read(domusd.store, &tx, &e) < 0 ||
	    store_volume_get(tx, request_param(r, "id"), &volume, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (request_none_match(r, volume.revision)) {
		request_reply_not_modified(r, volume.revision);
		return;
	}
	json = volume_json(tx, &volume, &e);
	if (!json) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, volume.revision);
	request_reply_json(r, 200, json);
}

static int volume_delete(struct request *r, char id[41], struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct volume volume;
	char resource[64];
	struct event event = {
		.type = "volume.deleted", .resource = resource, .actor = request_actor(r)};

	if (store_begin(domusd.store, &tx, e) < 0 ||
	    store_volume_get(tx, request_param(r, "id"), &volume, e) < 0 ||
	    request_if_match(r, volume.revision, e) < 0 ||
	    store_volume_delete(tx, volume.id, e) < 0)
		return -1;
	snprintf(id, 41, "%s", volume.id);
	snprintf(resource, sizeof(resource), "volumes/%s", id);
	if (journal_append(domusd.journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

void api_volume_delete(struct request *r)
{
	char id[41];
	struct error e;

	if (volume_delete(r, id, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	blob_volume_unlink(domusd.blob, id);
	request_reply_empty(r, 204);
}

/* ---- POST ---- */

static const struct check_field fields[] = {
	{.name = "name",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = CHECK_NAME,
	 .rule = CHECK_NAME_RULE},
	{.name = "size", .type = CHECK_INTEGER, .min = INT64_C(1) << 20, .max = INT64_C(1) << 40},
	{.name = "image", .type = CHECK_STRING, .pattern = CHECK_ID, .rule = CHECK_ID_RULE},
	{.type = CHECK_END},
};

static int parse(const json_t *body, struct volume *volume, struct error *e)
{
	if (check_object(body, fields, "", e) < 0)
		return -1;
	memset(volume, 0, sizeof(*volume));
	volume->revision = 1;
	id_make(volume->id);
	snprintf(volume->name, sizeof(volume->name), "%s", check_get_string(body, "name", ""));
	snprintf(volume->image, sizeof(volume->image), "%s", check_get_string(body, "image", ""));
	volume->size = check_get_integer(body, "size", 0);
	if (volume->size % SECTOR != 0)
		return error_set_rule(e, "range", "/size", "Must be a multiple of %d.", SECTOR);
	if (volume->size == 0 && !*volume->image)
		return error_set_at(e, ERROR_FIELD_MISSING, "/size",
				    "An empty volume needs a size.");
	return 0;
}

/* An empty volume: its file is made durable on a worker, then its row. */
struct making {
	struct request *request;
	struct volume volume;
	struct actor actor;
};

static int register_volume(struct making *making, struct store_tx **tx, struct error *e)
{
	char resource[64];
	struct event event = {.type = "volume.created",
			      .resource = resource,
			      .revision = 1,
			      .actor = &making->actor};

	making->volume.created = clock_wall_ms();
	snprintf(resource, sizeof(resource), "volumes/%s", making->volume.id);
	if (store_begin(domusd.store, tx, e) < 0 ||
	    store_volume_insert(*tx, &making->volume, e) < 0)
		return -1;
	return journal_append(domusd.journal, *tx, &event, e);
}

static void unlink_unless(void *context, bool committed)
{
	struct making *making = context;

	if (!committed)
		blob_volume_unlink(domusd.blob, making->volume.id);
	free(making);
}

static void make_empty(void *context)
{
	STORE_TX struct store_tx *tx = NULL;
	struct making *making = context;
	struct request *r = making->request;
	json_t *json = NULL;
	struct error e;

	if (blob_volume_make(domusd.blob, &making->volume, &e) == 0 &&
	    register_volume(making, &tx, &e) == 0)
		json = volume_json(tx, &making->volume, &e);
	if (!json || store_after(tx, unlink_unless, making, &e) < 0) {
		json_decref(json);
		store_rollback(tx);
		tx = NULL;
		unlink_unless(making, false);
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, 1);
	request_location_set(r, "/api/v1/volumes/%s", making->volume.id);
	request_commit(r, &tx, 201, json);
}

static void post_empty(struct request *r, const struct volume *volume)
{
	struct making *making = malloc(sizeof(*making));
	struct error e;

	if (making)
		*making = (struct making){r, *volume, *request_actor(r)};
	request_defer(r);
	if (making && blob_later(domusd.blob, make_empty, making) == 0)
		return;
	free(making);
	error_set(&e, ERROR_INTERNAL, "Out of memory");
	request_fail(r, &e);
}

static int check_source(struct store_tx *tx, struct volume *volume, struct error *e)
{
	struct image image;

	if (store_image_get(tx, volume->image, &image, e) < 0)
		return e->code == ERROR_IMAGE_UNKNOWN
			       ? error_set_at(e, ERROR_REFERENCE, "/image", "There is no image %s.",
					      volume->image)
			       : -1;
	if (image.kind != BLOB_DISK)
		return error_set_rule(e, "kind", "/image", "The image is of kind %s, not disk.",
				      blob_kind_name(image.kind));
	if (volume->size == 0) /* whole sectors, or a guest could not read the last bytes */
		volume->size = (image.size + SECTOR - 1) / SECTOR * SECTOR;
	if (volume->size < image.size)
		return error_set_rule(e, "range", "/size",
				      "The image has %lld bytes, more than the volume.",
				      (long long)image.size);
	return 0;
}

/* The copy begins when its operation is on disk. */
struct copying {
	struct volume volume;
	struct actor actor;
	char operation[ID_SIZE];
};

static void copy_begin(void *context, bool committed)
{
	struct copying *c = context;
	struct error e;

	if (committed && blob_volume_copy(domusd.blob, &c->volume, c->operation, &c->actor, &e) < 0)
		operation_end(domusd.operations, c->operation, OPERATION_FAILED, &e, NULL, NULL);
	free(c);
}

/* The worker looks whether it is cancelled between two steps. */
static void copy_cancel(void *context, const char *id)
{
	(void)context;
	(void)id;
}

static int begin_copy(struct request *r, struct store_tx *tx, const struct volume *volume,
		      char operation[ID_SIZE], struct error *e)
{
	char target[64];
	struct copying *copying;

	snprintf(target, sizeof(target), "volumes/%s", volume->id);
	if (operation_create(domusd.operations, tx, "volume.create", target, request_actor(r),
			     copy_cancel, NULL, operation, e) < 0)
		return -1;
	copying = malloc(sizeof(*copying));
	if (!copying)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	*copying = (struct copying){*volume, *request_actor(r), ""};
	memcpy(copying->operation, operation, ID_SIZE);
	if (store_after(tx, copy_begin, copying, e) == 0)
		return 0;
	free(copying);
	return -1;
}

static void post_copy(struct request *r, struct volume *volume)
{
	STORE_TX struct store_tx *tx = NULL;
	char operation[ID_SIZE];
	json_t *json = NULL;
	struct error e;

	if (store_begin(domusd.store, &tx, &e) == 0 && check_source(tx, volume, &e) == 0 &&
	    store_volume_name_free(tx, volume->name, &e) == 0 &&
	    blob_room(domusd.blob, volume->size, &e) == 0 &&
	    begin_copy(r, tx, volume, operation, &e) == 0)
		json = operation_json_tx(domusd.operations, tx, operation, &e);
	if (!json) {
		request_fail(r, &e);
		return;
	}
	request_location_set(r, "/api/v1/operations/%s", operation);
	request_commit(r, &tx, 202, json);
}

void api_volumes_post(struct request *r)
{
	struct volume volume;
	struct error e;

	if (parse(request_body(r), &volume, &e) < 0)
		request_fail(r, &e);
	else if (*volume.image)
		post_copy(r, &volume);
	else if (blob_room(domusd.blob, volume.size, &e) < 0)
		request_fail(r, &e);
	else
		post_empty(r, &volume);
}
