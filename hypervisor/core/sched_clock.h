/* How long a vCPU ran, waited, slept, was off: for core/sched.c, which knows when that changes. */
#ifndef CORE_SCHED_CLOCK_H
#define CORE_SCHED_CLOCK_H
#include "core/vcpu.h"

/* From now on v does `as`, also in the runstate_info that its guest may read. The pool is locked. */
void sched_count(struct vcpu *v, enum runstate as);

#endif
