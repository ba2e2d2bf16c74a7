/* Firmware calls as a calling convention: widths, signs, what is announced and what is there. Arm DEN 0022 (PSCI) and DEN 0028 (SMCCC). */
#include "case.h"

#define NOT_SUPPORTED	   -1
#define INVALID_PARAMETERS -2
#define INVALID_ADDRESS	   -9
#define WIDE		   0x40000000u
#define HIGH		   0xabcd000000000000ul
#define CPU_ON_32	   0x84000003u
#define AFFINITY_INFO_32   0x84000004u
#define MIGRATE		   0x84000005u
#define MIGRATE_INFO_TYPE  0x84000006u
#define MIGRATE_INFO_CPU   0x84000007u
#define ARCH_FEATURES	   0x80000001u

static uint64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct smccc c = {{function, a1, a2, a3}};

	smccc_hvc(&c);
	return c.x[0];
}

CASE(smccc_unknown_function_is_minus_one_in_the_width_of_the_call, 1)
{
	static const uint32_t function[] = {0x840000ff, 0x80001234, 0x81000000, 0x82000000,
					    0x85000000, 0x86001234, 0xb2000000, 0x00000000};

	for (unsigned i = 0; i < sizeof(function) / sizeof(function[0]); i++) {
		EQUAL((uint32_t)call(function[i], 0, 0, 0), 0xffffffff);
		EQUAL(call(function[i] | WIDE, 0, 0, 0), ~0ul);
	}
}

CASE(smccc_function_is_the_lower_half_of_x0, 1)
{
	EQUAL((uint32_t)call(HIGH | PSCI_VERSION, 0, 0, 0), 0x10001);
	EQUAL((uint32_t)call(HIGH | 0x80000000, 0, 0, 0), 0x10001);
}

CASE(smccc_narrow_calls_have_narrow_arguments, 1)
{
	EQUAL((uint32_t)call(AFFINITY_INFO_32, HIGH, HIGH, HIGH), 0);
	EQUAL((int32_t)call(AFFINITY_INFO_32 | WIDE, HIGH, 0, 0), INVALID_PARAMETERS);
	EQUAL(call(AFFINITY_INFO_32 | WIDE, HIGH, 0, 0), (uint64_t)INVALID_PARAMETERS);
	EQUAL((int32_t)call(PSCI_FEATURES, HIGH | PSCI_VERSION, 0, 0), 0);
	EQUAL((int32_t)call(ARCH_FEATURES, HIGH | ARCH_FEATURES, 0, 0), 0);
}

static bool ends_the_world(uint32_t function)
{
	switch (function & ~WIDE) {
	case PSCI_CPU_OFF:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_CPU_SUSPEND & ~WIDE:
		return true;
	}
	return false;
}

CASE(smccc_what_features_deny_is_not_there, 1)
{
	for (unsigned i = 0; i < 0x40; i++) {
		uint32_t function = 0x84000000 | (i & 0x1f) | (i & 0x20 ? WIDE : 0);
		bool there = (int32_t)call(PSCI_FEATURES, function, 0, 0) >= 0;
		int32_t answer;

		if (ends_the_world(function) && there)
			continue;
		/* arguments that no function takes */
		answer = (int32_t)call(function, ~0ul, ~0ul, ~0ul);
		CHECK((answer == NOT_SUPPORTED) == !there || (function & ~WIDE) == PSCI_FEATURES,
		      function, answer);
	}
	for (unsigned i = 2; i < 8; i++)
		if ((int32_t)call(ARCH_FEATURES, 0x80000000 | i, 0, 0) < 0)
			EQUAL((int32_t)call(0x80000000 | i, 0, 0, 0), NOT_SUPPORTED);
}

CASE(smccc_mandatory_functions_of_psci_are_there, 1)
{
	static const uint32_t there[] = {PSCI_VERSION,	   PSCI_CPU_SUSPEND & ~WIDE,
					 PSCI_CPU_SUSPEND, PSCI_CPU_OFF,
					 CPU_ON_32,	   PSCI_CPU_ON,
					 AFFINITY_INFO_32, PSCI_AFFINITY_INFO,
					 PSCI_SYSTEM_OFF,  PSCI_SYSTEM_RESET,
					 PSCI_FEATURES,	   0x80000000};

	for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		EQUAL((int32_t)call(PSCI_FEATURES, there[i], 0, 0), 0);
}

