#include "domusd/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/http_internal.h"

#define THREADS		4
#define CONNECTIONS_MAX 256
#define PER_ADDRESS_MAX 128 /* the dashboard behind one router, each tab with a few */
#define SILENCE_S	30  /* longer than the heartbeat of event streams */
#define STACK_SIZE	(256 * 1024)
#define POOL_SIZE	65536

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
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)http_exchange_begin, http},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_exchange_end, http},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_guard_notify, http},
		{MHD_OPTION_END, 0, NULL},
	};

	http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_USE_ITC |
						MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
						MHD_ALLOW_UPGRADE,
					0, on_accept, http, http_exchange_step, http,
					MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
