#include "domusd/console_hub.h"

#include "domusd/console_hub_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* What other threads leave for the hub's thread. */
struct note {
	struct note *next;
	enum { NOTE_ATTACH, NOTE_DETACH, NOTE_STATE, NOTE_REMOVE, NOTE_VIEW, NOTE_END } kind;
	char domain[41];
	char state[16];
	int fd;
	struct console_hub_viewer viewer;
	unsigned char *early;
	size_t early_size;
};

struct console_hub {
	struct source wake; /* first: what epoll returns for wake_fd */
	pthread_t thread;
	int epoll, wake_fd, dir;
	struct console_hub_owner owner;
	struct console *consoles; /* the thread's own */
	atomic_uint viewers;
	pthread_mutex_t lock; /* the queue of notes, nothing else */
	struct note *first, **last;
	bool shut; /* no viewer is taken any more */
};

void console_hub_log_name(const char *domain, char name[64])
{
	snprintf(name, 64, "%.40s.log", domain);
}

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* --- other threads --- */

static struct note *note_new(int kind, const char *domain)
{
	struct note *note = calloc(1, sizeof(*note));

	if (note) {
		note->kind = kind;
		note->fd = -1;
		snprintf(note->domain, sizeof(note->domain), "%s", domain);
	}
	return note;
}

