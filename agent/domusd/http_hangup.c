#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "domusd/http_internal.h"

/*
 * Clients that hang up. Two ways of theirs to go escape libmicrohttpd 1.0.1:
 *   - It takes the socket of a suspended connection out of its epoll set. So a thread here waits for the hang-up of those
 *     who wait long: event streams and deferred requests. A held upload is let be: what was sent counts, and it goes on soon.
 *   - GnuTLS reads until it has a record or would block. When it meets the end of the stream in the middle of a record it
 *     says "again", and the end is forgotten: libmicrohttpd then waits for an edge that has been. So the end is told again.
 */

/* A pull function of GnuTLS; its pointer is the socket. */
static ssize_t pull(gnutls_transport_ptr_t socket, void *data, size_t size)
{
	int fd = (int)(intptr_t)socket;
	ssize_t n = recv(fd, data, size, 0);

	/* Nothing more can come, so this closes nothing; the kernel tells every epoll set of the state anew, as an edge. */
	if (n == 0 && size)
		shutdown(fd, SHUT_RD);
	return n;
}

void http_hangup_connection(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (info && info->tls_session)
		gnutls_transport_set_pull_function(info->tls_session, pull);
}

static int socket_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

int http_hangup_watch(struct http *http, struct MHD_Connection *connection)
{
	int fd = socket_of(connection);
	struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.fd = fd};

	/* Without memory for it he is noticed at the next heartbeat, or by the answer. */
	epoll_ctl(http->hangup_epoll, EPOLL_CTL_ADD, fd, &event);
	return fd;
}

void http_hangup_unwatch(struct http *http, int fd)
{
	epoll_ctl(http->hangup_epoll, EPOLL_CTL_DEL, fd, NULL);
}

/*
 * http->mutex is held, so what is in a list has its socket still open; and as the event may be of one before it with the
 * same number, the socket is asked.
 */
static void hung_up(struct http *http, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	if (poll(&p, 1, 0) == 1 && !(p.revents & POLLNVAL) && !http_stream_hangup(http, fd))
		request_hangup(http, fd);
}

static void *run(void *argument)
{
	struct http *http = argument;
	struct epoll_event event;

	for (;;) {
		if (epoll_wait(http->hangup_epoll, &event, 1, -1) != 1)
			continue; /* EINTR */
		if (event.data.fd == http->hangup_stop)
			return NULL;
		pthread_mutex_lock(&http->mutex);
		hung_up(http, event.data.fd);
		pthread_mutex_unlock(&http->mutex);
	}
}

int http_hangup_start(struct http *http, struct error *e)
{
	struct epoll_event event = {.events = EPOLLIN};

	http->hangup_epoll = epoll_create1(EPOLL_CLOEXEC);
	http->hangup_stop = event.data.fd = eventfd(0, EFD_CLOEXEC);
	if (http->hangup_epoll < 0 || http->hangup_stop < 0 ||
	    epoll_ctl(http->hangup_epoll, EPOLL_CTL_ADD, http->hangup_stop, &event) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot watch connections.");
	if (pthread_create(&http->hangup_thread, NULL, run, http))
		return error_set(e, ERROR_INTERNAL, "Cannot start a thread.");
	http->hangup_runs = true;
	return 0;
}

void http_hangup_stop(struct http *http)
{
	if (!http->hangup_runs)
		return;
	eventfd_write(http->hangup_stop, 1);
	pthread_join(http->hangup_thread, NULL);
	http->hangup_runs = false;
}

void http_hangup_free(struct http *http)
{
	http_hangup_stop(http);
	if (http->hangup_epoll >= 0)
		close(http->hangup_epoll);
	if (http->hangup_stop >= 0)
		close(http->hangup_stop);
}
