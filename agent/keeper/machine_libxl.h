#ifndef DOMUS_KEEPER_MACHINE_LIBXL_H
#define DOMUS_KEEPER_MACHINE_LIBXL_H

/*
 * The real machine's inside: libxl, and what it is split into.
 *   machine_libxl.c          opening, actions on a domain
 *   machine_libxl_context.c  contexts, handles of Xen
 *   machine_libxl_info.c     board and list of domains
 *   machine_libxl_board.c    devices and cores
 *   machine_libxl_create.c   building a domain
 *   machine_libxl_own.c      which domains are ours, their events
 *   machine_libxl_loop.c     volumes as block devices
 *   machine_libxl_hotplug.c  keeper as libxl's hotplug script
 *   machine_libxl_console.c  consoles
 *   machine_libxl_fork.c     when libxl may fork
 *
 * libxl holds a context's lock while it builds a domain, so each call takes a context of its own from a pool; one more
 * belongs to the event thread. They share libxl's SIGCHLD handler, hence the selective reaping (libxl_event.h).
 *
 * Which domains are ours is kept in xenstore, /tool/domus/UUID = "STATE NAME", which lives exactly as long as the domains
 * do: written "building" before the domain exists and "killing" before it goes, so a keeper that dies in between leaves a
 * trace that the next one cleans up by. A domain is ours when its UUID has such a record.
 *
 * Lock order: own.lock, then libxl's own locks, then the one of quiet_begin(). pool.lock is a leaf.
 */
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <pthread.h>
#include <stdbool.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "keeper/machine.h"

/* A libxl context, and the first error that libxl logged while it was in use. */
struct context {
	struct xentoollog_logger logger; /* first: libxl hands back a pointer to it */
	libxl_ctx *ctx;
	char error[160];
	struct context *next;
};

struct own {
	struct own *next;
	struct verbs_domain domain;
	uint32_t domid;
	bool busy; /* being built or killed: the worker that does it reports what comes of it */
	libxl_evgen_domain_death *death;
};

struct machine {
	machine_event_fn *event;
	void *event_context;
	char program[256];    /* keeper's own, absolute: libxl's hotplug script */
	struct xs_handle *xs; /* thread-safe by itself, xenstore.h */

	pthread_mutex_t pool_lock;
	struct context *pool;

	pthread_mutex_t own_lock;
	struct own *owns;
	struct context *events; /* of the event thread; libxl_evenable from others is allowed */

	pthread_mutex_t claim_lock; /* memory that domains being built will take */
	pthread_cond_t claim_changed;
	uint64_t claimed_kib;
};

/* machine_libxl_fork.c: between the two nobody forks; they may be nested. Around whatever opens or closes a handle of Xen. */
void quiet_begin(void);
void quiet_end(void);
pid_t fork_quietly(void *user);

/* machine_libxl_context.c */
struct context *context_new(struct error *e);
void context_free(struct context *c);
/* Connections of one's own to xenstore, which come and go only while nobody forks. NULL with errno when it does not answer. */
struct xs_handle *store_open(void);
void store_close(struct xs_handle *xs);
/* A handle for hypercalls of our own, opened in the same way; it stays until the process ends. NULL with errno. */
struct xencall_handle *call_open(void);
/* From the pool, to be given back. NULL with *e when libxl has none to give. */
struct context *context_take(struct machine *m, struct error *e);
void context_give(struct machine *m, struct context *c);
/* Turns libxl's return code into *e; what: "The domain x could not be paused". Returns -1. */
int context_fail(const struct context *c, int rc, struct error *e, const char *what,
		 const char *name);

/* machine_libxl_own.c; each takes own_lock itself */
enum record { RECORD_NONE, RECORD_BUILDING, RECORD_READY, RECORD_KILLING };
/* Cleans up after an earlier keeper, adopts what runs, starts the event thread. */
int own_start(struct machine *m, struct error *e);
int own_record(struct machine *m, const struct verbs_domain *d, enum record r, struct error *e);
/* The domid of a domain of ours that is neither being built nor killed, checked against the hypervisor; or -1. */
int64_t own_find(struct machine *m, struct context *c, const struct verbs_domain *d,
		 struct error *e);
/* Is a domain with this UUID ours, and is it being built or killed? Fills its name. */
bool own_identify(struct machine *m, struct verbs_domain *d, bool *busy);
/* A domain in the making: adds it, or ERROR_DOMAIN_EXISTS when name or UUID is taken. */
int own_add(struct machine *m, const struct verbs_domain *d, struct error *e);
/* It is made: from now on its end is reported. */
int own_watch(struct machine *m, const struct verbs_domain *d, uint32_t domid, struct error *e);
void own_set_busy(struct machine *m, const struct verbs_domain *d, bool busy);
/* It is gone, or was never finished: forgets it and its record. */
void own_remove(struct machine *m, const struct verbs_domain *d);
void own_report(struct machine *m, const struct verbs_domain *d, uint32_t domid,
		enum verbs_state state, enum verbs_reason reason);
enum verbs_reason reason_of(int shutdown_reason);
enum verbs_state state_of(const libxl_dominfo *info);

/* machine_libxl_loop.c: a block device over an open file. It vanishes by itself when its last user closes it. */
int loop_attach(int file, bool readonly, const char *name, char *path, size_t size,
		struct error *e);

#endif
