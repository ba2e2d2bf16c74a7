/* EL1 registers of a vCPU. */
#include "arch/vcpu_state.h"
#include "lib/string.h"
#include "sysreg.h"

#include "vcpu_offsets.h"
_Static_assert(offsetof(struct vcpu_state, fpcr) == VCPU_FPCR && offsetof(struct vcpu_state, v) == VCPU_V, "vcpu_fp.S");

void vcpu_fp_save(struct vcpu_state *s); /* vcpu_fp.S */
void vcpu_fp_load(const struct vcpu_state *s);
void debug_register_write(unsigned i, uint64_t value); /* debug.S */

#define EACH_REGISTER(X)                                                                                               \
	X(sctlr, sctlr_el1) X(tcr, tcr_el1) X(ttbr0, ttbr0_el1) X(ttbr1, ttbr1_el1) X(mair, mair_el1)                  \
	X(amair, amair_el1) X(vbar, vbar_el1) X(contextidr, contextidr_el1) X(cpacr, cpacr_el1)                        \
	X(csselr, csselr_el1) X(tpidr_el0, tpidr_el0) X(tpidrro_el0, tpidrro_el0) X(tpidr_el1, tpidr_el1)              \
	X(sp_el0, sp_el0) X(sp_el1, sp_el1) X(elr_el1, elr_el1) X(spsr_el1, spsr_el1) X(esr, esr_el1) X(far, far_el1)  \
	X(afsr0, afsr0_el1) X(afsr1, afsr1_el1) X(par, par_el1) X(mdscr, mdscr_el1) X(cntkctl, cntkctl_el1)            \
	X(vmpidr, vmpidr_el2) X(vpidr, vpidr_el2) X(hcr, hcr_el2)

/* HCR_EL2 (Arm ARM D24.2.49): stage 2 on, interrupts and SErrors to EL2, WFI, WFE, ID group 3, SMC, implementation defined,
 * ACTLR and set/way operations, ordering regions and error records trapped (bits without meaning on older cores), EL1 is AArch64; TLB and
 * cache operations of one vCPU reach all CPUs. */
#define HCR_GUEST                                                                                                      \
	(1UL << 0 | 1UL << 1 | 1UL << 2 | 1UL << 3 | 1UL << 4 | 1UL << 5 | 1UL << 9 | 1UL << 10 | 1UL << 13 |          \
	 1UL << 14 | 1UL << 18 | 1UL << 19 | 1UL << 20 | 1UL << 21 | 1UL << 22 | 1UL << 31 | 1UL << 35 | 1UL << 36)

void vcpu_state_reset(struct vcpu_state *s, uint64_t vmpidr, uint64_t entry, uint64_t x0)
{
	memset(s, 0, sizeof(*s));
	s->frame.elr = entry;
	s->frame.spsr = 0x3c5; /* EL1h, D A I F masked: a reset masks debug exceptions too */
	s->frame.x[0] = x0;
	s->sctlr = 0x00c50078;
	s->vmpidr = vmpidr;
	s->vpidr = sysreg_read(midr_el1);
	s->hcr = HCR_GUEST;
}

#define MDSCR_SS  (1UL << 0)
#define MDSCR_KDE (1UL << 13)
#define MDSCR_MDE (1UL << 15)

static RARE __attribute__((noinline)) void debug_load(const struct vcpu_state *s)
{
	uint64_t there = sysreg_read(id_aa64dfr0_el1), last[2] = {there >> 12 & 15, there >> 20 & 15};

	for (unsigned n = 0; n < 16; n++)
		for (unsigned k = 0; k < 4; k++)
			if (n <= last[k / 2])
				debug_register_write(4 * n + k, s->debug[n][k]);
}

void vcpu_debug_apply(struct vcpu_state *s)
{
	uint64_t control = s->debug_control & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE);

	if (s->debug_locked)
		control = 0;
	if (control & MDSCR_MDE)
		debug_load(s);
	sysreg_write(mdscr_el1, control);
	isb();
}

void vcpu_state_load(const struct vcpu_state *s)
{
#define LOAD(field, reg) sysreg_write(reg, s->field);
	EACH_REGISTER(LOAD)
	if (unlikely(s->mdscr & MDSCR_MDE))
		debug_load(s);
	/* the pCPU that loads it says what it is: a vCPU that was started from a core of another kind */
	sysreg_write(vpidr_el2, sysreg_read(midr_el1));
	vcpu_fp_load(s);
	isb(); /* no table of one virtual machine is walked with the VMID of another */
}

void vcpu_state_forget(void)
{
	asm volatile("dsb nshst; tlbi vmalle1; ic iallu; dsb nsh; isb" ::: "memory");
}

void vcpu_state_save(struct vcpu_state *s)
{
#define SAVE(field, reg) s->field = sysreg_read(reg);
	EACH_REGISTER(SAVE)
	vcpu_fp_save(s);
}
