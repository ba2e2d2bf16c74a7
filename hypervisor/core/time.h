/* Time in ticks of the system counter, and deadlines. */
#ifndef CORE_TIME_H
#define CORE_TIME_H
#include "core/cpu.h"

extern uint64_t time_frequency; /* Hz, from CNTFRQ_EL0 or the device tree */
extern uint64_t time_boot;	/* counter when the hypervisor started */

/* Nanoseconds since the hypervisor started (Xen's system time). */
uint64_t time_ns(void);
uint64_t time_ns_of(uint64_t counter);
uint64_t time_ticks_of_ns(uint64_t ns); /* a duration; rounds up, saturates */
uint64_t time_ns_of_ticks(uint64_t ticks); /* a duration */

/* A deadline on the CPU that set it. Memory belongs to the caller and stays while it is set. */
struct timer {
	struct timer *next;
	uint64_t deadline;	  /* counter value */
	void (*fire)(void *arg); /* on the CPU that set it, interrupts masked; may set it again */
	void *arg;
	struct cpu *cpu; /* non-NULL while set */
};
/* Sets (or moves) it on this CPU. Must not be set on another CPU. */
void timer_set(struct timer *t, uint64_t deadline);
/* Fine when not set. Only on the CPU that set it. */
void timer_cancel(struct timer *t);
/* Once on each CPU: registers CNTHP's interrupt. */
void time_cpu_init(void);
/* Boot: frequency, and the INTID of the hypervisor's timer (usually 26). */
void time_init(const void *fdt);

#endif
