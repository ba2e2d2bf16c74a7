/* A guest's timers. CNTV is the machine's own: the guest programs it without a trap. Its interrupt comes to EL2, which drops its
 * priority, leaves it active and hands it to the guest in a list register with HW=1: the guest's deactivation ends it in the
 * machine, and a line that is still up raises it again. CNTP traps and is a deadline on the hypervisor's timer. */
#ifndef GUEST_VTIMER_H
#define GUEST_VTIMER_H
#include "arch/guest_timer.h"
#include "core/time.h"
#include "core/vcpu.h"

enum vtimer_register { VTIMER_TVAL, VTIMER_CTL, VTIMER_CVAL }; /* as op2 of CNTP_<x>_EL0 */

struct vtimer_vcpu {
	struct vcpu *vcpu;
	struct timer
		timer; /* set while CNTP counts towards its condition and its registers are on a CPU */
	uint64_t ctl, cval;	 /* CNTP_CTL without ISTATUS, CNTP_CVAL */
	struct guest_timer cntv; /* while its registers are on no CPU */
};

/* INTIDs, the same for the machine and for Dom0: from the tree's arm,armv8-timer node, else 27 and 30. */
extern unsigned vtimer_virtual_ppi, vtimer_physical_ppi;
void vtimer_init(const void *fdt);
/* Each CPU, once: trap controls and CNTV's interrupt. 0 or irq_register()'s error. */
int vtimer_cpu_init(void);

/* CNTP_*_EL0 of the vCPU that runs on this CPU. */
uint64_t vtimer_read(struct vcpu *v, enum vtimer_register r);
void vtimer_write(struct vcpu *v, enum vtimer_register r, uint64_t value);
void vtimer_reset(struct vcpu *v); /* both timers off; on v's own pCPU */
/* Lines that are up, of a vCPU between vtimer_leave() and vtimer_arrive(): bit = INTID. */
uint32_t vtimer_lines(const struct vcpu *v);
/* sched_hooks.leave: the earliest counter value at which one of the timers will interrupt, ~0: none; and arrive. */
uint64_t vtimer_leave(struct vcpu *v);
void vtimer_arrive(struct vcpu *v);

#endif
