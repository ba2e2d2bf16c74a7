#ifndef DOMUS_KEEPER_HARDWARE_H
#define DOMUS_KEEPER_HARDWARE_H

/*
 * The board's devices and their gates, as rails.c sees them: what is there, what a gate reads, how it is switched. No
 * policy lives below this line. hardware_board.c is the real one (sysfs, device tree), machine_sim_board.c a simulated one.
 *
 * rails.c calls one function at a time. All may block, for milliseconds to a few seconds.
 */
#include <stdbool.h>

#include "common/error.h"
#include "common/verbs.h"

#define HARDWARE_MAX 512 /* devices of one board: what a hostile tree can make us keep */

struct inventory {
	unsigned count;
	struct verbs_device devices[HARDWARE_MAX];
};

/* The next free place, zeroed, with id and kind; NULL when the inventory is full or has the id already. */
struct verbs_device *inventory_add(struct inventory *i, const char *id, enum verbs_kind kind);

struct hardware {
	/*
	 * Everything there is, power and contents read back; in any order. Fills of struct verbs_device what describes
	 * the device, and leaves holder, since_ns, cause and kept alone.
	 */
	int (*scan)(struct hardware *h, struct inventory *out, struct error *e);
	/*
	 * Reads d->power again and, if contents and it is on, d's contents; they are left alone else. A gate that does
	 * not answer is UNKNOWN, d->error why. Quick: it is done once a second for each switch.
	 */
	void (*read)(struct hardware *h, struct verbs_device *d, bool contents);
	/*
	 * Throws the switch, with all that belongs before it (drivers and interfaces let go of the device) and after it
	 * (the device is looked for). 0 says only that nothing went wrong on the way: rails.c reads back.
	 */
	int (*set)(struct hardware *h, const struct verbs_device *d, bool on, struct error *e);
	/* A disk of a content's node, open for a domain and not used by Dom0. The caller closes it. */
	int (*disk_open)(struct hardware *h, const char *node, bool readonly, struct error *e);
	/* Makes a bridge whose one port is the network interface of a content's node; set(off) removes it. */
	int (*uplink_make)(struct hardware *h, const char *node, char bridge[VERBS_BRIDGE_MAX + 1],
			   struct error *e);
	/* Readable when something came or went; drained by scan. -1: there is no such thing. */
	int changed;
};

#endif
