#include "domusd/console_hub_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Room for one more message and for the frames that wslay holds already when it asks for bytes. */
#define INPUT_ROOM (WEBSOCKET_MESSAGE_MAX + 8 * 1024)

void source_watch(int epoll, int operation, int fd, uint32_t events, void *source)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(epoll, operation, fd, &event);
}

static void console_watch(struct console *console)
{
	uint32_t events = console->allowance > 0 && !console->waiting ? EPOLLIN : 0;

	if (console->input_size > 0)
		events |= EPOLLOUT;
	if (console->fd >= 0)
		source_watch(console->epoll, EPOLL_CTL_MOD, console->fd, events, console);
}

void console_go_on(struct console *console)
{
	if (!console->waiting || viewer_would_be_overtaken(console))
		return;
	console->waiting = false;
	console_watch(console);
}

/* Keys are for a domain that lives. While its console is on its way (a start, another xenconsoled) they wait for it. */
static bool takes_input(const struct console *console)
{
	return strcmp(console->state, "stopped") != 0 && strcmp(console->state, "crashed") != 0;
}

bool console_has_room(const struct console *console)
{
	return !takes_input(console) || CONSOLE_HUB_INPUT_MAX - console->input_size >= INPUT_ROOM;
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

void console_input(struct console *console, const void *data, size_t size)
{
	if (!takes_input(console) || size == 0)
		return;
	if (!console->input)
		console->input = malloc(CONSOLE_HUB_INPUT_MAX);
	if (!console->input || size > CONSOLE_HUB_INPUT_MAX - console->input_size)
		return; /* cannot be: console_has_room() was asked */
	memcpy(console->input + console->input_size, data, size);
	console->input_size += size;
	input_flush(console);
}

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
	unsigned char data[CONSOLE_CHUNK];
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
	source_watch(console->epoll, EPOLL_CTL_DEL, console->fd, 0, NULL);
	close(console->fd);
	console->fd = -1;
}

void console_attach(struct console *console, int fd)
{
	terminal_leave(console);
	console->fd = fd;
	console->ended = false;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	source_watch(console->epoll, EPOLL_CTL_ADD, fd, 0, console);
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
			if (viewer->held && console_has_room(console))
				viewer_ready(viewer, viewer->heard_s);
	}
	if (events & (EPOLLHUP | EPOLLERR)) { /* reported without end, and little is left */
		console->waiting = false;
		console->allowance = console->allowance ? console->allowance : CONSOLE_CHUNK;
	} else if (viewer_would_be_overtaken(console)) {
		console->waiting = true;
		console_watch(console);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && console->allowance > 0)
		open = console_read(console);
	if (!open) {
		source_watch(console->epoll, EPOLL_CTL_DEL, console->fd, 0, NULL);
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
	for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next)
		viewer_tick(viewer, now_s);
	console_go_on(console);
}
