/* Who runs where: the mechanism under the policy of core/credit.h. docs/hypervisor.md has the shape.
 *
 * A pCPU has one stack, and switches on the way to the guest only (WORK_STOP in v->work): there the guest's frame lies on top of
 * the stack and nothing of the hypervisor is in between. So nothing here waits: what blocks a vCPU says so and returns, and the
 * vCPU stops when its trap is done.
 *
 *  vcpu.run      waits in a pool's list   is                       leaves by
 *  OFFLINE       no                       off (PSCI)               vcpu_start: BLOCKED, then sched_wake
 *  BLOCKED       no                       waiting for something,   sched_wake, when there is nothing left to wait for: RUNNABLE
 *                                         paused, or shut
 *  RUNNABLE      yes                      waiting for a pCPU       the scheduler of a pCPU: RUNNING
 *  RUNNING       no                       on vcpu.cpu              the same scheduler: any
 *
 * A pCPU that has nothing to run keeps the registers of what it ran last, so that a vCPU which is alone loses nothing by waiting. */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H
#include "core/vcpu.h"

/* The guest executed WFI (or CPU_SUSPEND): v stops when its trap is done, until it has something to do. Nothing happens when a
 * deliverable interrupt is pending. For the vCPU that runs here, as the next two. */
void sched_block(struct vcpu *v);
/* SCHEDOP_poll: the same, but interrupts that are pending do not count, and it ends at counter value `deadline` (~0: never). */
void sched_block_until(struct vcpu *v, uint64_t deadline);
/* WFE, SCHEDOP_yield: gives others a turn. */
void sched_yield(struct vcpu *v);

/* This CPU (-1: none) shall ask the policy again: it may be in another pool, or something may have come for it. */
void sched_ask(int cpu);
/* For vcpu_kick(): v may have become runnable. Any CPU; takes the pool's lock. */
void sched_wake(struct vcpu *v);
/* A vCPU whose registers are in v->state becomes OFFLINE, or stops being it: its domain's state and pauses say the rest. */
void sched_set_online(struct vcpu *v, bool on);
/* For a domain that is DYING (none of its vCPUs may run): true when no CPU runs v, holds its registers or has a deadline of it,
 * for good. False: ask again, it will not be long. Not with locks held. */
bool sched_retire(struct vcpu *v);
/* True when v runs nowhere and its registers are in v->state, which holds as long as it is paused. Else asks for that. */
bool sched_parked(struct vcpu *v);

/* The affinity of v, in CPUs: `hard` must have one of the pool's, else -EINVAL. Who runs on a wrong one leaves it soon. */
int sched_set_affinity(struct vcpu *v, uint32_t hard, uint32_t soft);
/* Weight 1..65535; cap in percent of one CPU, at most 100 for each CPU, 0: none. -EINVAL. */
int sched_set_domain(struct domain *d, unsigned weight, unsigned cap);
/* Nanoseconds that v ran so far, the present slice included. */
uint64_t sched_run_ns(const struct vcpu *v);

/* From now on v's runstate_info stands in the guest's memory at at[0] (`first` bytes) and at[1], and is true whenever one of its vCPUs
 * looks: as long as the caller keeps the pages. at[0] NULL: no more. */
void sched_tell(struct vcpu *v, void *const at[2], uint32_t first);

/* The slow half of the way to the guest: called by entry.S's exit path when v->work is not 0. Afterwards f may be another vCPU's. */
void vcpu_work(struct vcpu *v, struct frame *f);
/* What a pCPU does for life once it is up. */
void sched_run(void) __attribute__((noreturn));
/* Handler of SGI_KICK. */
void sched_kicked(unsigned intid, void *arg);

/* Set by guest/ (link-time seam, no call upwards in the source). All for the vCPU whose registers are on this CPU: */
struct sched_hooks {
	void (*enter)(struct vcpu *v); /* WORK_IRQ, WORK_VGIC: fill list registers */
	bool (*irq_pending)(
		struct
		vcpu *v); /* would an interrupt be delivered, PSTATE.I aside? Reads list registers */
	void (*timer)(struct vcpu *v); /* WORK_TIMER */
	void (*reset)(
		struct
		vcpu *v); /* vcpu_start(): as arrive, but the CPU interface and the timers are as after reset */
	void (*arrive)(struct vcpu *v); /* its registers were loaded: interrupts and timers too */
	uint64_t (*leave)(
		struct
		vcpu *v); /* they go to memory. When a timer of the guest has to be served (counter; ~0: never) */
};
extern const struct sched_hooks *sched_hooks;

#endif
