/* What core/power and guest/vscu need of the lower floors, for the host tests: which registers a domain sees, timers. */
#ifndef FAKE_POWER_MACHINE_H
#define FAKE_POWER_MACHINE_H
#include "core/time.h"

extern uint64_t
	fake_mapped[64]; /* bases of the ranges that are mapped, Dom0's and DomUs' alike; 0: free */
extern unsigned fake_mapped_by[64]; /* domain ids */
extern int fake_unmap_error;	    /* what the next unmapping says */
extern int fake_affinity[MAX_CPUS]; /* what the firmware says of each core (PSCI AFFINITY_INFO) */
bool fake_is_mapped(unsigned domain, uint64_t base);
bool fake_timer_is_set(void);
/* Lets timers fire, one after the other, until none is set, `most` times at most; how often one did. */
unsigned fake_timer_run(unsigned most);

#endif
