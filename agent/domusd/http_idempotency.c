#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/http_internal.h"

/* What makes two requests the same: method, path, body, and for uploads the fields that say what is to be made. */
static void hash_request(const struct request *r, unsigned char hash[32])
{
	static const char *const fields[] = {"Upload-Length", "Upload-Metadata"};
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (!md)
		abort();
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	EVP_DigestUpdate(md, r->method, strlen(r->method) + 1);
	EVP_DigestUpdate(md, r->path, strlen(r->path) + 1);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value = request_header(r, fields[i]);

		EVP_DigestUpdate(md, value ? value : "", value ? strlen(value) + 1 : 1);
	}
	EVP_DigestUpdate(md, r->body ? r->body : "", r->body_size);
	EVP_DigestFinal_ex(md, hash, NULL);
	EVP_MD_CTX_free(md);
}

/* At most one request with a key runs. */
static int enter(struct request *r, struct error *e)
{
	struct http *http = r->http;
	struct request *other;

	pthread_mutex_lock(&http->mutex);
	for (other = http->keyed; other; other = other->keyed_next)
		if (other->principal.user_id == r->principal.user_id && !strcmp(other->key, r->key))
			break;
	if (!other) {
		r->is_keyed = true;
		r->keyed_next = http->keyed;
		r->keyed_previous = &http->keyed;
		if (r->keyed_next)
			r->keyed_next->keyed_previous = &r->keyed_next;
		http->keyed = r;
	}
	pthread_mutex_unlock(&http->mutex);
	return other ? error_set(e, ERROR_IDEMPOTENCY_BUSY,
				 "The first request with this Idempotency-Key still runs.")
		     : 0;
}

void http_idempotency_end(struct request *r)
{
	if (!r->is_keyed)
		return;
	pthread_mutex_lock(&r->http->mutex);
	*r->keyed_previous = r->keyed_next;
	if (r->keyed_next)
		r->keyed_next->keyed_previous = r->keyed_previous;
	pthread_mutex_unlock(&r->http->mutex);
	r->is_keyed = false;
}

/* The header fields that belong to an answer and not to its connection. */
static const char *const kept[] = {"Location", "ETag", "Tus-Resumable", "Upload-Expires"};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

static void replay(struct request *r, const struct idempotency_row *row)
{
	json_t *headers = json_loads(row->headers ? row->headers : "{}", 0, NULL);
	json_t *body = row->body ? json_loads(row->body, JSON_DECODE_ANY, NULL) : NULL;

	request_header_set(r, "Idempotency-Replayed", "true");
	for (size_t i = 0; i < KEPT; i++) {
		const char *value = json_string_value(json_object_get(headers, kept[i]));

		if (value)
			request_header_set(r, kept[i], value);
	}
	json_decref(headers);
	if (row->body)
		request_reply_json(r, (unsigned)row->status, body);
	else
		request_reply_empty(r, (unsigned)row->status);
}

static int find(struct request *r, struct idempotency_row *row, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin_read(r->http->options.store, &tx, e) < 0)
		return -1;
	return store_idempotency_find(tx, r->principal.user_id, r->key, clock_wall_ms(), row, e);
}

int http_idempotency_begin(struct request *r, struct error *e)
{
	struct idempotency_row row;
	int found;

	if (!r->key[0])
		return 0;
	hash_request(r, r->key_hash);
	if (enter(r, e) < 0)
		return -1;
	found = find(r, &row, e);
	if (found <= 0)
		return found;
	if (memcmp(row.request, r->key_hash, sizeof(r->key_hash)))
		found = error_set(e, ERROR_IDEMPOTENCY_MISMATCH,
				  "This Idempotency-Key was used for another request.");
	else
		replay(r, &row);
	store_idempotency_free(&row);
	return found;
}

static char *kept_headers(const struct request *r)
{
	json_t *headers = json_object();
	char *text;

	for (size_t i = 0; i < KEPT; i++) {
		const char *value = request_reply_header(r, kept[i]);

		if (value)
			json_object_set_new(headers, kept[i], json_string(value));
	}
	text = json_dumps(headers, JSON_COMPACT);
	json_decref(headers);
	return text;
}

int http_idempotency_put(struct request *r, struct store_tx *tx, unsigned status, const char *body,
			 struct error *e)
{
	struct idempotency_row row = {.status = status};
	int result;

	if (!r->is_keyed)
		return 0;
	memcpy(row.request, r->key_hash, sizeof(row.request));
	row.headers = kept_headers(r);
	row.body = (char *)(uintptr_t)body; /* store_idempotency_put() only reads it */
	result = store_idempotency_put(tx, r->principal.user_id, r->key, &row,
				       clock_wall_ms() + HTTP_IDEMPOTENCY_MS, e);
	free(row.headers);
	return result;
}

void http_idempotency_tick(void *context)
{
	struct http *http = context;
	STORE_TX struct store_tx *tx = NULL;
	struct error e;

	if (store_begin(http->options.store, &tx, &e) < 0 ||
	    store_idempotency_expire(tx, clock_wall_ms(), &e) < 0 || store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: old Idempotency-Keys: %s\n", e.detail);
}
