/* The GICv3 that a guest sees. Six files: vgic.c (life, marks, SGIs), vgic_lr.c (list registers), vgic_states.c (what others
 * know of those), vgic_cpu.c (the CPU interface, where it traps), vgic_mmio.c (frames of registers), vgic_registers.c (those that
 * there are for each interrupt).
 *
 * Interrupts live in banks of 32: bank 0 is private to each vCPU (SGIs and PPIs), bank n holds the SPIs 32n to 32n+31 of the
 * domain. Every property is one bitmap, so a register of 32 interrupts is one word and nothing is ever searched for. */
#ifndef GUEST_VGIC_H
#define GUEST_VGIC_H
#include "core/vcpu.h"
#include "drivers/gicv3.h"
#include "lib/lock.h"

#define VGIC_BANK_BITS 32u
#define VGIC_BANKS     32u /* bank 0 and 31 of SPIs: INTIDs up to 1019 */
#define VGIC_LRS       16u
#define VGIC_NO_TARGET 0xff	/* GICD_IROUTER names no vCPU: the interrupt stays pending */
#define VGIC_REDIST    0x20000u /* RD_base and SGI_base of one vCPU */

/* One interrupt, bit by bit. "Loaded" moves pending and active into a list register and back:
 *
 *  pending  active  loaded  meaning
 *     0        0       0    idle
 *     1        0       0    latched: an edge, software's ISPENDR, or the machine's interrupt; loaded when enabled
 *     0        1       0    spilled or made active by ISACTIVER
 *     x        0       1    the list register of vCPU holder[] knows whether it is pending or active; pending came after it
 * A level-sensitive interrupt is pending as well while its line is up; of a device's line we know by its interrupt, and look
 * at it again when the guest asks. owed: the machine's interrupt behind it is active and
 * waits for the guest's deactivation; renewed: the guest did that in the list register, which nobody has emptied yet, and the
 * machine's interrupt came again. drop_*: asked for while loaded on another vCPU; done when that one resyncs.
 * was_loaded: active in a list register when those were emptied the last time. */
struct vgic_bank {
	uint32_t enabled, edge, pending, active, loaded, owed, renewed, line, drop_pending,
		drop_active, was_loaded;
	uint8_t priority[VGIC_BANK_BITS];
	uint8_t target[VGIC_BANK_BITS]; /* index of the vCPU, or VGIC_NO_TARGET; bank 0: unused */
	uint8_t holder[VGIC_BANK_BITS]; /* valid while loaded or active */
};

/* Owned by the domain's vGIC lock, except what the list registers of the running vCPU say. */
struct vgic_vcpu {
	struct vcpu *vcpu;
	struct vgic *vgic;
	uint32_t todo;	  /* bit n: bank n may have something to load */
	uint16_t used;	  /* list registers that hold an interrupt */
	uint16_t latched; /* loaded from the latch, not from the line: goes back into the latch */
	bool resync;	  /* take all list registers back and choose again */
	bool spilled;	  /* more interrupts than list registers */
	bool wanted;	  /* another vCPU wants to know the states in lr[] */
	uint32_t watched; /* HCR_TALL1 while accesses to group 1 trap, see watch() */
	uint8_t slot[VGIC_BANK_BITS]; /* the list register of each loaded interrupt of bank 0 */
	uint32_t
		by_line; /* of bank 0, loaded because of its line, which may have gone down since */
	uint64_t lr
		[VGIC_LRS]; /* as last written; states also as last seen: what other vCPUs know of them */
	uint64_t asked_at; /* counter when this vCPU asked others for their states, 0: it did not */
	uint64_t asked_for;	      /* by reading this address */
	struct cpu *at;		      /* where the machine's interrupts that are routed to it go */
	struct gic_virtual interface; /* while its registers are on no CPU */
	struct vgic_bank own;
};

struct vgic {
	struct domain *domain;
	struct lock lock; /* all banks and vgic_vcpu of the domain */
	bool enabled;	  /* GICD_CTLR.EnableGrp1A */
	unsigned banks;	  /* 1 + banks of SPIs */
	uint32_t route[(VGIC_BANKS - 1) * VGIC_BANK_BITS]; /* IROUTER as written: Aff2.Aff1.Aff0 */
	struct vgic_bank shared[VGIC_BANKS - 1];
	struct vgic_vcpu vcpus[MAX_VCPUS];
};

static inline struct vgic_bank *vgic_bank(struct vgic_vcpu *g, unsigned n)
{
	return n == 0 ? &g->own : &g->vgic->shared[n - 1];
}
static inline uint32_t vgic_lines(const struct vgic_vcpu *g, const struct vgic_bank *bank)
{
	return bank == &g->own ? g->vcpu->lines : bank->line;
}
/* Bits of the bank that are pending outside the list registers. */
static inline uint32_t vgic_pending(const struct vgic_vcpu *g, const struct vgic_bank *bank)
{
	return bank->pending | (vgic_lines(g, bank) & ~bank->edge);
}

/* The interrupts of bank n behind which the machine's of the same number stand. */
static inline uint32_t vgic_hardware(const struct vgic *s, unsigned n)
{
	return n == 0 ? 0 : s->domain->irqs[n];
}

