/* The guest's virtual timer (CNTV) on this CPU: the guest programs it itself, EL2 takes its interrupt. Arm ARM D11. */
#ifndef ARCH_GUEST_TIMER_H
#define ARCH_GUEST_TIMER_H
#include "lib/types.h"

/* Once on each CPU: the guest may read both counters; CNTP_* traps. */
void guest_timer_cpu_init(void);
/* CNTV off; the virtual counter is the machine's minus offset. */
void guest_timer_reset(uint64_t offset);
/* Sets CNTV_CTL.IMASK: the line goes down until the guest programs the timer again. */
void guest_timer_mask(void);

/* Another vCPU gets this CPU's CNTV: takes its control and compare value, and turns it off. / Puts them back. */
void guest_timer_save(uint64_t *ctl, uint64_t *cval);
void guest_timer_load(uint64_t offset, uint64_t ctl, uint64_t cval);

#endif
