/* Stage 1 tables that lie where no memory is: an external abort on the walk, and its level (Arm ARM, ESR_EL1: 0b0101LL). */
#include "case.h"

#define NOWHERE	 0x3000000000ul /* below the end of physical addresses */
#define TABLE	 3ul
#define ENTRY	 17ul /* of the guest's first table, which has nothing there */
#define HERE	 (ENTRY << 30)
#define HIGH	 0xffffffffffe00000ul
#define ABORT	 0x25u
#define EPD1	 (1ul << 23)
#define STATUS() ((unsigned)cpu_this()->esr & 0x3f)

static uint64_t second[512] __attribute__((aligned(4096)));

static void set(uint64_t entry)
{
	uint64_t *first = (uint64_t *)(sysreg_read(ttbr0_el1) & ~0xffful);

	first[ENTRY] = entry;
	asm volatile("dsb sy; tlbi vmalle1; dsb sy; isb" ::: "memory");
}

/* The status of a load there; its syndrome has to be that of a load at EL1 otherwise. */
static unsigned load(uint64_t at)
{
	cpu_this()->esr = 0;
	if (!FAULTS("ldr x0, [%0]" ::"r"(at) : "x0", "memory"))
		return 0;
	return cpu_this()->far == at && (cpu_this()->esr & ~0x3ful) == (ABORT << 26 | 1u << 25)
		       ? STATUS()
		       : 0;
}

CASE(walk_second_table_is_nowhere, 1)
{
	unsigned status;

	set(NOWHERE | TABLE);
	status = load(HERE + 0x123458);
	set(0);
	EQUAL(status, 0x16);
}

CASE(walk_third_table_is_nowhere, 1)
{
	unsigned status;

	second[5] = NOWHERE | TABLE;
	set((uint64_t)second | TABLE);
	status = load(HERE + (5ul << 21) + 8);
	set(0);
	EQUAL(status, 0x17);
}

CASE(walk_tells_of_a_store, 1)
{
	bool fault;

	set(NOWHERE | TABLE);
	fault = FAULTS("str xzr, [%0]" ::"r"(HERE) : "memory");
	set(0);
	CHECK(fault, 0, 0);
	EQUAL(cpu_this()->esr, ABORT << 26 | 1u << 25 | 1u << 6 | 0x16);
}

CASE(walk_of_a_jump, 1)
{
	bool fault;

	set(NOWHERE | TABLE);
	fault = FAULTS("blr %0" ::"r"(HERE) : "x30", "memory");
	set(0);
	CHECK(fault, 0, 0);
	EQUAL(cpu_this()->esr, 0x21u << 26 | 1u << 25 | 0x16);
	EQUAL(cpu_this()->far, HERE);
}

/* The upper half, whose first table is nowhere; t1: TG1 and T1SZ. */
static unsigned load_high(uint64_t tg1, uint64_t t1sz)
{
	uint64_t tcr = sysreg_read(tcr_el1);
	unsigned status;

	sysreg_write(ttbr1_el1, NOWHERE);
	sysreg_write(tcr_el1, (tcr & ~(EPD1 | 3ul << 30 | 0x3ful << 16)) | tg1 << 30 | t1sz << 16);
	set(0);
	status = load(HIGH + 16);
	sysreg_write(tcr_el1, tcr);
	set(0);
	return status;
}

CASE(walk_first_table_is_nowhere, 1)
{
	static const struct {
		uint8_t tg1, t1sz, granule, level; /* granule: where its field of ID_AA64MMFR0 is */
	} with[] = {
		{2, 16, 28, 0}, {2, 24, 28, 0}, {2, 25, 28, 1}, {2, 34, 28, 2},
		{3, 16, 24, 1}, {3, 22, 24, 2}, {1, 17, 20, 1}, {1, 28, 20, 2},
	};
	uint64_t granules = sysreg_read(id_aa64mmfr0_el1);

	for (unsigned i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		unsigned there = granules >> with[i].granule & 0xf;

		if (with[i].granule == 20 ? there == 0 : there == 0xf)
			continue;
		CHECK(load_high(with[i].tg1, with[i].t1sz) == 0x14u + with[i].level, i, STATUS());
	}
}
