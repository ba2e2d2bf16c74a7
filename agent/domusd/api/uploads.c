/* /api/v1/uploads: resumable uploads by tus 1.0.0 (tus.io/protocols/resumable-upload). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/blob.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/http_text.h"

#define TUS_MEDIA_TYPE "application/offset+octet-stream"

static int check_version(struct request *r, struct error *e)
{
	const char *version = request_header(r, "Tus-Resumable");

	if (version && strcmp(version, TUS_VERSION) == 0) {
		request_header_set(r, "Tus-Resumable", TUS_VERSION);
		return 0;
	}
	request_header_set(r, "Tus-Version", TUS_VERSION);
	return error_set(e, ERROR_TUS_VERSION, "Tus-Resumable must be " TUS_VERSION ".");
}

static void set_number(struct request *r, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	request_header_set(r, name, text);
}

static void set_expires(struct request *r, const struct upload_row *row)
{
	char text[CLOCK_TEXT_SIZE];

	request_header_set(r, "Upload-Expires", clock_format_http(row->expires, text));
}

static json_t *upload_json(const struct upload_row *row)
{
	char expires[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s?}", "id", row->id, "name", row->name,
			 "kind", blob_kind_name(row->kind), "offset", (json_int_t)row->offset,
			 "length", (json_int_t)row->length, "expires",
			 clock_format(row->expires, expires), "image",
			 *row->image ? row->image : NULL);
}

void api_uploads_options(struct request *r)
{
	request_header_set(r, "Tus-Resumable", TUS_VERSION);
	request_header_set(r, "Tus-Version", TUS_VERSION);
	request_header_set(r, "Tus-Extension", TUS_EXTENSIONS);
	request_header_set(r, "Tus-Checksum-Algorithm", TUS_CHECKSUM);
	set_number(r, "Tus-Max-Size", BLOB_UPLOAD_MAX);
	request_reply_empty(r, 204);
}

static int parse_creation(struct request *r, struct upload_row *row, struct error *e)
{
	struct tus_metadata metadata;
	uint64_t length;

	if (check_version(r, e) < 0 ||
	    tus_number_parse("Upload-Length", request_header(r, "Upload-Length"), &length, e) < 0 ||
	    tus_metadata_parse(request_header(r, "Upload-Metadata"), &metadata, e) < 0)
		return -1;
	memset(row, 0, sizeof(*row));
	row->length = (int64_t)length;
	row->kind = metadata.kind;
	memcpy(row->name, metadata.name, sizeof(row->name));
	memcpy(row->sha256, metadata.sha256, sizeof(row->sha256));
	return 0;
}

void api_uploads_post(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct upload_row row;
	struct error e;

	if (parse_creation(r, &row, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	blob_uploads_make_room(domusd.blob);
	if (store_begin(domusd.store, &tx, &e) < 0 ||
	    blob_upload_create(domusd.blob, tx, &row, request_actor(r), &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_location_set(r, "/api/v1/uploads/%s", row.id);
	set_expires(r, &row);
	request_commit(r, &tx, 201, upload_json(&row));
}

/* ---- GET, HEAD ---- */

static void get_done(void *context, const struct upload_row *row, const struct error *e)
{
	struct request *r = context;

	if (e)
		request_fail(r, e);
	else
		request_reply_json(r, 200, upload_json(row));
}

void api_upload_get(struct request *r)
{
	char id[64];

	snprintf(id, sizeof(id), "%s", request_param(r, "id"));
	request_defer(r);
	blob_upload_status(domusd.blob, id, get_done, r);
}

static void head_done(void *context, const struct upload_row *row, const struct error *e)
{
	struct request *r = context;

	if (e) {
		request_fail(r, e);
		return;
	}
	set_number(r, "Upload-Offset", row->offset);
	set_number(r, "Upload-Length", row->length);
	set_expires(r, row);
	request_reply_empty(r, 200);
}

void api_upload_head(struct request *r)
{
	char id[64];
	struct error e;

	if (check_version(r, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	snprintf(id, sizeof(id), "%s", request_param(r, "id"));
	request_defer(r);
	blob_upload_status(domusd.blob, id, head_done, r);
}

void api_upload_delete(struct request *r)
{
	struct error e;

	if (check_version(r, &e) < 0 ||
	    blob_upload_delete(domusd.blob, request_param(r, "id"), request_actor(r), &e) < 0)
		request_fail(r, &e);
	else
		request_reply_empty(r, 204);
}

/* ---- PATCH: the body goes to the blob service as it comes ---- */

static void patch_free(void *context)
{
	struct blob_patch **patch = context;

	blob_patch_abort(*patch);
	free(patch);
}

static void patch_go_on(void *context)
{
	request_continue(context);
}

static int patch_parse(struct request *r, struct blob_patch_request *request,
		       unsigned char digest[32], struct error *e)
{
	const char *checksum = request_header(r, "Upload-Checksum");
	uint64_t offset;

	if (check_version(r, e) < 0)
		return -1;
	if (!http_media_type_is(request_header(r, "Content-Type"), TUS_MEDIA_TYPE))
		return error_set(e, ERROR_MEDIA_TYPE, "Send Content-Type: " TUS_MEDIA_TYPE ".");
	if (tus_number_parse("Upload-Offset", request_header(r, "Upload-Offset"), &offset, e) < 0)
		return -1;
	if (checksum) {
		if (tus_checksum_parse(checksum, digest, e) < 0)
			return -1;
		request->digest = digest;
	}
	request->id = request_param(r, "id");
	request->offset = (int64_t)offset;
	request->length = request_content_length(r);
	request->actor = *request_actor(r);
	request->go_on = patch_go_on;
	request->context = r;
	return 0;
}

static int patch_begin(struct request *r)
{
	struct blob_patch_request request = {0};
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): room for a pointer is what is meant */
	struct blob_patch **patch = calloc(1, sizeof(*patch));
	unsigned char digest[32];
	struct error e;

	if (!patch)
		error_set(&e, ERROR_INTERNAL, "Out of memory");
	if (!patch || patch_parse(r, &request, digest, &e) < 0 ||
	    blob_patch_begin(domusd.blob, &request, patch, &e) < 0) {
		free(patch);
		request_fail(r, &e);
		return -1;
	}
	request_context_set(r, patch, patch_free);
	return 0;
}

static ssize_t patch_write(struct request *r, const void *data, size_t size)
{
	struct blob_patch **patch = request_context(r);
	struct error e;
	int taken = blob_patch_write(*patch, data, size, &e);

	if (taken < 0) {
		blob_patch_abort(*patch); /* keeps what came, now */
		*patch = NULL;
		request_fail(r, &e);
	}
	return taken <= 0 ? taken : (ssize_t)size;
}

static void patch_done(void *context, const struct upload_row *row, const struct error *e)
{
	struct request *r = context;

	if (e) {
		request_fail(r, e);
		return;
	}
	set_number(r, "Upload-Offset", row->offset);
	set_expires(r, row);
	request_reply_empty(r, 204);
}

static void patch_finish(struct request *r)
{
	struct blob_patch **patch = request_context(r), *used = *patch;

	*patch = NULL;
	request_defer(r);
	blob_patch_finish(used, patch_done, r);
}

const struct request_stream api_upload_patch = {patch_begin, patch_write, patch_finish};
