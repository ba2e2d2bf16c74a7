#ifndef DOMUSD_CONSOLE_HUB_INTERNAL_H
#define DOMUSD_CONSOLE_HUB_INTERNAL_H

/* Shared by console_hub.c (thread, notes), console_hub_console.c (one console) and console_hub_viewer.c (its viewers).
 * Everything here belongs to the hub's thread. */
#include "domusd/console_hub.h"
#include "domusd/console_hub_log.h"
#include "domusd/console_hub_ring.h"
#include "domusd/websocket.h"

#include <stdint.h>

#define CONSOLE_CHUNK ((size_t)16 * 1024) /* bytes that are moved at once */

enum source_kind { SOURCE_WAKE, SOURCE_CONSOLE, SOURCE_VIEWER };

struct console;

/* First member of everything that is registered with epoll. */
struct source {
	enum source_kind kind;
};
/* epoll_ctl(). */
void source_watch(int epoll, int operation, int fd, uint32_t events, void *source);

struct viewer {
	struct source source;
	struct viewer *next;
	struct console *console;
	struct console_hub_viewer peer;
	struct websocket *ws;
	unsigned char *early; /* received before the upgrade, not yet read */
	size_t early_size, early_at;
	uint64_t position; /* in the ring */
	int64_t heard_s;   /* when it last sent anything */
	bool dead; /* nothing is sent to it any more; to be freed after this round, or when it has left */
	bool leaving;	 /* dead, and waited for until it hangs up */
	bool held;	 /* not read from: the guest does not take its input */
	uint64_t ticked; /* position at the last tick */
	unsigned
		lazy; /* ticks in a row in which it read little; below LAZY_MAX the guest is held back for it */
};

struct console {
	struct source source;
	struct console *next;
	struct viewer *viewers;
	char domain[41];
	char state[16];
	int epoll;
	int fd; /* -1 while the domain does not run */
	struct console_ring ring;
	struct console_log log;
	unsigned char *input; /* CONSOLE_HUB_INPUT_MAX bytes, made at the first key */
	size_t input_size;
	size_t allowance; /* bytes that may still be read in this second */
	bool waiting;	  /* not read from: a brisk viewer is about to be overtaken */
	bool ended;	  /* the descriptor ended by itself; the owner is to be told */
};

/* NULL without memory; a log that cannot be opened is only missing. */
struct console *console_new(int epoll, int dir, const char *domain);
void console_free(struct console *console);
void console_attach(struct console *console, int fd);
void console_detach(struct console *console);
/* epoll said something about the console's descriptor. */
void console_ready(struct console *console, uint32_t events);
void console_set_state(struct console *console, const char *state);
/* Once a second: refills allowances, pings every CONSOLE_HUB_PING_S, cuts the silent. */
void console_tick(struct console *console, int64_t now_s);
/* Keys for the guest; lost when it is stopped or crashed. console_has_room() was asked before they were read. */
void console_input(struct console *console, const void *data, size_t size);
/* May a viewer's next bytes be read? */
bool console_has_room(const struct console *console);
/* A viewer may have caught up: the console is read again if no other has to be waited for. */
void console_go_on(struct console *console);

/* Adds a viewer; takes `early` (malloc). false without memory: nothing is taken. */
bool viewer_add(struct console *console, const struct console_hub_viewer *peer,
		unsigned char *early, size_t early_size, int64_t now_s);
/* epoll said something about the viewer's descriptor, or its console has room again. */
void viewer_ready(struct viewer *viewer, int64_t now_s);
/* Gives the viewer what the ring has for it, as long as it takes it. */
void viewer_push(struct viewer *viewer);
/* Sends the console's state; not to a dead one. */
void viewer_tell_state(struct viewer *viewer);
/* Once a second. */
void viewer_tick(struct viewer *viewer, int64_t now_s);
/* Would the console's next read overtake a viewer that does read? */
bool viewer_would_be_overtaken(const struct console *console);
/* Frees the dead viewers of a console that have left (all of them if `all`); returns how many. */
unsigned viewer_reap(struct console *console, bool all);

#endif
