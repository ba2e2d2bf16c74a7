/* How long the hypervisor keeps the CPU that this vCPU has for itself. */
#ifndef HOLD_H
#define HOLD_H
#include "bare.h"

#define HOLD_CLASSES 24

struct hold {
	uint64_t looks, ticks,
		longest; /* how often it looked at the counter, in which time; longest time between two looks */
	uint64_t count
		[HOLD_CLASSES]; /* [n]: times of 2^n ticks to 2^(n+1) - 1, but those of the loop itself */
};

/* Looks at the counter without a pause for `ticks`, with a timer interrupt of its own every `period` ticks (0: none). Does nothing
 * else, so all time that is missing was the hypervisor's. own: no more ticks than the loop itself takes at most. */
void hold_measure(struct hold *h, uint64_t ticks, uint64_t period, uint64_t own);
#endif