CASE(smccc_no_trusted_system_has_to_migrate, 1)
{
	int32_t type = (int32_t)call(MIGRATE_INFO_TYPE, 0, 0, 0);

	CHECK(type == 2 || type == NOT_SUPPORTED, type, 0);
	EQUAL((int32_t)call(MIGRATE, 0, 0, 0), NOT_SUPPORTED);
	EQUAL((int32_t)call(MIGRATE | WIDE, 0, 0, 0), NOT_SUPPORTED);
	EQUAL((int32_t)call(MIGRATE_INFO_CPU, 0, 0, 0), NOT_SUPPORTED);
	EQUAL((int32_t)call(MIGRATE_INFO_CPU | WIDE, 0, 0, 0), NOT_SUPPORTED);
}

CASE(smccc_every_psci_function_keeps_registers, 1)
{
	for (unsigned i = 0; i < 0x40; i++) {
		uint32_t function = 0x84000000 | (i & 0x1f) | (i & 0x20 ? WIDE : 0);
		struct smccc c;

		if (ends_the_world(function))
			continue;
		for (unsigned k = 1; k < 18; k++)
			c.x[k] = 0x1111111111111111ul * k;
		c.x[0] = function;
		if (i & 1)
			smccc_smc(&c);
		else
			smccc_hvc(&c);
		for (unsigned k = 4; k < 18; k++)
			CHECK(c.x[k] == 0x1111111111111111ul * k, function, k);
	}
}

static void come_and_go(struct cpu *c)
{
	(void)c;
}

CASE(smccc_cpu_is_started_by_the_narrow_call, 2)
{
	uint64_t lives = cpus[1].up;

	cpus[1].run = come_and_go;
	EQUAL(call(CPU_ON_32, HIGH | 1, HIGH | (uint64_t)guest_cpu_entry,
		   HIGH | (uint64_t)&cpus[1]),
	      0);
	CHECK(WAIT_FOR(cpus[1].up == lives + 1), 0, 0);
	CHECK(cpu_wait_off(1), 0, 0);
	/* and by SMC */
	struct smccc c = {{PSCI_CPU_ON, 1, (uint64_t)guest_cpu_entry, (uint64_t)&cpus[1]}};
	smccc_smc(&c);
	EQUAL(c.x[0], 0);
	CHECK(WAIT_FOR(cpus[1].up == lives + 2), 0, 0);
	CHECK(cpu_wait_off(1), 0, 0);
}

CASE(smccc_cpu_is_not_started_where_it_cannot_run, 2)
{
	uint64_t entry = (uint64_t)guest_cpu_entry,
		 bad[] = {entry + 1, entry + 2, GICD, GICR, ~3ul};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EQUAL((int32_t)call(PSCI_CPU_ON, 1, bad[i], 0), INVALID_ADDRESS);
		EQUAL(call(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
	}
}

CASE(smccc_affinity_levels_above_cpus_are_answered_or_refused, 1)
{
	for (unsigned level = 1; level < 6; level++) {
		int32_t answer = (int32_t)call(PSCI_AFFINITY_INFO, 0, level, 0);

		CHECK(answer == INVALID_PARAMETERS || (level < 4 && answer == 0), level, answer);
	}
}

/* What a suspended CPU is woken by is there already. */
CASE(smccc_suspend_with_an_interrupt_pending_comes_back_at_once, 1)
{
	gic_enable(3, 0xa0);
	gic_sgi_self(3);
	EQUAL((int32_t)call(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
	EQUAL((int32_t)call(PSCI_CPU_SUSPEND & ~WIDE, 1, 0, 0), 0);
	irq_enable();
	CHECK(WAIT_FOR(COUNT(3) == 1), COUNT(3), 0);
}
