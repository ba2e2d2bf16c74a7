#include "domusd/console_hub_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BRISK	 ((size_t)64 * 1024) /* bytes a second */
#define LAZY_MAX 5
#define LEAVE_S	 2 /* for a viewer to hang up after our close frame */

/* A viewer that does read is waited for, which the guest feels as a slow console; one that takes less than BRISK bytes a
 * second, LAZY_MAX times in a row, is not, so nobody can hold up a guest or the other viewers for long. */
bool viewer_would_be_overtaken(const struct console *console)
{
	for (const struct viewer *v = console->viewers; v; v = v->next)
		if (!v->dead && v->lazy < LAZY_MAX &&
		    console->ring.end - v->position > CONSOLE_RING_SIZE - 2 * CONSOLE_CHUNK)
			return true;
	return false;
}

static void viewer_watch(struct viewer *viewer)
{
	uint32_t events = websocket_wants_send(viewer->ws) ? EPOLLOUT : 0;

	if (!viewer->held)
		events |= EPOLLIN;
	source_watch(viewer->console->epoll, EPOLL_CTL_MOD, viewer->peer.fd, events, viewer);
}

/* Moves what can be moved; at the end of the connection the viewer is dead. If we end it, because it broke a rule of RFC 6455 or
 * sent too much at once, more of its bytes may be on the way, and a descriptor that is closed with bytes unread is reset, which
 * takes our close frame with it. So it leaves when it has hung up (RFC 6455 7.1.1), and what it sends until then is thrown away. */
static void viewer_work(struct viewer *viewer)
{
	if (websocket_work(viewer->ws))
		return;
	viewer->dead = true;
	viewer->leaving = websocket_ended_by_us(viewer->ws);
	if (viewer->leaving)
		source_watch(viewer->console->epoll, EPOLL_CTL_MOD, viewer->peer.fd, EPOLLIN,
			     viewer);
}

static void viewer_leave(struct viewer *viewer)
{
	unsigned char data[CONSOLE_CHUNK];
	ssize_t got = recv(viewer->peer.fd, data, sizeof(data), MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		viewer->leaving = false;
}

void viewer_push(struct viewer *viewer)
{
	unsigned char data[CONSOLE_CHUNK];

	while (!viewer->dead && !websocket_wants_send(viewer->ws)) {
		ssize_t got = console_ring_read(&viewer->console->ring, viewer->position, data,
						sizeof(data));

		if (got == 0)
			break;
		if (got < 0 || !websocket_send(viewer->ws, false, data, (size_t)got)) {
			viewer->dead = true; /* too slow: the ring went round */
			return;
		}
		viewer->position += (uint64_t)got;
		viewer_work(viewer);
	}
	if (viewer->position < console_ring_oldest(&viewer->console->ring))
		viewer->dead = true;
	if (!viewer->dead)
		viewer_watch(viewer);
}

void viewer_tell_state(struct viewer *viewer)
{
	char notice[64];
	int length = snprintf(notice, sizeof(notice), "{\"type\":\"state\",\"state\":\"%s\"}",
			      viewer->console->state);

	if (websocket_send(viewer->ws, true, notice, (size_t)length))
		viewer_work(viewer);
	else
		viewer->dead = true;
}

static ssize_t viewer_receive(void *user, void *data, size_t size)
{
	struct viewer *viewer = user;
	ssize_t got;

	if (!console_has_room(viewer->console)) {
		viewer->held = true;
		return 0;
	}
	viewer->held = false;
	if (viewer->early_at < viewer->early_size) {
		if (size > viewer->early_size - viewer->early_at)
			size = viewer->early_size - viewer->early_at;
		memcpy(data, viewer->early + viewer->early_at, size);
		viewer->early_at += size;
		return (ssize_t)size;
	}
	got = recv(viewer->peer.fd, data, size, MSG_DONTWAIT);
	if (got > 0)
		return got;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t viewer_send(void *user, const void *data, size_t size)
{
	struct viewer *viewer = user;
	ssize_t put = send(viewer->peer.fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (put > 0)
		return put;
	return put < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Keys for the guest. Text frames are for notices and mean nothing in this direction. */
static void viewer_message(void *user, bool text, const void *data, size_t size)
{
	struct viewer *viewer = user;

	if (!text)
		console_input(viewer->console, data, size);
}

bool viewer_add(struct console *console, const struct console_hub_viewer *peer,
		unsigned char *early, size_t early_size, int64_t now_s)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	struct websocket_io io = {viewer_receive, viewer_send, viewer_message, viewer};

	if (!viewer)
		return false;
	viewer->ws = websocket_new(&io);
	if (!viewer->ws) {
		free(viewer);
		return false;
	}
	viewer->source.kind = SOURCE_VIEWER;
	viewer->console = console;
	viewer->peer = *peer;
	viewer->early = early;
	viewer->early_size = early_size;
	viewer->position = viewer->ticked = console_ring_oldest(&console->ring);
	viewer->heard_s = now_s;
	viewer->next = console->viewers;
	console->viewers = viewer;
	source_watch(console->epoll, EPOLL_CTL_ADD, peer->fd, EPOLLIN, viewer);
	viewer_tell_state(viewer);
	viewer_push(viewer);
	if (early_size > 0)
		viewer_ready(viewer, now_s);
	return true;
}

void viewer_ready(struct viewer *viewer, int64_t now_s)
{
	if (viewer->leaving)
		viewer_leave(viewer);
	if (viewer->dead)
		return;
	viewer->heard_s = now_s;
	viewer_work(viewer);
	viewer_push(viewer);
	console_go_on(viewer->console);
}

unsigned viewer_reap(struct console *console, bool all)
{
	struct viewer **link = &console->viewers;
	unsigned count = 0;

	while (*link) {
		struct viewer *viewer = *link;

		if ((!viewer->dead || viewer->leaving) && !all) {
			link = &viewer->next;
			continue;
		}
		*link = viewer->next;
		source_watch(console->epoll, EPOLL_CTL_DEL, viewer->peer.fd, 0, NULL);
		websocket_free(viewer->ws);
		viewer->peer.closed(viewer->peer.user);
		free(viewer->early);
		free(viewer);
		count++;
	}
	return count;
}

void viewer_tick(struct viewer *viewer, int64_t now_s)
{
	if (viewer->leaving && now_s - viewer->heard_s > LEAVE_S)
		viewer->leaving = false;
	if (viewer->dead)
		return;
	if (viewer->position == viewer->console->ring.end ||
	    viewer->position - viewer->ticked >= BRISK)
		viewer->lazy = 0;
	else if (viewer->lazy < LAZY_MAX)
		viewer->lazy++;
	viewer->ticked = viewer->position;
	if (viewer->held && console_has_room(viewer->console))
		viewer_ready(viewer, now_s);
	if (now_s - viewer->heard_s > CONSOLE_HUB_SILENCE_S)
		viewer->dead = true;
	else if (now_s % CONSOLE_HUB_PING_S == 0) {
		if (websocket_ping(viewer->ws))
			viewer_work(viewer);
		else
			viewer->dead = true;
		if (!viewer->dead)
			viewer_watch(viewer);
	}
}
