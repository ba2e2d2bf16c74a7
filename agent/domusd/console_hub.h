#ifndef DOMUSD_CONSOLE_HUB_H
#define DOMUSD_CONSOLE_HUB_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One thread that owns every guest's console: it reads them into a ring and a log file and passes bytes between them
 * and any number of viewers (WebSockets). A console outlives its domain's reboots and its viewers. What a guest prints
 * is hostile: reading is limited to CONSOLE_HUB_RATE, memory to the ring, disk to CONSOLE_LOG_MAX. A viewer that the ring
 * has overtaken is cut. While a viewer reads briskly the guest is held back before that happens; a slow one is never
 * waited for. All functions may be called from any thread and
 * only leave a note for the hub's thread, in order.
 */
#define CONSOLE_HUB_VIEWERS_MAX  64                        /* of all consoles */
#define CONSOLE_HUB_RATE         ((size_t)4 * 1024 * 1024) /* bytes a second read from one guest */
#define CONSOLE_HUB_INPUT_MAX    ((size_t)64 * 1024)       /* typed, not yet taken by the guest */
#define CONSOLE_HUB_PING_S       30                        /* between pings to a viewer */
#define CONSOLE_HUB_SILENCE_S    90                        /* without a sign of life a viewer is cut */

struct console_hub;

struct console_hub_owner {
	/* The console's descriptor ended although nobody detached it (xenconsoled died, or the domain did). */
	void (*lost)(void *user, const char *domain);
	void *user;
};

/* What a viewer's descriptor came from. closed is called once, on the hub's thread, when the hub is done with it; the
 * hub does not close the descriptor itself (MHD owns it). */
struct console_hub_viewer {
	int fd;
	void (*closed)(void *user);
	void *user;
};

/* Starts the thread; log files are made in directory `dir` (borrowed, must stay open). NULL and *e. */
struct console_hub *console_hub_new(int dir, const struct console_hub_owner *owner,
				    struct error *e);
/* Cuts every viewer and ends the thread; when it returns every closed() has been called and no viewer is taken any more.
 * Once, before MHD stops. */
void console_hub_shut(struct console_hub *hub);
/* Shuts it if need be, and frees. NULL is fine. */
void console_hub_free(struct console_hub *hub);

/* A guest's console; the hub takes the descriptor. It replaces the one before. */
void console_hub_attach(struct console_hub *hub, const char *domain, int fd);
/* The domain has ended: what is left in the descriptor is read, then it is closed. */
void console_hub_detach(struct console_hub *hub, const char *domain);
/* Tells the viewers, now and later ones, the domain's state. */
void console_hub_state(struct console_hub *hub, const char *domain, const char *state);
/* The domain is deleted: viewers are cut and the log is removed. */
void console_hub_remove(struct console_hub *hub, const char *domain);

/* Takes an upgraded connection; `early` is what the peer sent right after its request (copied). false: too many viewers
 * or no memory; closed is then not called. */
bool console_hub_view(struct console_hub *hub, const char *domain,
		      const struct console_hub_viewer *viewer, const void *early, size_t early_size);
/* Is there room for one more? A hint, for an error before the upgrade. */
bool console_hub_has_room(struct console_hub *hub);

/* Name of a domain's log file in `dir`. */
void console_hub_log_name(const char *domain, char name[64]);

#endif
