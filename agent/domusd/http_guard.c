#include <stdlib.h>
#include <sys/socket.h>

#include "domusd/clock.h"
#include "domusd/http_internal.h"

/*
 * libmicrohttpd's timeout is about silence; who sends a byte now and then could hold a connection for ever without asking
 * for anything. So a connection has REQUEST_MS from its beginning to the end of its first request's header.
 */
#define REQUEST_MS 30000

struct http_connection {
	int fd;
	int64_t due_ms;
	bool listed;
	struct http *http;
	struct http_connection *next, **previous;
};

/* http->mutex is held. */
static void unlist(struct http_connection *c)
{
	if (!c->listed)
		return;
	c->listed = false;
	*c->previous = c->next;
	if (c->next)
		c->next->previous = c->previous;
}

static void opened(struct http *http, struct MHD_Connection *connection, void **socket_context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_connection *c = info ? calloc(1, sizeof(*c)) : NULL;

	*socket_context = c;
	if (!c)
		return;
	*c = (struct http_connection){.fd = info->connect_fd,
				      .due_ms = clock_monotonic_ms() + REQUEST_MS,
				      .listed = true,
				      .http = http};
	pthread_mutex_lock(&http->mutex);
	c->next = http->connections;
	c->previous = &http->connections;
	if (c->next)
		c->next->previous = &c->next;
	http->connections = c;
	pthread_mutex_unlock(&http->mutex);
}

void http_guard_notify(void *context, struct MHD_Connection *connection, void **socket_context,
		       enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct http_connection *c;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		opened(http, connection, socket_context);
		http_hangup_connection(connection);
		return;
	}
	c = *socket_context;
	if (!c)
		return;
	pthread_mutex_lock(&http->mutex);
	unlist(c);
	pthread_mutex_unlock(&http->mutex);
	free(c);
	*socket_context = NULL;
}

void http_guard_request(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_connection *c = info ? info->socket_context : NULL;

	if (!c || !c->listed) /* only this thread unlists a connection that stands */
		return;
	pthread_mutex_lock(&c->http->mutex);
	unlist(c);
	pthread_mutex_unlock(&c->http->mutex);
}

void http_tick(void *context)
{
	struct http *http = context;
	int64_t now = clock_monotonic_ms();

	/* The descriptor is closed only after the notification, which needs the mutex: so it is still this connection's. */
	pthread_mutex_lock(&http->mutex);
	for (struct http_connection *c = http->connections; c; c = c->next)
		if (c->due_ms <= now)
			shutdown(c->fd, SHUT_RDWR);
	pthread_mutex_unlock(&http->mutex);
}
