/* System registers: what is hidden, what is undefined, what is emulated. */
#include "case.h"

#define FIELD(value, lsb) ((value) >> (lsb)&0xf)
#define UNDEFINED	  0x00

CASE(id_registers_hide_what_a_guest_may_not_use, 1)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1), dfr0 = sysreg_read(id_aa64dfr0_el1);

	CHECK(FIELD(pfr0, 4) != 0, pfr0, 0);		   /* EL1 */
	EQUAL(FIELD(pfr0, 8), 0);			   /* EL2 */
	EQUAL(FIELD(pfr0, 12), 0);			   /* EL3 */
	EQUAL(FIELD(pfr0, 32), 0);			   /* SVE */
	EQUAL(FIELD(pfr0, 44), 0);			   /* AMU */
	EQUAL(FIELD(pfr0, 24), 1);			   /* GIC system registers */
	EQUAL(FIELD(dfr0, 8), 0);			   /* PMU */
	EQUAL(FIELD(dfr0, 32), 0);			   /* SPE */
	EQUAL(sysreg_read(S3_0_C0_C4_4), 0);		   /* ID_AA64ZFR0 */
	EQUAL(FIELD(sysreg_read(id_aa64mmfr1_el1), 8), 0); /* VHE */
	EQUAL(FIELD(sysreg_read(S3_0_C0_C7_2), 24), 0);	   /* ID_AA64MMFR2.NV */
	EQUAL(sysreg_read(S3_0_C0_C7_7), 0);		   /* reserved */
}

CASE(id_registers_do_not_take_writes, 1)
{
	CHECK(FAULTS("msr S3_0_C0_C4_0, xzr"), 0, 0);
	EQUAL(ESR_CLASS(), UNDEFINED);
}

CASE(mpidr_is_the_vcpus, 1)
{
	EQUAL(sysreg_read(mpidr_el1) & 0xff00ffffff, 0);
	EQUAL(sysreg_read(mpidr_el1) >> 31 & 1, 1);
	CHECK(sysreg_read(midr_el1) != 0, 0, 0);
}

CASE(gic_has_system_registers_whatever_is_written, 1)
{
	EQUAL(icc_read(ICC_SRE) & 1, 1);
	icc_write(ICC_SRE, 0);
	EQUAL(icc_read(ICC_SRE) & 1, 1);
	EQUAL(icc_read(ICC_RPR), 0xff);
}

#define IS_UNDEFINED(...)                                                                          \
	do {                                                                                       \
		CHECK(FAULTS(__VA_ARGS__), 0, 0);                                                  \
		EQUAL(ESR_CLASS(), UNDEFINED);                                                     \
		EQUAL(cpu_this()->esr & 0x1ffffff, 0);                                             \
	} while (0)

CASE(unknown_system_registers_are_undefined, 1)
{
	IS_UNDEFINED("mrs x0, S3_0_C15_C0_0" ::: "x0"); /* implementation defined */
	IS_UNDEFINED("msr S3_0_C15_C0_0, xzr");
	IS_UNDEFINED("mrs x0, S3_3_C15_C15_7" ::: "x0");
	IS_UNDEFINED("mrs x0, S3_0_C11_C13_7" ::: "x0");
	IS_UNDEFINED("sys #3, c15, c0, #0, x0");
	IS_UNDEFINED("mrs x0, S3_4_C1_C1_0" ::: "x0");	 /* HCR_EL2 */
	IS_UNDEFINED("mrs x0, S3_6_C1_C1_0" ::: "x0");	 /* SCR_EL3 */
	IS_UNDEFINED("mrs x0, S3_4_C12_C11_0" ::: "x0"); /* ICH_HCR_EL2 */
	IS_UNDEFINED("msr S3_4_C12_C12_0, xzr");	 /* ICH_LR0_EL2 */
	IS_UNDEFINED("mrs x0, S3_0_C9_C9_0" ::: "x0");	 /* PMSCR_EL1 */
	IS_UNDEFINED("mrs x0, S2_1_C0_C0_0" ::: "x0");	 /* trace */
}

CASE(write_only_gic_registers_cannot_be_read, 1)
{
	IS_UNDEFINED("mrs x0, S3_0_C12_C11_5" ::: "x0");
	IS_UNDEFINED("mrs x0, S3_0_C12_C11_6" ::: "x0");
	IS_UNDEFINED("mrs x0, S3_0_C12_C11_7" ::: "x0");
}

