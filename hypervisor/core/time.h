/* Time in ticks of the system counter, and deadlines. */
#ifndef CORE_TIME_H
#define CORE_TIME_H
#include "core/cpu.h"

extern uint64_t time_frequency; /* Hz, from CNTFRQ_EL0 or the device tree */
extern uint64_t time_boot;	/* counter when the hypervisor started */

/* Nanoseconds since the hypervisor started (Xen's system time). */
uint64_t time_ns(void);
uint64_t time_ns_of(uint64_t counter);
uint64_t time_ticks_of_ns(uint64_t ns);	   /* a duration; rounds up, saturates */
uint64_t time_ns_of_ticks(uint64_t ticks); /* a duration */

/* Sets it on this CPU, wherever it was set before. Not by two CPUs at once. */
void timer_set(struct timer *t, uint64_t deadline);
/* Fine when not set. On any CPU: when it returns, its function does not run and will not. No lock may be held that the function
 * takes. */
void timer_cancel(struct timer *t);
/* This CPU goes off: its deadlines are `to`'s from now on. */
void timer_give_away(struct cpu *to);
/* Another CPU may have given this one deadlines. */
void timer_rearm(void);
/* Once on each CPU: registers CNTHP's interrupt. */
void time_cpu_init(void);
/* Boot: frequency, and the INTID of the hypervisor's timer (usually 26). */
void time_init(const void *fdt);

#endif
