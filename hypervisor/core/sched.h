/* Who runs where. Issue 3: a pCPU has at most one vCPU and keeps its EL1 state loaded while it waits, so waiting is a loop at
 * EL2 and nothing is switched. Issue 4 replaces the inside of this file by a scheduler with weights, caps and pools. */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H
#include "core/vcpu.h"

/* The guest executed WFI (or CPU_SUSPEND): waits until the vCPU has something to do. Interrupts of the host are taken
 * meanwhile. Returns at once when a deliverable interrupt is pending. */
void sched_block(struct vcpu *v);
/* As sched_block(), but ends at counter value `deadline` at the latest; false when it did. SCHEDOP_poll. `ready` is asked
 * again after every interrupt and may be NULL. */
bool sched_block_until(struct vcpu *v, uint64_t deadline, bool (*ready)(struct vcpu *));
/* WFE, SCHEDOP_yield: gives others a turn. */
void sched_yield(struct vcpu *v);
/* The slow half of the way to the guest: called by entry.S's exit path when v->work is not 0, until it is 0. */
void vcpu_work(struct vcpu *v, struct frame *f);
/* The domain may run for the first time: its vCPUs get pCPUs. 0, or -EBUSY when there are none left. */
int sched_start(struct domain *d);
/* v's domain is DYING: takes v off its pCPU for good. True when that is done: no CPU runs it, has its state loaded or will look
 * at it for a timer; false: ask again soon. Only from domain_kill. */
bool sched_retire(struct vcpu *v);
/* What a pCPU does for life once it is up. */
void sched_run(void) __attribute__((noreturn));

/* Set by guest/ (link-time seam, no call upwards in the source): */
struct sched_hooks {
	void (*enter)(struct vcpu *v);	     /* WORK_IRQ, WORK_VGIC: fill list registers */
	bool (*irq_pending)(struct vcpu *v); /* would an interrupt be delivered, PSTATE.I aside? Reads list registers */
	void (*timer)(struct vcpu *v);	     /* WORK_TIMER */
	void (*block)(struct vcpu *v);	     /* before a wait: look at the timers' state */
	void (*reset)(struct vcpu *v);	     /* vcpu_start(): virtual interrupt controller and timers of v as after reset;
					      * runs on v's own pCPU */
};
extern const struct sched_hooks *sched_hooks;

#endif
