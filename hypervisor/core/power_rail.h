/* Inside core/power: the one structure, shared by power.c (orders, questions, the timer) and power_rail.c (the steps). */
#ifndef CORE_POWER_RAIL_H
#define CORE_POWER_RAIL_H
#include "core/power.h"
#include "core/time.h"

#define NO_RAIL 0xff

struct power {
	struct lock lock; /* all of this; before a domain's memory lock */
	const struct power_backend *backend;
	bool armed; /* the timer is set */
	struct timer timer;
	unsigned count, resources, ranges;
	unsigned job;		/* index of the rail in work; NO_RAIL: none */
	unsigned cursor;	/* next of its resources */
	bool again;		/* the reading that failed was tried once more */
	int error;		/* the first of the job */
	int step_error;		/* the first of the step */
	enum power_level level; /* what the job has read so far */
	struct rail rail[RAIL_MAX];
	uint16_t resource[RAIL_RESOURCES];
	struct power_range range[RAIL_RANGES];
	uint8_t rail_of[POWER_RESOURCE_IDS];
};
#define POWER_ORDER 3
_Static_assert(sizeof(struct power) <= PAGE_SIZE << POWER_ORDER, "its heap pages");
_Static_assert(RAIL_MAX <= NO_RAIL, "an index is a byte");

extern struct power *power; /* NULL: no backend */

/* The resources lie in the partition of a domain that is not the owner (any more). */
static inline bool rail_has_gone(const struct rail *r)
{
	return r->home != POWER_OURS && r->home != r->place;
}
/* Shows the registers to the driver, at their machine address, or takes them away. 0, or the error of the first that failed. */
int rail_map(const struct rail *r, uint16_t driver, bool map);
/* On its way on. */
bool rail_going_on(const struct rail *r);
/* power_rail.c. Power's lock held. */
void rail_enter(struct rail *r, enum rail_step step);
/* One move of power->job. -EAGAIN: the backend is at it; else it made a step, or an operation of one, and the rail's `step` tells. */
int rail_move(struct rail *r);

#endif
