/* What a CPU says of itself is consistent, and true: identification registers, caches, what may be switched off. Arm ARM D23. */
#include "case.h"

#define FIELD(value, lsb) ((value) >> (lsb)&0xf)
#define FP_TRAP		  0x07
#define REDISTRIBUTOR(i)  (read64(RD(i) + 8) >> 32)

static volatile uint64_t mine[CPUS], midr[CPUS], features[CPUS], caches[CPUS];
static void look(void)
{
	uint64_t affinity = sysreg_read(mpidr_el1);

	mine[here()] = (affinity & 0xffffff) | (affinity >> 32 & 0xff) << 24;
	midr[here()] = sysreg_read(midr_el1);
	features[here()] = sysreg_read(id_aa64pfr0_el1) ^ sysreg_read(id_aa64isar0_el1) ^
			   sysreg_read(id_aa64mmfr0_el1) ^ sysreg_read(id_aa64dfr0_el1);
	caches[here()] = sysreg_read(ctr_el0) ^ sysreg_read(clidr_el1) ^ sysreg_read(dczid_el0);
}

CASE(identity_of_all_cpus_is_the_redistributors, 2)
{
	CHECK(workers_start(), 0, 0);
	CHECK(run_everywhere(look), 0, 0);
	for (unsigned i = 0; i < cpus_there; i++) {
		EQUAL(mine[i], REDISTRIBUTOR(i));
		EQUAL(read64(RD(i) + 8) >> 8 & 0xffff, i);
		EQUAL(midr[i], midr[0]);
		EQUAL(features[i], features[0]);
		EQUAL(caches[i], caches[0]);
	}
}

/* The space of identification registers: those that nobody has named yet read as zero. */
CASE(identity_reserved_registers_read_as_zero, 1)
{
	CHECK(!FAULTS("mrs x0, S3_0_C0_C3_7; mrs x0, S3_0_C0_C4_7; mrs x0, S3_0_C0_C5_7; mrs x0, "
		      "S3_0_C0_C7_7" ::
			      : "x0"),
	      0, 0);
	EQUAL(sysreg_read(S3_0_C0_C3_7) | sysreg_read(S3_0_C0_C4_3) | sysreg_read(S3_0_C0_C4_6) |
		      sysreg_read(S3_0_C0_C4_7) | sysreg_read(S3_0_C0_C5_2) |
		      sysreg_read(S3_0_C0_C5_3) | sysreg_read(S3_0_C0_C5_6) |
		      sysreg_read(S3_0_C0_C5_7) | sysreg_read(S3_0_C0_C6_5) |
		      sysreg_read(S3_0_C0_C6_7) | sysreg_read(S3_0_C0_C7_5) |
		      sysreg_read(S3_0_C0_C7_7),
	      0);
}

CASE(identity_names_no_feature_whose_registers_are_hidden, 1)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1), pfr1 = sysreg_read(S3_0_C0_C4_1),
		 dfr0 = sysreg_read(id_aa64dfr0_el1), isar1 = sysreg_read(S3_0_C0_C6_1);

	EQUAL(FIELD(pfr0, 0) == 2,
	      FIELD(sysreg_read(id_isar0_el1), 24) != 0); /* AArch32 at EL0: DIV */
	EQUAL(FIELD(pfr0, 16), FIELD(pfr0, 20));	  /* FP and SIMD: both */
	EQUAL(FIELD(pfr0, 28), 0);			  /* RAS */
	EQUAL(FIELD(pfr1, 8), 0);			  /* MTE */
	EQUAL(FIELD(pfr1, 24), 0);			  /* SME */
	EQUAL(FIELD(dfr0, 4), 0);			  /* trace */
	EQUAL(FIELD(dfr0, 44), 0);			  /* trace buffer */
	EQUAL(FIELD(isar1, 4) | FIELD(isar1, 8) | FIELD(isar1, 24) | FIELD(isar1, 28),
	      0); /* PAuth */
	CHECK(FIELD(dfr0, 28) <= FIELD(dfr0, 12), dfr0,
	      0); /* context-aware breakpoints are breakpoints */
}

CASE(identity_caches_are_described, 1)
{
	uint64_t levels = sysreg_read(clidr_el1), line = 4ul << FIELD(sysreg_read(ctr_el0), 16);

	for (unsigned level = 0; level < 7; level++) {
		unsigned type = levels >> 3 * level & 7;

		if (type == 0)
			break;
		sysreg_write(csselr_el1, 2 * level | (type == 1));
		EQUAL(sysreg_read(csselr_el1), 2 * level | (type == 1));
		CHECK(sysreg_read(ccsidr_el1) != 0, level, type);
		CHECK(16ul << (sysreg_read(ccsidr_el1) & 7) >= line, level, line);
	}
	CHECK(line >= 16 && line <= 2048, line, 0);
}

