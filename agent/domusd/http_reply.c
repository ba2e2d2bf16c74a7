#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/http_internal.h"
#include "domusd/problem.h"

void request_header_set(struct request *r, const char *name, const char *value)
{
	char *copy = strdup(value);

	if (r->header_count == HTTP_REPLY_HEADERS)
		abort(); /* a bug of ours: no handler needs that many */
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort(); /* a bug of ours: values are made here or were checked */
	if (copy)
		r->headers[r->header_count++] = (struct request_header){name, copy};
}

void request_etag_set(struct request *r, int64_t revision)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "\"r%lld\"", (long long)revision);
	request_header_set(r, "ETag", tag);
}

void request_location_set(struct request *r, const char *format, ...)
{
	char location[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(location, sizeof(location), format, arguments);
	va_end(arguments);
	request_header_set(r, "Location", location);
}

const char *request_reply_header(const struct request *r, const char *name)
{
	for (int i = 0; i < r->header_count; i++)
		if (!strcmp(r->headers[i].name, name))
			return r->headers[i].value;
	return NULL;
}

/* What every answer says (reference: OWASP Secure Headers). No HSTS: the certificate is of an authority of our own. */
void http_common_headers(struct MHD_Response *response, const struct request *r)
{
	static const char *const fields[][2] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy",
		 "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		MHD_add_response_header(response, fields[i][0], fields[i][1]);
	MHD_add_response_header(response, "X-Request-Id", r->id);
	if (!request_reply_header(r, "Cache-Control"))
		MHD_add_response_header(response, "Cache-Control", "no-store");
	if (!request_reply_header(r, "Content-Security-Policy"))
		MHD_add_response_header(response, "Content-Security-Policy",
					"default-src 'none'; frame-ancestors 'none'");
}

/* http->mutex is held. */
static void unlist(struct request *r)
{
	http_hangup_unwatch(r->http, r->fd);
	*r->previous = r->next;
	if (r->next)
		r->next->previous = r->previous;
}

/* Unlinks and returns true when the request still waits for its answer. http->mutex is held. */
static bool undefer(struct request *r)
{
	if (!r->deferred || r->aborted)
		return false;
	unlist(r);
	r->deferred = false;
	return true;
}

void request_hangup(struct http *http, int fd)
{
	struct request *r = http->deferred;

	while (r && (!r->deferred || r->fd != fd)) /* the others are held */
		r = r->next;
	if (!r)
		return;
	unlist(r);
	r->aborted = true;
	MHD_resume_connection(r->connection);
}

void request_answer(struct request *r, unsigned status, struct MHD_Response *response)
{
	struct http *http = r->http;
	bool resume, was_deferred;

	if (!response) { /* only without memory */
		status = 500;
		response = MHD_create_response_from_buffer_static(0, "");
	}
	if (response)
		for (int i = 0; i < r->header_count; i++)
			MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
	if (response && status != 101)
		http_common_headers(response, r);
	pthread_mutex_lock(&http->mutex);
	was_deferred = r->deferred;
	resume = undefer(r);
	if (!was_deferred || resume) {
		r->response = response;
		r->status = status;
		response = NULL;
	}
	/* Inside the mutex: http_stop() cannot pass between, so the connection is there. */
	if (resume)
		MHD_resume_connection(r->connection);
	pthread_mutex_unlock(&http->mutex);
	if (response)
		MHD_destroy_response(response);
	if (was_deferred)
		request_release(r);
}

void request_defer(struct request *r)
{
	struct http *http = r->http;

	atomic_fetch_add(&r->references, 1);
	pthread_mutex_lock(&http->mutex);
	r->deferred = true;
	if (http->stopping) {
		r->aborted = true;
	} else {
		r->next = http->deferred;
		r->previous = &http->deferred;
		if (r->next)
			r->next->previous = &r->next;
		http->deferred = r;
		r->suspended = true;
		r->fd = http_hangup_watch(http, r->connection);
		MHD_suspend_connection(r->connection);
	}
	pthread_mutex_unlock(&http->mutex);
}

/* Takes text (from malloc) for the body. */
static struct MHD_Response *text_response(char *text, const char *type)
{
	struct MHD_Response *response =
		text ? MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free)
		     : NULL;

	if (response)
		MHD_add_response_header(response, "Content-Type", type);
	else
		free(text);
	return response;
}