CASE(undefined_exception_points_at_the_instruction, 1)
{
	uint64_t at;

	CHECK(FAULTS("adr %0, 1f\n1: mrs x0, S3_0_C15_C0_0" : "=r"(at)::"x0"), 0, 0);
	EQUAL(cpu_this()->elr, at);
	CHECK(FAULTS("adr %0, 1f\n1: hvc #1" : "=r"(at)), 0, 0);
	EQUAL(cpu_this()->elr, at);
	EQUAL(ESR_CLASS(), UNDEFINED);
	CHECK(FAULTS("adr %0, 1f\n1: hvc #0xffff" : "=r"(at)), 0, 0);
	EQUAL(cpu_this()->elr, at);
	CHECK(FAULTS("adr %0, 1f\n1: smc #1" : "=r"(at)), 0, 0);
	EQUAL(cpu_this()->elr, at);
	CHECK(FAULTS("adr %0, 1f\n1: .inst 0x00000000" : "=r"(at)), 0, 0);
	EQUAL(cpu_this()->elr, at);
}

CASE(emulated_registers_read_as_they_must, 1)
{
	CHECK(!FAULTS("mrs x0, actlr_el1; msr actlr_el1, x0" ::: "x0"), 0, 0);
	EQUAL(sysreg_read(oslsr_el1) & 2, 0); /* not locked */
	CHECK(!FAULTS("msr oslar_el1, xzr"), 0, 0);
	CHECK(!FAULTS("mrs x0, dbgbvr0_el1; msr dbgbvr0_el1, x0; mrs x0, mdscr_el1" ::
			      : "x0"),
	      0, 0);
	CHECK(!FAULTS("mrs x0, mdccsr_el0" ::: "x0"), 0, 0);
}

CASE(set_way_cache_operations_are_harmless, 1)
{
	CHECK(!FAULTS("dc isw, xzr; dc csw, xzr; dc cisw, xzr"), 0, 0);
}

CASE(sve_and_sme_instructions_are_undefined, 1)
{
	/* though the guest has switched them on: CPACR_EL1.ZEN and SMEN, where a CPU has them */
	sysreg_write(cpacr_el1, 0x3330000);
	IS_UNDEFINED(".inst 0x04bf5000" ::: "x0");     /* rdvl x0, #0 */
	IS_UNDEFINED("mrs x0, S3_0_C1_C2_0" ::: "x0"); /* ZCR_EL1 */
	sysreg_write(cpacr_el1, 0x300000);
}

CASE(trapped_reads_can_go_to_every_register, 1)
{
	uint64_t a, b, c;

	/* x18 to x28 and the zero register take other ways back than x0 */
	asm volatile("mrs x19, S3_0_C0_C4_0\nmrs x28, S3_0_C0_C4_0\nmrs x30, S3_0_C0_C4_0\nmrs "
		     "xzr, S3_0_C0_C4_0\n"
		     "mov %0, x19\nmov %1, x28\nmov %2, x30"
		     : "=r"(a), "=r"(b), "=r"(c)::"x19", "x28", "x30");
	EQUAL(a, sysreg_read(S3_0_C0_C4_0));
	EQUAL(b, a);
	EQUAL(c, a);
}

/* Every general register keeps its value over traps of all kinds. */
CASE(traps_change_no_other_register, 1)
{
	uint64_t bad;

	asm volatile(
		"stp x29, x30, [sp, #-16]!\n"
		".irp n, "
		"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
		"movz x\\n, #0x1100 + \\n\n"
		".endr\n"
		"movz w0, #0x8300, lsl #16\nhvc #0\n"
		"movz x0, #0x0800, lsl #16\nldr w0, [x0, #4]\n"
		"movz x0, #0x0800, lsl #16\nstr wzr, [x0, #0x184]\n"
		"mrs x0, S3_0_C0_C4_0\n"
		"msr S3_0_C12_C11_5, xzr\n"
		"mov x0, #0\n"
		".irp n, "
		"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
		"sub x\\n, x\\n, #0x1000\n"
		"subs x\\n, x\\n, #0x100 + \\n\n"
		"cinc x0, x0, ne\n"
		".endr\n"
		"ldp x29, x30, [sp], #16\n"
		"mov %0, x0\n"
		: "=r"(bad)::"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
		  "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
		  "x22", "x23", "x24", "x25", "x26", "x27", "x28", "cc", "memory");
	EQUAL(bad, 0);
}

CASE(traps_keep_the_condition_flags, 1)
{
	uint64_t flags;

	asm volatile("mov x1, #0xf0000000\nmsr nzcv, x1\n"
		     "movz w0, #0x8300, lsl #16\nhvc #0\n"
		     "movz x0, #0x0800, lsl #16\nldr w0, [x0, #4]\n"
		     "mrs %0, nzcv"
		     : "=r"(flags)::"x0", "x1", "cc", "memory");
	EQUAL(flags, 0xf0000000);
}