static uint8_t block[4096] __attribute__((aligned(2048)));
CASE(identity_zeroing_zeroes_a_block, 1)
{
	uint64_t zeroing = sysreg_read(dczid_el0), size = 4ul << (zeroing & 0xf);

	if (zeroing & 0x10)
		return;
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] = 0x5a;
	asm volatile("dc zva, %0" ::"r"(block + 2048) : "memory");
	for (unsigned i = 0; i < sizeof(block); i++)
		CHECK(block[i] == (i >= 2048 && i < 2048 + size ? 0 : 0x5a), i, block[i]);
}

CASE(identity_cache_maintenance_of_memory, 1)
{
	CHECK(!FAULTS("dc cvac, %0; dc civac, %0; dc ivac, %0; dc cvau, %0; ic ivau, %0; dsb sy; "
		      "ic iallu; ic ialluis; dsb sy" ::"r"(block)
		      : "memory"),
	      0, 0);
}

CASE(identity_address_translation_is_stage_1, 1)
{
	asm volatile("at s1e1r, %0; isb" ::"r"(block) : "memory");
	EQUAL(sysreg_read(par_el1) & 1, 0);
	EQUAL(sysreg_read(par_el1) & 0xfffffffff000, (uint64_t)block & ~0xffful);
	asm volatile("at s1e1w, %0; isb" ::"r"(0x7000000000ul) : "memory");
	EQUAL(sysreg_read(par_el1) & 1, 1);
}

CASE(identity_fp_is_off_when_the_guest_says_so, 1)
{
	uint64_t was = sysreg_read(cpacr_el1);
	bool off;

	sysreg_write(cpacr_el1, 0);
	off = FAULTS(".arch_extension fp\nfmov x0, d0" ::: "x0");
	sysreg_write(cpacr_el1, was);
	CHECK(off, 0, 0);
	EQUAL(ESR_CLASS(), FP_TRAP);
	CHECK(!FAULTS(".arch_extension fp\nfmov x0, d0" ::: "x0"), 0, 0);
}

#define IS_UNDEFINED(...)                                                                          \
	do {                                                                                       \
		CHECK(FAULTS(__VA_ARGS__), 0, 0);                                                  \
		EQUAL(cpu_this()->esr, 1ul << 25);                                                 \
	} while (0)

CASE(identity_registers_of_hidden_features_are_undefined, 1)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1), pfr1 = sysreg_read(S3_0_C0_C4_1);

	IS_UNDEFINED("mrs x0, S3_0_C2_C1_0" ::: "x0");	/* APIAKeyLo_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C1_C0_6" ::: "x0");	/* GCR_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C5_C3_0" ::: "x0");	/* ERRIDR_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C10_C4_3" ::: "x0"); /* LORC_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C1_C2_1" ::: "x0");	/* TRFCR_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C9_C10_0" ::: "x0"); /* PMBLIMITR_EL1 */
	IS_UNDEFINED("mrs x0, S3_0_C10_C5_0" ::: "x0"); /* MPAM1_EL1 */
	if (FIELD(pfr0, 56) < 2 && FIELD(pfr1, 32) < 2)
		IS_UNDEFINED("mrs x0, S3_0_C13_C0_7" ::: "x0"); /* SCXTNUM_EL1 */
	else
		CHECK(!FAULTS("mrs x0, S3_0_C13_C0_7" ::: "x0"), pfr0, pfr1);
}

CASE(identity_registers_of_higher_levels_are_undefined, 1)
{
	IS_UNDEFINED("mrs x0, sctlr_el2" ::: "x0");
	IS_UNDEFINED("msr vttbr_el2, xzr");
	IS_UNDEFINED("mrs x0, cnthctl_el2" ::: "x0");
	IS_UNDEFINED("mrs x0, cnthp_ctl_el2" ::: "x0");
	IS_UNDEFINED("msr cntvoff_el2, xzr");
	IS_UNDEFINED("mrs x0, cntps_ctl_el1" ::: "x0");
	IS_UNDEFINED("mrs x0, sctlr_el3" ::: "x0");
	IS_UNDEFINED("mrs x0, mdcr_el2" ::: "x0");
	IS_UNDEFINED("mrs x0, S3_4_C12_C9_5" ::: "x0");	 /* ICC_SRE_EL2 */
	IS_UNDEFINED("mrs x0, S3_6_C12_C12_7" ::: "x0"); /* ICC_IGRPEN1_EL3 */
	IS_UNDEFINED("tlbi vmalls12e1");
	IS_UNDEFINED("tlbi alle2");
	IS_UNDEFINED("at s12e1r, x0");
}
