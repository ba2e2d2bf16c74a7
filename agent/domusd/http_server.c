#include "domusd/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/http_internal.h"
#include "domusd/id.h"

#define THREADS		4
#define CONNECTIONS_MAX 256
#define PER_ADDRESS_MAX 128 /* the dashboard behind one router, each tab with a few */
#define SILENCE_S	30  /* longer than the heartbeat of event streams */
#define STACK_SIZE	(256 * 1024)
#define POOL_SIZE	65536

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* libmicrohttpd has read the request line: the raw target, before it decodes and splits it. */
static void *begin_request(void *context, const char *target, struct MHD_Connection *connection)
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

static void end_request(void *context, struct MHD_Connection *connection, void **slot,
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

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **slot)
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

static void log_message(void *context, const char *format, va_list arguments)
{
	(void)context;
	/* What clients do wrong is told here for each of them; a line for each would be theirs to fill our log with. */
	if (!getenv("DOMUSD_HTTP_LOG"))
		return;
	fputs("domusd: http: ", stderr);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vfprintf(stderr, format, arguments);
#pragma GCC diagnostic pop
}

/* "PORT", "ADDRESS:PORT", "[ADDRESS]:PORT" */
static int parse_listen(const char *text, char host[64], char port[8])
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= 64)
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	text = colon ? colon + 1 : text;
	n = strspn(text, "0123456789");
	if (!n || text[n] || n > 5 || atoi(text) > 65535)
		return -1;
	memcpy(port, text, n + 1);
	return 0;
}

static int listen_on(struct http *http, const struct addrinfo *a)
{
	int fd =
		socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {.v6 = {0}};
	socklen_t size = sizeof(address);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 128) ||
	    getsockname(fd, &address.any, &size)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	http->port = ntohs(a->ai_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
	return fd;
}

static int open_listener(struct http *http, struct error *e)
{
	const char *text = http->options.listen;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	char host[64], port[8];

	if (parse_listen(text, host, port) < 0)
		return error_set(e, ERROR_PARAMETER, "--listen %s: not [ADDRESS:]PORT.", text);
	/* "::" takes IPv4 too; a kernel without IPv6 has only "0.0.0.0". */
	if (getaddrinfo(*host ? host : "::", port, &hints, &list) == 0 && list)
		http->listen_fd = listen_on(http, list);
	if (list)
		freeaddrinfo(list);
	list = NULL;
	if (http->listen_fd < 0 && !*host && errno == EAFNOSUPPORT &&
	    getaddrinfo("0.0.0.0", port, &hints, &list) == 0) {
		http->listen_fd = listen_on(http, list);
		freeaddrinfo(list);
	}
	if (http->listen_fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot listen on %s: %s.", text,
				       errno ? strerror(errno) : "no such address");
	return 0;
}

/* From http_stop() on no connection is taken. MHD_quiesce_daemon() is for that, but its threads may notice it while it takes the
 * listening socket from them; whoever comes second then ends the process. */
static enum MHD_Result on_accept(void *closure, const struct sockaddr *address, socklen_t length)
{
	struct http *http = closure;
	bool stopping;

	(void)address;
	(void)length;
	pthread_mutex_lock(&http->mutex);
	stopping = http->stopping;
	pthread_mutex_unlock(&http->mutex);
	return stopping ? MHD_NO : MHD_YES;
}

static int start_daemon(struct http *http, struct error *e)
{
	const char *priorities = http->options.tls12
					 ? "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"
					 : "SECURE128:-VERS-ALL:+VERS-TLS1.3";
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_message, NULL},
		{MHD_OPTION_LISTEN_SOCKET, http->listen_fd, NULL},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, http_certificate_callback(http)},
		{MHD_OPTION_THREAD_POOL_SIZE, THREADS, NULL},
		{MHD_OPTION_THREAD_STACK_SIZE, STACK_SIZE, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS_MAX, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_SIZE, NULL},
		{MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin_request, http},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end_request, http},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_guard_notify, http},
		{MHD_OPTION_END, 0, NULL},
	};

	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_USE_ITC | MHD_USE_ERROR_LOG |
			MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE,
		0, on_accept, http, on_request, http, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	return http->daemon ? 0 : error_set(e, ERROR_INTERNAL, "The HTTPS server cannot start.");
}

void http_free(struct http *http)
{
	if (!http)
		return;
	http_hangup_free(http);
	if (http->listen_fd >= 0)
		close(http->listen_fd);
	http_static_free(http);
	http_credentials_free(http);
	free(http->counters);
	pthread_mutex_destroy(&http->mutex);
	free(http);
}

int http_start(const struct http_options *options, struct http **out, struct error *e)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	http->options = *options;
	http->listen_fd = http->hangup_epoll = http->hangup_stop = -1;
	http->webui_fd = -1;
	pthread_mutex_init(&http->mutex, NULL);
	http->counters = calloc(options->route_count + 1, sizeof(*http->counters));
	if (!http->counters || http_static_load(http, options->webui, e) < 0 ||
	    http_certificate_set(http, options->certificate_pem, options->key_pem, e) < 0 ||
	    open_listener(http, e) < 0 || http_hangup_start(http, e) < 0 ||
	    start_daemon(http, e) < 0) {
		http_free(http);
		return -1;
	}
	http_metrics_register(http);
	*out = http;
	return 0;
}

unsigned http_port(const struct http *http)
{
	return http->port;
}

/* Everybody who is suspended goes on: with 503, or with the end of the connection in the middle of a body. */
static void release_suspended(struct http *http)
{
	pthread_mutex_lock(&http->mutex);
	http->stopping = true;
	for (struct request *r = http->deferred; r; r = r->next) {
		r->aborted = true;
		r->held = false;
		MHD_resume_connection(r->connection);
	}
	http->deferred = NULL;
	pthread_mutex_unlock(&http->mutex);
}

void http_stop(struct http *http, int grace_ms)
{
	int64_t due;

	if (!http)
		return;
	due = clock_monotonic_ms() + grace_ms;
	http_hangup_stop(http);
	release_suspended(http);
	http_streams_end(http);
	while (atomic_load(&http->active) && clock_monotonic_ms() < due)
		usleep(10000);
	MHD_stop_daemon(http->daemon);
	http->daemon = NULL;
	http->listen_fd = -1; /* is closed */
}