void request_reply_json(struct request *r, unsigned status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	request_answer(r, status, text_response(text, "application/json"));
}

void request_reply_empty(struct request *r, unsigned status)
{
	request_answer(r, status, MHD_create_response_empty(MHD_RF_NONE));
}

void request_reply_not_modified(struct request *r, int64_t revision)
{
	request_etag_set(r, revision);
	request_reply_empty(r, 304);
}

void request_reply_list_of(struct request *r, json_t *items, const char *next, const char *filters)
{
	char link[512], cursor[HTTP_CURSOR_SIZE];
	int64_t limit = 0;

	if (items && next) {
		request_cursor_make(r, next, cursor);
		request_query_integer(r, "limit", 1, 200, 0, &limit, NULL);
		if (limit)
			snprintf(link, sizeof(link), "<%s?limit=%d&cursor=%s%s>; rel=\"next\"",
				 r->path, (int)limit, cursor, filters);
		else
			snprintf(link, sizeof(link), "<%s?cursor=%s%s>; rel=\"next\"", r->path,
				 cursor, filters);
		request_header_set(r, "Link", link);
	}
	request_reply_json(r, 200, items ? json_pack("{s:o}", "items", items) : NULL);
}

void request_reply_list(struct request *r, json_t *items, const char *next)
{
	request_reply_list_of(r, items, next, "");
}

void request_reply_data(struct request *r, unsigned status, const char *type, const void *data,
			size_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer_copy(size, data);

	if (response)
		MHD_add_response_header(response, "Content-Type", type);
	request_answer(r, status, response);
}

void request_reply_file(struct request *r, unsigned status, const char *type, int fd,
			int64_t offset, int64_t size)
{
	struct MHD_Response *response =
		size ? MHD_create_response_from_fd_at_offset64((uint64_t)size, fd, (uint64_t)offset)
		     : MHD_create_response_empty(MHD_RF_NONE);

	if (!size || !response)
		close(fd);
	if (response)
		MHD_add_response_header(response, "Content-Type", type);
	request_answer(r, status, response);
}

void request_fail(struct request *r, const struct error *e)
{
	unsigned status = error_http_status(e->code);
	unsigned retry = e->retry_after;
	char number[16];
	json_t *problem;

	if (status == 500)
		fprintf(stderr, "domusd: request %s: %s %s: %s%s%s\n", r->id, r->method, r->path,
			e->detail, e->errnum ? ": " : "", e->errnum ? strerror(e->errnum) : "");
	if (!retry && (status == 429 || status == 503))
		retry = 5;
	if (retry) {
		snprintf(number, sizeof(number), "%u", retry);
		request_header_set(r, "Retry-After", number);
	}
	if (status == 401)
		request_header_set(r, "WWW-Authenticate", "Bearer realm=\"domus\"");
	problem = problem_json(e, r->path, r->id);
	{
		char *text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;

		json_decref(problem);
		request_answer(r, status, text_response(text, "application/problem+json"));
	}
}

void request_commit(struct request *r, struct store_tx **tx, unsigned status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct error e;
	int result = 0;

	if (body && !text)
		result = error_set(&e, ERROR_INTERNAL, "Out of memory.");
	json_decref(body);
	if (result == 0)
		result = http_idempotency_put(r, *tx, status, text, &e);
	if (result == 0)
		result = store_commit(tx, &e);
	store_rollback(*tx);
	*tx = NULL;
	if (result < 0) {
		free(text);
		/* ETag and Location are of what did not happen. */
		while (r->header_count)
			free(r->headers[--r->header_count].value);
		request_fail(r, &e);
	} else if (text) {
		request_answer(r, status, text_response(text, "application/json"));
	} else {
		request_reply_empty(r, status);
	}
}
