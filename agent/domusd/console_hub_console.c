#include "domusd/console_hub_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK	 ((size_t)16 * 1024)
#define BRISK	 ((size_t)64 * 1024) /* bytes a second */
#define LAZY_MAX 5
#define LEAVE_S	 2 /* for a viewer to hang up after our close frame */
/* Room for one more message and for the frames that wslay holds already when it asks for bytes. */
#define INPUT_ROOM (WEBSOCKET_MESSAGE_MAX + 8 * 1024)

static void watch(int epoll, int operation, int fd, uint32_t events, void *source)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(epoll, operation, fd, &event);
}

/* Would the next read overtake a viewer that does read? Such a one is waited for, which the guest feels as a slow
 * console; one that takes less than BRISK bytes a second, LAZY_MAX times in a row, is not, so nobody can hold up a guest or the
 * other viewers for long. */
static bool must_wait(const struct console *console)
{
	for (const struct viewer *v = console->viewers; v; v = v->next)
		if (!v->dead && v->lazy < LAZY_MAX &&
		    console->ring.end - v->position > CONSOLE_RING_SIZE - 2 * CHUNK)
			return true;
	return false;
}

static void console_watch(struct console *console)
{
	uint32_t events = console->allowance > 0 && !console->waiting ? EPOLLIN : 0;

	if (console->input_size > 0)
		events |= EPOLLOUT;
	if (console->fd >= 0)
		watch(console->epoll, EPOLL_CTL_MOD, console->fd, events, console);
}

static void console_go_on(struct console *console)
{
	if (!console->waiting || must_wait(console))
		return;
	console->waiting = false;
	console_watch(console);
}

/* --- viewers --- */

/* Keys are for a domain that lives. While its console is on its way (a start, another xenconsoled) they wait for it. */
static bool takes_input(const struct console *console)
{
	return strcmp(console->state, "stopped") != 0 && strcmp(console->state, "crashed") != 0;
}

static bool input_has_room(const struct console *console)
{
	return !takes_input(console) || CONSOLE_HUB_INPUT_MAX - console->input_size >= INPUT_ROOM;
}

static void viewer_watch(struct viewer *viewer)
{
	uint32_t events = websocket_wants_send(viewer->ws) ? EPOLLOUT : 0;

	if (!viewer->held)
		events |= EPOLLIN;
	watch(viewer->console->epoll, EPOLL_CTL_MOD, viewer->peer.fd, events, viewer);
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
		watch(viewer->console->epoll, EPOLL_CTL_MOD, viewer->peer.fd, EPOLLIN, viewer);
}