/* false: a viewer for a hub that is shut; the caller keeps the note. */
static bool note_leave(struct console_hub *hub, struct note *note)
{
	uint64_t one = 1;
	bool taken;

	if (!note)
		return false;
	pthread_mutex_lock(&hub->lock);
	taken = !hub->shut || note->kind != NOTE_VIEW;
	if (taken) {
		*hub->last = note;
		hub->last = &note->next;
	}
	if (note->kind == NOTE_END)
		hub->shut = true;
	pthread_mutex_unlock(&hub->lock);
	while (taken && write(hub->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		; /* EAGAIN: the thread is to wake anyway */
	return taken;
}

void console_hub_attach(struct console_hub *hub, const char *domain, int fd)
{
	struct note *note = note_new(NOTE_ATTACH, domain);

	if (!note) {
		close(fd);
		return;
	}
	note->fd = fd;
	note_leave(hub, note);
}

void console_hub_detach(struct console_hub *hub, const char *domain)
{
	note_leave(hub, note_new(NOTE_DETACH, domain));
}

void console_hub_state(struct console_hub *hub, const char *domain, const char *state)
{
	struct note *note = note_new(NOTE_STATE, domain);

	if (note)
		snprintf(note->state, sizeof(note->state), "%s", state);
	note_leave(hub, note);
}

void console_hub_remove(struct console_hub *hub, const char *domain)
{
	note_leave(hub, note_new(NOTE_REMOVE, domain));
}

bool console_hub_has_room(struct console_hub *hub)
{
	return atomic_load(&hub->viewers) < CONSOLE_HUB_VIEWERS_MAX;
}

static bool room_take(struct console_hub *hub)
{
	if (atomic_fetch_add(&hub->viewers, 1) < CONSOLE_HUB_VIEWERS_MAX)
		return true;
	atomic_fetch_sub(&hub->viewers, 1);
	return false;
}

bool console_hub_view(struct console_hub *hub, const char *domain,
		      const struct console_hub_viewer *viewer, const void *early, size_t early_size)
{
	struct note *note = note_new(NOTE_VIEW, domain);

	if (note && early_size > 0) {
		note->early = malloc(early_size);
		note->early_size = early_size;
		if (note->early)
			memcpy(note->early, early, early_size);
	}
	if (!note || (early_size > 0 && !note->early) || !room_take(hub)) {
		if (note)
			free(note->early);
		free(note);
		return false;
	}
	note->viewer = *viewer;
	if (note_leave(hub, note))
		return true;
	atomic_fetch_sub(&hub->viewers, 1);
	free(note->early);
	free(note);
	return false;
}

/* --- the hub's thread --- */

static struct console *console_find(struct console_hub *hub, const char *domain)
{
	struct console *console = hub->consoles;

	while (console && strcmp(console->domain, domain) != 0)
		console = console->next;
	if (!console) {
		console = console_new(hub->epoll, hub->dir, domain);
		if (console) {
			console->next = hub->consoles;
			hub->consoles = console;
		}
	}
	return console;
}

static void console_remove(struct console_hub *hub, struct console *console)
{
	struct console **link = &hub->consoles;
	char name[64];

	while (*link != console)
		link = &(*link)->next;
	*link = console->next;
	for (struct viewer *viewer = console->viewers; viewer; viewer = viewer->next) {
		websocket_close(viewer->ws, WEBSOCKET_GOING_AWAY, "the domain is deleted");
		websocket_work(viewer->ws);
	}
	atomic_fetch_sub(&hub->viewers, viewer_reap(console, true));
	console_hub_log_name(console->domain, name);
	unlinkat(hub->dir, name, 0);
	console_free(console);
}

/* false: the thread is to end. */
static bool note_take(struct console_hub *hub, struct note *note)
{
	struct console *console = note->kind == NOTE_END ? NULL : console_find(hub, note->domain);

	if (!console && note->fd >= 0)
		close(note->fd);
	if (!console && note->kind == NOTE_VIEW) {
		atomic_fetch_sub(&hub->viewers, 1);
		note->viewer.closed(note->viewer.user);
		free(note->early);
	}
	if (!console)
		return note->kind != NOTE_END;
	if (note->kind == NOTE_ATTACH)
		console_attach(console, note->fd);
	else if (note->kind == NOTE_DETACH)
		console_detach(console);
	else if (note->kind == NOTE_STATE)
		console_set_state(console, note->state);
	else if (note->kind == NOTE_REMOVE)
		console_remove(hub, console);
	else if (!viewer_add(console, &note->viewer, note->early, note->early_size, now_s())) {
		atomic_fetch_sub(&hub->viewers, 1);
		note->viewer.closed(note->viewer.user);
		free(note->early);
	}
	return true;
}

static bool notes_take(struct console_hub *hub)
{
	struct note *note;
	uint64_t count;
	bool go_on = true;

	if (read(hub->wake_fd, &count, sizeof(count)) < 0)
		return true;
	pthread_mutex_lock(&hub->lock);
	note = hub->first;
	hub->first = NULL;
	hub->last = &hub->first;
	pthread_mutex_unlock(&hub->lock);
	while (note) {
		struct note *next = note->next;

		go_on = note_take(hub, note) && go_on;
		free(note);
		note = next;
	}
	return go_on;
}

/* After each round: nothing is freed while events of the same round may still name it. */
static void round_end(struct console_hub *hub)
{
	for (struct console *console = hub->consoles; console; console = console->next) {
		atomic_fetch_sub(&hub->viewers, viewer_reap(console, false));
		if (console->ended) {
			console->ended = false;
			hub->owner.lost(hub->owner.user, console->domain);
		}
	}
}

static void *hub_run(void *argument)
{
	struct console_hub *hub = argument;
	struct epoll_event events[64];
	int64_t ticked = now_s();
	bool notes = false;

	for (;;) {
		int count = epoll_wait(hub->epoll, events, 64, 1000);

		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;

			if (source->kind == SOURCE_CONSOLE)
				console_ready((struct console *)source, events[i].events);
			else if (source->kind == SOURCE_VIEWER)
				viewer_ready((struct viewer *)source, now_s());
			else
				notes = true;
		}
		if (notes && !notes_take(hub)) { /* last: notes may free consoles */
			for (struct console *c = hub->consoles; c; c = c->next)
				atomic_fetch_sub(&hub->viewers, viewer_reap(c, true));
			return NULL;
		}
		notes = false;
		if (now_s() != ticked) {
			ticked = now_s();
			for (struct console *c = hub->consoles; c; c = c->next)
				console_tick(c, ticked);
		}
		round_end(hub);
	}
}

struct console_hub *console_hub_new(int dir, const struct console_hub_owner *owner, struct error *e)
{
	struct console_hub *hub = calloc(1, sizeof(*hub));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = hub};

	if (!hub) {
		error_set(e, ERROR_INTERNAL, "Out of memory");
		return NULL;
	}
	hub->wake.kind = SOURCE_WAKE;
	hub->owner = *owner;
	hub->dir = dir;
	hub->last = &hub->first;
	pthread_mutex_init(&hub->lock, NULL);
	hub->epoll = epoll_create1(EPOLL_CLOEXEC);
	hub->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hub->epoll < 0 || hub->wake_fd < 0 ||
	    epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->wake_fd, &event) != 0 ||
	    pthread_create(&hub->thread, NULL, hub_run, hub) != 0) {
		error_set_errno(e, ERROR_INTERNAL, errno, "Cannot start the console hub");
		if (hub->epoll >= 0)
			close(hub->epoll);
		if (hub->wake_fd >= 0)
			close(hub->wake_fd);
		pthread_mutex_destroy(&hub->lock);
		free(hub);
		return NULL;
	}
	pthread_setname_np(hub->thread, "console");
	return hub;
}

/* Notes that came after the end. */
static void notes_drop(struct console_hub *hub)
{
	while (hub->first) {
		struct note *note = hub->first;

		hub->first = note->next;
		if (note->fd >= 0)
			close(note->fd);
		free(note);
	}
}

void console_hub_shut(struct console_hub *hub)
{
	if (hub->shut)
		return;
	note_leave(hub, note_new(NOTE_END, ""));
	pthread_join(hub->thread, NULL);
}

void console_hub_free(struct console_hub *hub)
{
	if (!hub)
		return;
	console_hub_shut(hub);
	notes_drop(hub);
	while (hub->consoles) {
		struct console *console = hub->consoles;

		hub->consoles = console->next;
		console_free(console);
	}
	close(hub->epoll);
	close(hub->wake_fd);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
