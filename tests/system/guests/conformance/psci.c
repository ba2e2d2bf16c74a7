/* Firmware calls: PSCI 1.1 (Arm DEN 0022) and SMCCC 1.1 (Arm DEN 0028). */
#include "case.h"

#define SUCCESS		   0
#define NOT_SUPPORTED	   -1
#define INVALID_PARAMETERS -2
#define ALREADY_ON	   -4
#define INVALID_ADDRESS	   -9

CASE(psci_is_version_1_1, 1)
{
	EQUAL(psci(PSCI_VERSION, 0, 0, 0), 0x10001);
	EQUAL(psci(0x80000000, 0, 0, 0), 0x10001); /* SMCCC_VERSION */
}

CASE(psci_features_tell_what_exists, 1)
{
	static const uint32_t there[] = {0x84000000, 0x84000001, 0xc4000001, 0x84000002,
					 0x84000003, 0xc4000003, 0x84000004, 0xc4000004,
					 0x84000008, 0x84000009, 0x8400000a, 0x80000000};
	static const uint32_t not_there[] = {0xc4000002, 0xc4000008, 0x8400001f,
					     0x84000020, 0x12345678, 0};

	for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		CHECK(psci(PSCI_FEATURES, there[i], 0, 0) >= 0, there[i], 0);
	for (unsigned i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
		CHECK(psci(PSCI_FEATURES, not_there[i], 0, 0) == NOT_SUPPORTED, not_there[i], 0);
}

CASE(psci_unknown_functions_are_refused, 1)
{
	static const uint32_t function[] = {
		0x84000005, 0x8400000b, 0x8400000c, 0x840000ff, 0xc4000000, 0xc4000002, 0x83000000,
		0xc6000000, 0x86001234, 0x80001234, 0x00000000, 0x04000000, 0xffffffff};

	for (unsigned i = 0; i < sizeof(function) / sizeof(function[0]); i++)
		CHECK(psci(function[i], 0, 0, 0) == NOT_SUPPORTED, function[i],
		      psci(function[i], 0, 0, 0));
}

static bool keeps_registers(void (*call)(struct smccc *), uint32_t function)
{
	struct smccc c;

	for (unsigned i = 0; i < 18; i++)
		c.x[i] = 0x5a5a0000 + i;
	c.x[0] = function;
	call(&c);
	for (unsigned i = 4; i < 18; i++)
		if (c.x[i] != 0x5a5a0000 + i)
			return false;
	return true;
}

CASE(smccc_keeps_x4_to_x17, 1)
{
	static const uint32_t function[] = {PSCI_VERSION, 0x83000000, 0x80000000, 0x8600ff01,
					    0x80000001};

	for (unsigned i = 0; i < sizeof(function) / sizeof(function[0]); i++) {
		CHECK(keeps_registers(smccc_hvc, function[i]), function[i], 0);
		CHECK(keeps_registers(smccc_smc, function[i]), function[i], 1);
	}
}

CASE(smccc_by_smc_is_the_same, 1)
{
	struct smccc c = {{PSCI_VERSION}};

	smccc_smc(&c);
	EQUAL(c.x[0], 0x10001);
	c.x[0] = 0x83000000;
	smccc_smc(&c);
	EQUAL((int32_t)c.x[0], NOT_SUPPORTED);
}

CASE(smccc_names_the_hypervisor, 1)
{
	struct smccc c = {{0x8600ff01}};

	smccc_hvc(&c);
	CHECK((int32_t)c.x[0] != NOT_SUPPORTED, c.x[0], c.x[1]);
}

CASE(smccc_workarounds_are_answered, 1)
{
	static const uint32_t function[] = {0x80008000, 0x80007fff, 0x80003fff};

	EQUAL(psci(0x80000001, 0x80000001, 0, 0), SUCCESS);
	for (unsigned i = 0; i < 3; i++) {
		int64_t answer = psci(0x80000001, function[i], 0, 0);

		CHECK(answer >= -2 && answer <= 1, function[i], answer);
	}
}

CASE(psci_affinity_info_of_all_cpus, 1)
{
	EQUAL(psci(PSCI_AFFINITY_INFO, 0, 0, 0), 0);
	for (unsigned i = 1; i < cpus_there; i++)
		EQUAL(psci(PSCI_AFFINITY_INFO, i, 0, 0), 1);
	EQUAL(psci(PSCI_AFFINITY_INFO, cpus_there, 0, 0), INVALID_PARAMETERS);
	EQUAL(psci(PSCI_AFFINITY_INFO, 1ul << 32, 0, 0), INVALID_PARAMETERS);
	EQUAL(psci(PSCI_AFFINITY_INFO, 1ul << 16, 0, 0), INVALID_PARAMETERS);
	EQUAL(psci(PSCI_AFFINITY_INFO, 0, 4, 0), INVALID_PARAMETERS);
}

CASE(psci_cpu_on_checks_its_arguments, 1)
{
	EQUAL(psci(PSCI_CPU_ON, 0, (uint64_t)guest_main, 0), ALREADY_ON);
	EQUAL(psci(PSCI_CPU_ON, 99, (uint64_t)guest_main, 0), INVALID_PARAMETERS);
	EQUAL(psci(PSCI_CPU_ON, 1ul << 40, (uint64_t)guest_main, 0), INVALID_PARAMETERS);
	if (cpus_there > 1) {
		EQUAL(psci(PSCI_CPU_ON, 1, 0x3f0000000000ul, 0), INVALID_ADDRESS);
		EQUAL(psci(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
	}
}

static void come_and_go(struct cpu *c)
{
	(void)c;
}

CASE(psci_cpu_goes_on_and_off, 2)
{
	for (unsigned round = 0; round < 50; round++)
		for (unsigned i = 1; i < cpus_there; i++) {
			uint64_t lives = cpus[i].up;

			EQUAL(cpu_start(i, come_and_go), SUCCESS);
			CHECK(WAIT_FOR(cpus[i].up == lives + 1), round, i);
			CHECK(cpu_wait_off(i), round, i);
		}
}

static volatile uint64_t at_entry[4];
static void note_entry(struct cpu *c)
{
	at_entry[0] = c->id;
	at_entry[1] = sysreg_read(currentel) >> 2;
	at_entry[2] = sysreg_read(daif);
	at_entry[3] = sysreg_read(mpidr_el1);
}

CASE(psci_cpu_starts_as_the_specification_says, 2)
{
	EQUAL(cpu_start(1, note_entry), SUCCESS);
	CHECK(cpu_wait_off(1), 0, 0);
	EQUAL(at_entry[0], 1);
	EQUAL(at_entry[1], 1);
	EQUAL(at_entry[2], 0x3c0);
	EQUAL(at_entry[3] & 0xff00ffffff, 1);
}

CASE(psci_cpu_that_is_on_is_already_on, 2)
{
	CHECK(workers_start(), 0, 0);
	for (unsigned i = 1; i < cpus_there; i++) {
		EQUAL(psci(PSCI_CPU_ON, i, (uint64_t)guest_main, 0), ALREADY_ON);
		EQUAL(psci(PSCI_AFFINITY_INFO, i, 0, 0), 0);
	}
}

CASE(psci_suspend_is_woken_by_an_interrupt, 1)
{
	uint64_t at = counter() + ticks_of_us(300);

	gic_enable(PPI_VTIMER, 0xa0);
	sysreg_write(cntv_cval_el0, at);
	sysreg_write(cntv_ctl_el0, 1);
	while (counter() < at)
		EQUAL(psci(PSCI_CPU_SUSPEND, 0, 0, 0), SUCCESS);
	sysreg_write(cntv_ctl_el0, 0);
	EQUAL(psci(PSCI_CPU_SUSPEND, 0xffffffff, 0, 0), INVALID_PARAMETERS);
}
