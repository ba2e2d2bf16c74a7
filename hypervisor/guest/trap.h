/* Dispatch of everything that brings a guest to EL2, and the four ways it goes from there. entry.S calls trap_sync() and
 * trap_irq(); after them it runs the exit path (v->work, see core/vcpu.h). All run on v's pCPU, interrupts masked, no locks held;
 * `f` is the guest's frame. trap_sync() has moved ELR past the instruction where that is due: the functions below change
 * nothing in f but results. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H
#include "core/vcpu.h"

void trap_sync(struct frame *f);
void trap_irq(struct frame *f);

/* xen/table.c: `hvc #0xea1`. Number in x16, arguments x0..x4, result in x0. */
void hypercall(struct vcpu *v, struct frame *f);

/* guest/vpsci.c: `hvc #0` and `smc #0`. Function in w0, arguments x1.., results x0..x3. ELR is already past the SMC. */
void smccc_call(struct vcpu *v, struct frame *f);

/* guest/vsysreg.c: trapped MRS/MSR/system instruction. iss as in ESR_EL2 (Arm ARM D24.2.40, "MSR, MRS, or System instruction
 * execution in AArch64 state"). Reads put their result into f itself (frame_set). False: the register does not exist for the
 * guest; the trap then gives it an UNDEFINED exception and leaves ELR on the instruction. */
bool sysreg_emulate(struct vcpu *v, struct frame *f, uint32_t iss);

/* guest/mmio.c: a load or store to an address that stage 2 does not map. */
struct mmio {
	ipa_t ipa;
	uint64_t value; /* write: what the guest stores, zero-extended from size. Read: the answer, zero-extended */
	uint8_t size;	/* 1, 2, 4, 8 bytes. A read sets it to 0: no answer yet, the guest shall do the access again */
	bool write;
};
/* False: nothing lives there (or not in that size); the guest takes a synchronous external abort. */
bool mmio_emulate(struct vcpu *v, struct mmio *m);
/* Registers an emulated range of one domain. At creation only (no lock on the way through). `base` 4 KiB aligned. -ENOSPC. */
int mmio_register(struct domain *d, ipa_t base, uint64_t size, bool (*handler)(struct vcpu *v, struct mmio *m, uint64_t offset));

/* guest/walk.c: the level of the guest's stage 1 tables at which a walk for `va` comes to what is no memory, by the EL1 registers of
 * this CPU. 3 when it does not before. */
unsigned walk_level(struct domain *d, gva_t va);

/* guest/vgic.c, beyond sched_hooks: where the guest finds its controller. Dom0: the host's addresses, one redistributor region
 * of vcpus_max frames of 128 KiB. Called by boot/dom0 before the first vCPU runs; registers its mmio ranges. */
int vgic_place(struct domain *d, ipa_t distributor, ipa_t redistributors, unsigned spis);
/* guest/vuart_early.c: the console's UART as Dom0 sees it, where it lies. Called by boot/dom0 after vgic_place(). A board whose UART
 * is in a page with something else does without. */
void vuart_early_place(struct domain *d);
/* guest/vpsci.c etc.: one structure that guest/ offers to core (defined in guest/hooks.c). */
extern const struct sched_hooks guest_hooks;
/* Each CPU once, after its GIC: the guest's virtual timer and the maintenance interrupt. 0 or irq_register()'s error. */
int guest_cpu_init(void);

#endif