/* ---- vgic.c ---------------------------------------------------------------------------------------------------------- */
void vgic_enter(struct vcpu *v);       /* sched_hooks.enter */
bool vgic_irq_pending(struct vcpu *v); /* sched_hooks.irq_pending */
void vgic_reset(struct vcpu *v);       /* sched_hooks.reset: arrives with the CPU interface as after reset */
void vgic_leave(struct vcpu *v);       /* sched_hooks.leave and arrive */
void vgic_arrive(struct vcpu *v);
/* ICC_SGI1R_EL1 as the guest wrote it. */
void vgic_send_sgi(struct vcpu *v, uint64_t value);
/* The level of an SPI that the hypervisor itself drives (virtual devices). -EINVAL: no such SPI. Any CPU. */
int vgic_set_spi(struct domain *d, unsigned intid, bool up);
/* Private interrupts of the vCPU whose registers are on this CPU. Forward: the machine's interrupt of the same number was taken,
 * its priority dropped; the guest's deactivation ends it. Line down: as vcpu_set_line(), and a list register that has it
 * pending gives it back. */
void vgic_forward(struct vcpu *v, unsigned intid);
void vgic_line_down(struct vcpu *v, unsigned intid);
/* Does the vCPU take private interrupt `intid` when it becomes pending? */
bool vgic_is_enabled(const struct vcpu *v, unsigned intid);
/* irq_handler of the maintenance interrupt, once registered on each CPU. */
void vgic_maintenance(unsigned intid, void *arg);

/* vgic_enter() with the lock held. */
void vgic_update(struct vgic_vcpu *g);
/* Takes the marks of every vCPU of the domain into the banks, so that they tell the truth. Lock held. */
void vgic_collect(struct vgic *s);
/* Looks at the lines behind bank n, so that it tells the truth; bank 0 (of g) only where its registers are on this CPU. Lock held. */
void vgic_look(struct vgic_vcpu *g, unsigned n);
/* May the states of bank n (of g) be told? False: `reader`, which reads them at `address`, has to come again, as CPUs that have
 * some of them in list registers were asked just now. A moment later it may in any case. Lock held. */
bool vgic_states_known(struct vgic_vcpu *reader, struct vgic_vcpu *g, unsigned n, uint64_t address);
/* Lines of private interrupts, level-sensitive ones, that are up while the vCPU's registers are on no CPU. Lock held. */
uint32_t vgic_lines_away(const struct vgic_vcpu *g);
/* Whoever holds (or would get) interrupts `bits` of bank n looks again; resync: at its list registers too. g: whose bank 0.
 * Lock held. */
void vgic_poke(struct vgic_vcpu *g, unsigned n, uint32_t bits, bool resync);

/* ---- vgic_lr.c: on the vCPU's own pCPU, lock held --------------------------------------------------------------------- */
void vgic_lr_take_back(struct vgic_vcpu *g); /* everything back into the banks */
void vgic_lr_fill(struct vgic_vcpu *g);	     /* empties what is done, loads what is new */
/* Interrupt i of bank 0 became pending again and its list register is empty by now: used once more. False: it is not so. */
bool vgic_lr_again(struct vgic_vcpu *g, unsigned i, bool hardware);
/* What the machine still has active of bank 0 and the guest is done with: deactivated there. */
void vgic_lr_settle(struct vgic_vcpu *g);
/* The list register here that holds the interrupt; VGIC_LRS: none. */
unsigned vgic_lr_slot(const struct vgic_vcpu *g, unsigned intid);
/* Notes what the list registers say, for others. */
void vgic_lr_note(struct vgic_vcpu *g);
/* Pending and active bits of the bank that are in list registers. g: whose bank 0; any CPU. */
void vgic_lr_state(struct vgic_vcpu *g, unsigned n, uint32_t *pending, uint32_t *active);

/* ---- vgic_cpu.c ------------------------------------------------------------------------------------------------------- */
/* ICC_DIR_EL1 as the guest wrote it; traps where the list registers do not tell which interrupt it names. */
void vgic_deactivate(struct vcpu *v, uint64_t value);
/* On a maintenance interrupt: did an end or a deactivation name none that is active here (EOIcount)? An ICC_DIR_EL1 that did not trap, as
 * it was not known yet that the guest deactivates apart, may have named an SPI of another vCPU. */
void vgic_end_found_none(struct vgic_vcpu *g);
/* The guest deactivates here with ICC_DIR_EL1, which may name an SPI that is active on another vCPU and can be trapped. */
bool vgic_end_is_split(void);
/* The guest's registers of group 1 trap where the timer's line may have gone down unseen. ICC_HPPIR1_EL1 is read here, for any other
 * one the trap ends: true, now that the list registers know of the line, the guest shall do the access again. */
unsigned vgic_highest_pending(struct vcpu *v);
bool vgic_unwatch(struct vcpu *v);

/* ---- vgic_registers.c: as ICACTIVER does it. Lock held ------------------------------------------------------------------ */
void vgic_active_clear(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w);

/* ---- vgic_mmio.c ------------------------------------------------------------------------------------------------------ */
struct mmio;
bool vgic_distributor(struct vcpu *v, struct mmio *m, uint64_t offset);
bool vgic_redistributor(struct vcpu *v, struct mmio *m, uint64_t offset);

#endif