static void viewer_leave(struct viewer *viewer)
{
	unsigned char data[CHUNK];
	ssize_t got = recv(viewer->peer.fd, data, sizeof(data), MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		viewer->leaving = false;
}

/* Gives the viewer what the ring has for it, as long as it takes it. */
static void viewer_push(struct viewer *viewer)
{
	unsigned char data[CHUNK];

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

static void viewer_tell_state(struct viewer *viewer)
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

	if (!input_has_room(viewer->console)) {
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

static void input_flush(struct console *console)
{
	ssize_t put = 0;

	if (console->fd < 0)
		return;
	if (console->input_size > 0)
		put = write(console->fd, console->input, console->input_size);
	if (put > 0) {
		console->input_size -= (size_t)put;
		memmove(console->input, console->input + put, console->input_size);
	}
	console_watch(console);
}

/* Keys for the guest. Text frames are for notices and mean nothing in this direction. */
static void viewer_message(void *user, bool text, const void *data, size_t size)
{
	struct console *console = ((struct viewer *)user)->console;

	if (text || !takes_input(console) || size == 0)
		return;
	if (!console->input)
		console->input = malloc(CONSOLE_HUB_INPUT_MAX);
	if (!console->input || size > CONSOLE_HUB_INPUT_MAX - console->input_size)
		return; /* cannot be: viewer_receive keeps the room */
	memcpy(console->input + console->input_size, data, size);
	console->input_size += size;
	input_flush(console);
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
	watch(console->epoll, EPOLL_CTL_ADD, peer->fd, EPOLLIN, viewer);
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
		watch(console->epoll, EPOLL_CTL_DEL, viewer->peer.fd, 0, NULL);
		websocket_free(viewer->ws);
		viewer->peer.closed(viewer->peer.user);
		free(viewer->early);
		free(viewer);
		count++;
	}
	return count;
}

/* --- the console --- */

struct console *console_new(int epoll, int dir, const char *domain)
{
	struct console *console = calloc(1, sizeof(*console));
	char name[64];

	if (!console || console_ring_init(&console->ring) != 0) {
		free(console);
		return NULL;
	}
	console->source.kind = SOURCE_CONSOLE;
	console->epoll = epoll;
	console->fd = -1;
	console->allowance = CONSOLE_HUB_RATE;
	snprintf(console->domain, sizeof(console->domain), "%s", domain);
	snprintf(console->state, sizeof(console->state), "stopped");
	console_hub_log_name(domain, name);
	console_log_open(&console->log, dir, name, NULL);
	return console;
}

void console_free(struct console *console)
{
	console_detach(console);
	viewer_reap(console, true);
	console_log_close(&console->log);
	console_ring_free(&console->ring);
	free(console->input);
	free(console);
}

/* Reads once. false at the end of the descriptor. */
static bool console_read(struct console *console)
{
	unsigned char data[CHUNK];
	ssize_t got;

	got = read(console->fd, data,
		   sizeof(data) < console->allowance ? sizeof(data) : console->allowance);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	console->allowance -= (size_t)got;
	console_ring_write(&console->ring, data, (size_t)got);
	console_log_write(&console->log, data, (size_t)got);
	for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next)
		if (!viewer->dead)
			viewer_push(viewer);
	return true;
}

static void terminal_leave(struct console *console)
{
	uint64_t before;

	if (console->fd < 0)
		return;
	do /* the guest's last words, bounded by the allowance */
		before = console->ring.end;
	while (console->allowance > 0 && console_read(console) && before != console->ring.end);
	watch(console->epoll, EPOLL_CTL_DEL, console->fd, 0, NULL);
	close(console->fd);
	console->fd = -1;
}

void console_attach(struct console *console, int fd)
{
	terminal_leave(console);
	console->fd = fd;
	console->ended = false;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	watch(console->epoll, EPOLL_CTL_ADD, fd, 0, console);
	console_watch(console);
}

void console_detach(struct console *console)
{
	terminal_leave(console);
	console->input_size = 0;
}

void console_ready(struct console *console, uint32_t events)
{
	bool open = true;

	if (console->fd < 0)
		return;
	if (events & EPOLLOUT) {
		input_flush(console);
		for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next)
			if (viewer->held && input_has_room(console))
				viewer_ready(viewer, viewer->heard_s);
	}
	if (events & (EPOLLHUP | EPOLLERR)) { /* reported without end, and little is left */
		console->waiting = false;
		console->allowance = console->allowance ? console->allowance : CHUNK;
	} else if (must_wait(console)) {
		console->waiting = true;
		console_watch(console);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && console->allowance > 0)
		open = console_read(console);
	if (!open) {
		watch(console->epoll, EPOLL_CTL_DEL, console->fd, 0, NULL);
		close(console->fd);
		console->fd = -1;
		console->ended = true;
		return;
	}
	if (console->allowance == 0)
		console_watch(console); /* not before the next tick */
}

void console_set_state(struct console *console, const char *state)
{
	if (strcmp(console->state, state) == 0)
		return;
	snprintf(console->state, sizeof(console->state), "%s", state);
	if (!takes_input(console))
		console->input_size = 0;
	for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next)
		if (!viewer->dead) {
			viewer_tell_state(viewer);
			viewer_push(viewer);
		}
}

void console_tick(struct console *console, int64_t now_s)
{
	console_log_tick(&console->log);
	if (console->allowance == 0 && console->fd >= 0) {
		console->allowance = CONSOLE_HUB_RATE;
		console_watch(console);
	}
	console->allowance = CONSOLE_HUB_RATE;
	for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next) {
		if (viewer->leaving && now_s - viewer->heard_s > LEAVE_S)
			viewer->leaving = false;
		if (viewer->dead)
			continue;
		if (viewer->position == console->ring.end ||
		    viewer->position - viewer->ticked >= BRISK)
			viewer->lazy = 0;
		else if (viewer->lazy < LAZY_MAX)
			viewer->lazy++;
		viewer->ticked = viewer->position;
		if (viewer->held && input_has_room(console))
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
	console_go_on(console);
}
