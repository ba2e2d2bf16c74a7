/* The EL1 state of a vCPU that the machine holds while it runs: what a reset sets, what a switch saves and loads. */
#ifndef ARCH_VCPU_STATE_H
#define ARCH_VCPU_STATE_H
#include "arch/frame.h"
#include "lib/types.h"

struct vcpu_state {
	struct frame frame; /* while not running; while running the frame on the stack is the true one */
	uint64_t sctlr, tcr, ttbr0, ttbr1, mair, amair, vbar, contextidr, cpacr, csselr;
	uint64_t tpidr_el0, tpidrro_el0, tpidr_el1, sp_el0, sp_el1, elr_el1, spsr_el1;
	uint64_t esr, far, afsr0, afsr1, par, mdscr, cntkctl;
	uint64_t vmpidr, vpidr, hcr;
	uint64_t fpcr, fpsr;
	__uint128_t v[32];
	/* Self-hosted debug as the guest wrote it: DBGBVR, DBGBCR, DBGWVR, DBGWCR; MDSCR_EL1; OSLSR_EL1.OSLK. `mdscr` above is what
	 * the machine has of the latter two, and it has the others only while that lets them count (MDE). */
	uint64_t debug[16][4], debug_control;
	bool debug_locked;
};

/* Values of a warm reset: EL1h, interrupts masked, MMU and caches off. `entry` and x0 as PSCI CPU_ON or the boot protocol give. */
void vcpu_state_reset(struct vcpu_state *s, uint64_t vmpidr, uint64_t entry, uint64_t x0);
/* Load everything but the frame into this CPU, before its stage 2 / save it back. FP and SIMD included: EL2 itself uses none. */
void vcpu_state_load(const struct vcpu_state *s);
void vcpu_state_save(struct vcpu_state *s);
/* After a change of debug*, for the state that this CPU holds. Debug exceptions go to EL1, so that none is taken at EL2. */
void vcpu_debug_apply(struct vcpu_state *s);
/* Drops what this CPU's TLBs and instruction cache hold of the virtual machine that is loaded: its vCPUs share a VMID, and may use the
 * same addresses and ASIDs for different things. What one of them drops itself goes on all CPUs (HCR_EL2.FB). */
void vcpu_state_forget(void);

#endif
