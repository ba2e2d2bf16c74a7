#include "arch/sysregs_el2.h"
#include "arch/stage2.h"
#include "sysreg.h"

uint64_t cpu_el2_mpidr(void)
{
	return sysreg_read(mpidr_el1) & 0xff00ffffffUL;
}

uint64_t cpu_el2_midr(void)
{
	return sysreg_read(midr_el1);
}

void cpu_el2_setup(struct cpu *c)
{
	uint64_t range = sysreg_read(id_aa64mmfr0_el1) & 7, debug = sysreg_read(id_aa64dfr0_el1);
	uint64_t counters = (debug >> 8 & 15) != 0 && (debug >> 8 & 15) != 15 ? sysreg_read(pmcr_el0) >> 11 & 31 : 0;

	sysreg_write(tpidr_el2, (uint64_t)c);
	/* T0SZ, start at level 1, inner shareable, WB WA, the machine's physical size, RES1 */
	sysreg_write(vtcr_el2, 1UL << 31 | (range < 2 ? range : 2) << 16 | 3UL << 12 | 1UL << 10 | 1UL << 8 | 1UL << 6 |
				       (64 - stage2_address_bits()));
	sysreg_write(cptr_el2, 0x33ffUL); /* RES1; FP and SIMD are the guest's (TFP 0); SVE and SME (TZ, TSM), where they are, trap */
	/* PMU, debug ROM, OS lock and debug registers trap: what guests see is emulated. Sampling and trace filters (newer cores) too:
	 * nobody switches them */
	sysreg_write(mdcr_el2, counters | 1UL << 6 | 1UL << 9 | 1UL << 10 | 1UL << 11 | 1UL << 14 | 1UL << 19);
	sysreg_write(hstr_el2, 0);
	sysreg_write(cnthctl_el2, 1); /* the physical counter is the guest's, the physical timer traps */
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	isb();
}
