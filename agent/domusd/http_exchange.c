#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domusd/http_internal.h"
#include "domusd/id.h"

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void *http_exchange_begin(void *context, const char *target, struct MHD_Connection *connection)
{
	struct request *r = calloc(1, sizeof(*r));
	char *query;

	http_guard_request(connection);
	if (!r)
		return NULL;
	r->http = context;
	r->connection = connection;
	atomic_init(&r->references, 1);
	r->started_us = now_us();
	id_secret(r->id, 12);
	for (char *p = r->id; *p; p++) /* openapi.yaml: letters, digits and '-' */
		if (*p == '_')
			*p = 'x';
	r->path = strdup(target);
	if (!r->path) {
		free(r);
		return NULL;
	}
	/* It is quoted in answers and logs. What is not printable ASCII should have been percent-encoded. */
	for (char *p = r->path; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			*p = '_';
	query = strchr(r->path, '?');
	if (query) {
		*query = '\0';
		r->query = query + 1;
	}
	return r;
}

static void set_address(struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct actor *actor = &r->principal.actor;
	char text[48] = "";

	if (info && info->client_addr)
		getnameinfo(info->client_addr,
			    info->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
								    : sizeof(struct sockaddr_in6),
			    text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	snprintf(actor->address, sizeof(actor->address), "%s",
		 strncmp(text, "::ffff:", 7) ? text : text + 7);
	snprintf(actor->name, sizeof(actor->name), "anonymous");
	snprintf(actor->method, sizeof(actor->method), "none");
	snprintf(actor->request_id, sizeof(actor->request_id), "%s", r->id);
}

void request_release(struct request *r)
{
	if (atomic_fetch_sub(&r->references, 1) != 1)
		return;
	if (r->free_context)
		r->free_context(r->context);
	http_idempotency_end(r);
	if (r->response)
		MHD_destroy_response(r->response);
	while (r->header_count)
		free(r->headers[--r->header_count].value);
	while (r->query_count)
		free(r->query_values[--r->query_count]);
	json_decref(r->json);
	free(r->body);
	free(r->path);
	free(r);
}

void http_exchange_end(void *context, struct MHD_Connection *connection, void **slot,
		       enum MHD_RequestTerminationCode why)
{
	struct request *r = *slot;

	(void)connection;
	(void)why;
	*slot = NULL;
	if (!r)
		return;
	if (r->phase != PHASE_NEW)
		atomic_fetch_sub(&((struct http *)context)->active, 1);
	request_release(r);
}

static enum MHD_Result queue(struct request *r)
{
	enum MHD_Result result;

	/* before the client can have the answer and use its key again */
	http_idempotency_end(r);
	result = MHD_queue_response(r->connection, r->status, r->response);
	http_count(r, r->status);
	/* libmicrohttpd has its own reference; a stream's source is freed with the last one. */
	MHD_destroy_response(r->response);
	r->response = NULL;
	return result;
}

static enum MHD_Result queue_stopping(struct request *r)
{
	static const char text[] = "The appliance is stopping.\n";
	struct MHD_Response *response =
		MHD_create_response_from_buffer_static(sizeof(text) - 1, text);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "text/plain");
	MHD_add_response_header(response, "Retry-After", "5");
	MHD_add_response_header(response, "Connection", "close");
	MHD_add_response_header(response, "X-Request-Id", r->id);
	result = MHD_queue_response(r->connection, 503, response);
	MHD_destroy_response(response);
	http_count(r, 503);
	return result;
}

/* The answer, if there is one. Otherwise the request is suspended and we are called again. */
static enum MHD_Result proceed(struct request *r)
{
	bool aborted, stopping;

	if (r->suspended) {
		r->suspended = false;
		return MHD_YES;
	}
	pthread_mutex_lock(&r->http->mutex);
	aborted = r->aborted;
	stopping = r->http->stopping;
	pthread_mutex_unlock(&r->http->mutex);
	if (aborted) /* or the client has hung up */
		return stopping ? queue_stopping(r) : MHD_NO;
	if (r->response)
		return queue(r);
	fprintf(stderr, "domusd: request %s: %s %s was not answered\n", r->id, r->method, r->path);
	return MHD_NO;
}

/* Keeps the client back until the service can take more. False: it can already. */
static bool hold(struct request *r)
{
	struct http *http = r->http;
	bool held;

	pthread_mutex_lock(&http->mutex);
	held = !r->continued && !http->stopping;
	r->continued = false;
	if (held) {
		r->held = true;
		r->next = http->deferred;
		r->previous = &http->deferred;
		if (r->next)
			r->next->previous = &r->next;
		http->deferred = r;
		MHD_suspend_connection(r->connection);
	}
	pthread_mutex_unlock(&http->mutex);
	return held;
}

static enum MHD_Result stream_piece(struct request *r, const char *data, size_t *size)
{
	while (*size) {
		ssize_t n = r->match.route->stream->write(r, data, *size);

		if (n < 0) {
			r->phase = PHASE_DISCARD;
			return MHD_YES;
		}
		data += n;
		*size -= (size_t)n;
		if (*size && hold(r))
			return MHD_YES;
		if (*size && r->http->stopping)
			return MHD_NO;
	}
	return MHD_YES;
}

static enum MHD_Result body_piece(struct request *r, const char *data, size_t *size)
{
	struct error e;

	if (r->match.route->body == BODY_STREAM && r->phase == PHASE_BODY) {
		enum MHD_Result result = stream_piece(r, data, size);

		if (r->phase != PHASE_DISCARD)
			return result;
	}
	if (r->phase == PHASE_BODY && http_body_append(r, data, *size, &e) < 0) {
		request_fail(r, &e);
		r->phase = PHASE_DISCARD;
	}
	if (r->phase == PHASE_DISCARD) {
		r->discarded += (int64_t)*size;
		if (r->discarded > HTTP_DISCARD_MAX)
			return MHD_NO;
	}
	*size = 0;
	return MHD_YES;
}

/* The request is complete. */
static void handle(struct request *r)
{
	const struct route *route = r->match.route;
	struct error e;
	int begun;

	if (r->phase == PHASE_DISCARD)
		return;
	if (route->body == BODY_STREAM) {
		route->stream->finish(r);
		return;
	}
	if (http_body_parse(r, &e) < 0 || (begun = http_idempotency_begin(r, &e)) < 0) {
		request_fail(r, &e);
		return;
	}
	if (!begun)
		route->handler(r);
}

enum MHD_Result http_exchange_step(void *context, struct MHD_Connection *connection,
				   const char *url, const char *method, const char *version,
				   const char *data, size_t *size, void **slot)
{
	struct request *r = *slot;

	(void)connection;
	(void)url;
	(void)version;
	if (!r)
		return MHD_NO; /* no memory for it */
	switch (r->phase) {
	case PHASE_NEW:
		atomic_fetch_add(&((struct http *)context)->active, 1);
		r->method = method;
		r->phase = PHASE_BODY;
		set_address(r);
		http_check(r);
		if (r->match.route) /* a deferred request may outlive its connection, where method stands */
			r->method = r->match.head ? "HEAD" : r->match.route->method;
		if (!r->response)
			return MHD_YES;
		/* An answer now means that the body will not be read, and so the end of the connection. */
		if (request_content_length(r))
			return queue(r);
		r->phase = PHASE_ANSWER;
		return MHD_YES;
	case PHASE_BODY:
	case PHASE_DISCARD:
		if (r->aborted)
			return MHD_NO;
		if (*size)
			return body_piece(r, data, size);
		handle(r);
		r->phase = PHASE_ANSWER;
		return proceed(r);
	default:
		return proceed(r);
	}
}
