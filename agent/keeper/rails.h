#ifndef DOMUS_KEEPER_RAILS_H
#define DOMUS_KEEPER_RAILS_H

/*
 * Who may have power, and whether it does: docs/power.md. A rail is on if and only if a domain that lives holds it, or the
 * policy keeps it on, or the appliance itself needs it. What is on is what was read back.
 *
 * Level-triggered: a thread compares every rail with this rule, at each uevent and once a second, and corrects; so a
 * missed event, a crash of keeper in the middle, or somebody else's hand is made good. The record (one small file in
 * memory, written before a switch is thrown) tells the next keeper who held what.
 *
 * Locks: `gates` is held over each call of the hardware, `lock` guards the list and is never held over a call of hardware
 * or machine. Order: gates, the machine's own, lock.
 */
#include <stdbool.h>

#include "common/error.h"
#include "common/verbs.h"
#include "keeper/hardware.h"

struct rails;

/* Called from any thread, also with locks held: it must only queue. */
typedef void rails_event_fn(void *context, const struct verbs_device_event *event);
/* Does the domain live (is built, runs or is paused)? 1, 0, or -1: the hypervisor does not say. May block. */
typedef int rails_alive_fn(void *context, const struct verbs_domain *d);

struct rails_user {
	rails_event_fn *event;
	void *event_context;
	rails_alive_fn *alive;
	void *alive_context;
};

/*
 * Reads the board and the record (a path; NULL: none), switches off what nobody alive holds, starts the thread. What could
 * not be switched off is a fault of that rail, not an error here.
 */
int rails_open(struct hardware *h, const char *record, const struct rails_user *user,
	       struct rails **out, struct error *e);
/* Leaves every rail as it is. */
void rails_close(struct rails *r);

/* Verbs. */
int rails_list(struct rails *r, const char *after, struct verbs_devices_response *out,
	       struct error *e);
int rails_read(struct rails *r, const char *id, struct verbs_device *out, struct error *e);
int rails_set(struct rails *r, const char *id, bool on, struct verbs_device *out, struct error *e);

/*
 * The devices of a domain that is about to be created: all are its own and on, or -1 and none is. Then either
 * rails_settle() when the domain lives, or rails_release().
 */
int rails_claim(struct rails *r, const struct verbs_create_request *request, struct error *e);
void rails_settle(struct rails *r, const struct verbs_domain *d);
/* Switches off what d holds; back when that is read back, or has become a fault. Nothing held: nothing done. */
void rails_release(struct rails *r, const struct verbs_domain *d);
/* The same, left to the thread: does not block. */
void rails_ended(struct rails *r, const struct verbs_domain *d);

/*
 * Of a device that d's claim switched on: waits until what is plugged in has shown up (20 s at most), then opens its disk,
 * or makes a bridge of its own for its network interface. pointer: of the definition, for the error.
 */
int rails_disk(struct rails *r, const char *id, bool readonly, const char *pointer,
	       struct error *e);
int rails_uplink(struct rails *r, const char *id, char bridge[VERBS_BRIDGE_MAX + 1],
		 const char *pointer, struct error *e);

#endif
