/* The guest's virtual timer (CNTV) on this CPU: the guest programs it itself, EL2 takes its interrupt. Arm ARM D11. */
#ifndef ARCH_GUEST_TIMER_H
#define ARCH_GUEST_TIMER_H
#include "lib/types.h"

/* Once on each CPU: the guest may read both counters; CNTP_* traps. */
void guest_timer_cpu_init(void);
/* CNTV off; the virtual counter is the machine's minus offset. */
void guest_timer_reset(uint64_t offset);
/* CNTV's line: enabled, not masked, condition met. */
bool guest_timer_line(void);
/* CNTV as another vCPU's turn finds and leaves it: out of this CPU (the line is down then), and into it. */
struct guest_timer {
	uint64_t ctl, cval;
};
void guest_timer_save(struct guest_timer *t);
void guest_timer_load(const struct guest_timer *t, uint64_t offset);

#endif
