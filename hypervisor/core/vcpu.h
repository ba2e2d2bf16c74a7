/* A virtual CPU, and the marks by which the lower floors tell guest/ what to do on the way to the guest.
 *
 * "Down as calls, up as state." Whoever below wants a virtual interrupt for a vCPU calls vcpu_mark_irq(); that sets a bit and a
 * flag in `work`, and kicks the pCPU if the vCPU runs elsewhere. The exit path tests the one word `work`: when it is 0, the
 * guest goes on with nothing of ICH_* or a timer read or written. When it is not, vcpu_work() (core/sched.c) runs the handlers:
 *   WORK_IRQ    -> vgic_enter(): takes the marks (vcpu_take_marks) and fills list registers
 *   WORK_VGIC   -> vgic_enter() too: set by vgic itself when it wants to be called (list registers to refill, ...)
 *   WORK_STOP  -> the scheduler is asked: the vCPU may have to stop, or let another one run
 *   WORK_TIMER  -> vtimer_enter(): guest/vtimer asked for it */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H
#include "arch/vcpu_state.h"
#include "core/cpu.h"
#include "core/credit.h"
#include "core/domain.h"

struct vgic_vcpu;   /* guest/vgic.c */
struct vtimer_vcpu; /* guest/vtimer.c */
struct xen_vcpu;    /* xen/, core/event: vcpu_info, runstate area, ... */

#define WORK_IRQ   1u
#define WORK_VGIC  2u
#define WORK_TIMER 4u
#define WORK_STOP  8u

#define IRQ_MARK_WORDS 16 /* 1024 INTIDs: SGI 0-15, PPI 16-31, SPI 32-1019 */

/* What a guest is told of a vCPU's time: struct vcpu_runstate_info of xen/vcpu.h. Times are nanoseconds. */
enum runstate { RUN_RUNNING, RUN_RUNNABLE, RUN_BLOCKED, RUN_OFFLINE, RUN_STATES };
struct runstate_info {
	uint32_t state, pad;
	uint64_t since; /* bit 63: being changed */
	uint64_t time[RUN_STATES];
};

/* What PSCI says of it: one word, so that it is told as it was at one moment.
 *
 *  OFF      -> PENDING   an accepted CPU_ON (vcpu_start), or the tools
 *  PENDING  -> ON        a pCPU took its state up
 *  ON       -> OFF       its CPU_OFF, when its pCPU has let go of it */
enum vcpu_online { VCPU_OFF, VCPU_ON, VCPU_ON_PENDING };
enum vcpu_run { VCPU_OFFLINE, VCPU_RUNNING, VCPU_BLOCKED, VCPU_RUNNABLE }; /* core/sched.h has the table */

struct vcpu {
	struct domain *domain; /* entry.S and trap.c keep the hot fields in the first cache line */
	uint32_t work;	       /* WORK_*; set by anybody (atomic), cleared by its own pCPU */
	uint16_t id;	       /* index in domain->vcpu[] */
	uint8_t online;	       /* enum vcpu_online */
	enum vcpu_run run;
	struct cpu *cpu; /* the pCPU it runs on, or ran on last */
	struct vgic_vcpu *vgic;
	struct vtimer_vcpu *vtimer;
	struct xen_vcpu *xen;

	/* interrupts that became pending and guest/vgic has not taken over yet. `marked` has one bit for each word. */
	uint64_t marked;
	uint64_t mark[IRQ_MARK_WORDS];
	/* level of the lines of this vCPU's PPIs, bit = INTID (16..31). A line that is up stays pending until it goes down: vgic
	 * samples this when the guest ends the interrupt. Changed with vcpu_set_line(). */
	uint32_t lines;

	uint64_t restart[3];   /* arguments 0 to 2 of a hypercall that answered -ERESTART, see xen/hypercall.h */
	bool reset;	       /* state was set by vcpu_start(): CPU interface and timers start anew when it is loaded */
	uint32_t pauses;       /* vcpu_pause() count: by domctl or by core */
	enum runstate counted;	       /* what it does, for the clocks: since `counted_since`, and so many ticks before that */
	uint64_t counted_since;
	uint64_t ticks[RUN_STATES];
	void *told[2]; /* where the guest has its struct runstate_info, which may lie in two pages; NULL: nowhere */
	uint32_t told_first; /* bytes of it in the first one */

	/* core/sched.c; lock: the domain's pool's, but the flags that only the CPU sets on which it runs */
	struct credit_vcpu credit;
	bool blocked;	    /* waits for an interrupt or an event */
	bool yielding;	    /* others first, once */
	bool stopping;	    /* PSCI CPU_OFF: online until its CPU has let go of it */
	bool unload;	    /* its CPU shall put its registers into `state` */
	uint64_t wake_at;   /* SCHEDOP_poll: it waits no longer than that */
	struct timer sleep; /* wake_at; or when its registers are in `state`, also what its timers ask for */
	struct vcpu_state state;
};

/* The vCPU whose state this CPU holds. NULL on a CPU that has none. */
static inline struct vcpu *vcpu_current(void)
{
	return cpu_this()->vcpu;
}
/* Affinity value as the guest sees it: Aff0 = id & 15, Aff1 = id >> 4. */
static inline uint64_t vcpu_affinity(unsigned id)
{
	return (id & 15) | (uint64_t)(id >> 4) << 8;
}

int vcpu_create(struct domain *d, unsigned id, struct cpu *on, struct vcpu **out);
/* For vcpu_create's failure and the end of a domain: units' vcpu_destroy, memory. */
void vcpu_destroy(struct vcpu *v);

/* A virtual interrupt became pending (edge) or its line went up: any INTID, any CPU, interrupts masked or not, no locks
 * needed. Marks and kicks. An offline vCPU keeps the mark. */
void vcpu_mark_irq(struct vcpu *v, unsigned intid);
/* The line of PPI `intid` (16..31) of this vCPU. Up: marks it as vcpu_mark_irq() does. Down: only the level changes. */
void vcpu_set_line(struct vcpu *v, unsigned intid, bool up);
/* For vgic: takes the next word of marks. Returns false when none is left; else *first is the INTID of bit 0 of *bits. */
bool vcpu_take_marks(struct vcpu *v, unsigned *first, uint64_t *bits);
/* Asks for vcpu_work() on v's next way to the guest, and makes that soon if v runs on another CPU now. */
void vcpu_kick(struct vcpu *v, uint32_t work);
/* Another thing than an interrupt ended a wait (poll timeout, unpause): same as vcpu_kick(v, 0) plus leaving BLOCKED. */
void vcpu_wake(struct vcpu *v);

/* PSCI CPU_ON and CPU_OFF, and VCPUOP up/down. vcpu_start: resets the state of the CPU if it was VCPU_OFF; what it was.
 * vcpu_stop: for the calling vCPU; it stops on its way out. */
enum vcpu_online vcpu_start(struct vcpu *v, uint64_t entry, uint64_t x0);
void vcpu_stop(struct vcpu *v);
/* Something waits for the CPU that runs v's hypercall: a long one stops here and goes on later. */
bool vcpu_should_yield(struct vcpu *v);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);

#endif
