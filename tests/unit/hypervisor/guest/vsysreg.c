/* Trapped system registers: all 64 Ki names at EL1 and EL0, and what the known ones say. */
#include "fake/machine.h"
#include "guest/trap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define EL1H 5u
#define ISS(op0, op1, crn, crm, op2, rt, read)                                                     \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))

static struct domain *d;

static int setup(void **state)
{
	(void)state;
	d = fake_domain(2);
	fake_run(d, 0);
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}

static bool read_id(unsigned crm, unsigned op2, uint64_t *value)
{
	struct frame f = {.spsr = EL1H};
	bool there = sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, crm, op2, 7u, 1u));

	*value = f.x[7];
	return there;
}

static void test_id_registers_hide_what_nobody_switches(void **state)
{
	uint64_t pfr0, dfr0, isar1, other;

	(void)state;
	assert_true(read_id(4, 0, &pfr0));
	/* EL2, EL3, RAS, SVE, SEL2, MPAM, AMU, RME */
	assert_int_equal(pfr0 & 0x00f0fffff000ff00ul, 0);
	assert_int_equal(pfr0 & 0xf0000ff, 0x1000011); /* EL0, EL1 and the GIC stay */
	assert_true(read_id(5, 0, &dfr0));
	assert_int_equal(dfr0 >> 8 & 0xf, 0);
	assert_int_equal(dfr0 & 0xf, 1);
	assert_true(read_id(6, 1, &isar1));
	assert_int_equal(isar1 >> 4 & 0xff, 0); /* pointer authentication */
	for (unsigned op2 = 2; op2 < 8; op2++) {
		assert_true(read_id(4, op2, &other));
		assert_int_equal(other, 0);
	}
	assert_false(read_id(0, 1, &other)); /* not trapped by TID3: never comes here */
}

static void test_every_name_is_answered_and_only_rt_changes(void **state)
{
	(void)state;
	for (unsigned name = 0; name < 0x200000; name++) {
		uint32_t iss = (name >> 17 & 3) << 20 | (name >> 14 & 7) << 17 |
			       (name >> 11 & 7) << 14 | (name >> 7 & 0xf) << 10 | 9u << 5 |
			       (name >> 3 & 0xf) << 1 | (name & 1);
		struct frame f = {.spsr = EL1H};

		if (name & 6) /* 2 bits that the name does not have */
			continue;
		for (unsigned i = 0; i < 31; i++)
			f.x[i] = i;
		f.x[9] = 0;
		sysreg_emulate(d->vcpu[0], &f, iss);
		for (unsigned i = 0; i < 31; i++)
			assert_true(i == 9 || f.x[i] == i);
		assert_int_equal(f.elr, 0);
	}
}

static void test_el0_gets_nothing_but_counter_and_timer(void **state)
{
	struct frame f = {.spsr = 0};

	(void)state;
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, 4u, 0u, 0u, 1u)));
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 12u, 11u, 5u, 0u, 0u)));
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 3u, 14u, 2u, 1u, 0u, 1u)));
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 3u, 14u, 0u, 1u, 0u, 1u)));
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 3u, 14u, 0u, 1u, 0u, 0u)));
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(2u, 0u, 0u, 2u, 2u, 0u, 1u)));
	f.spsr = 0x10; /* AArch32 EL0 */
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, 4u, 0u, 0u, 1u)));
}

static void test_unknown_registers_do_not_exist(void **state)
{
	static const uint32_t names[] = {
		ISS(3u, 0u, 15u, 0u, 0u, 0u, 1u), ISS(3u, 3u, 15u, 15u, 7u, 0u, 0u),
		ISS(3u, 4u, 1u, 1u, 0u, 0u, 1u),  ISS(3u, 6u, 1u, 1u, 0u, 0u, 1u),
		ISS(2u, 1u, 0u, 0u, 0u, 0u, 1u),  ISS(3u, 0u, 1u, 2u, 0u, 0u, 1u),
		ISS(3u, 0u, 0u, 4u, 0u, 0u, 0u),  ISS(3u, 0u, 12u, 11u, 5u, 0u, 1u),
		ISS(1u, 0u, 7u, 6u, 2u, 0u, 1u),  ISS(1u, 0u, 8u, 7u, 0u, 0u, 0u),
		ISS(0u, 0u, 0u, 0u, 0u, 0u, 0u),
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		struct frame f = {.spsr = EL1H};

		assert_false(sysreg_emulate(d->vcpu[0], &f, names[i]));
	}
}

static void test_known_ones_read_zero_and_ignore_writes(void **state)
{
	static const uint32_t names[] = {
		ISS(3u, 0u, 1u, 0u, 1u, 3u, 1u),  /* ACTLR */
		ISS(3u, 3u, 9u, 12u, 0u, 3u, 1u), /* PMCR */
		ISS(2u, 3u, 0u, 1u, 0u, 3u, 1u),  /* MDCCSR_EL0 */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		struct frame f = {.spsr = EL1H};

		f.x[3] = 5;
		assert_true(sysreg_emulate(d->vcpu[0], &f, names[i] & ~1u));
		assert_true(sysreg_emulate(d->vcpu[0], &f, names[i]));
		assert_int_equal(f.x[3], 0);
	}
}

static void test_debug_registers_are_kept(void **state)
{
	static const struct {
		uint32_t name;
		uint64_t kept;
	} known[] = {
		{ISS(2u, 0u, 0u, 0u, 4u, 3u, 1u), ~0ul},	    /* DBGBVR0 */
		{ISS(2u, 0u, 0u, 15u, 5u, 3u, 1u), 0xffffffff}, /* DBGBCR15 */
		{ISS(2u, 0u, 0u, 15u, 6u, 3u, 1u), ~0ul},	    /* DBGWVR15 */
		{ISS(2u, 0u, 0u, 0u, 7u, 3u, 1u), 0xffffffff},  /* DBGWCR0 */
		{ISS(2u, 0u, 0u, 2u, 2u, 3u, 1u), 0xb001},	    /* MDSCR */
	};
	struct frame f = {.spsr = EL1H};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		f.x[3] = ~0ul;
		assert_true(sysreg_emulate(d->vcpu[0], &f, known[i].name & ~1u));
		f.x[3] = 0;
		assert_true(sysreg_emulate(d->vcpu[0], &f, known[i].name));
		assert_int_equal(f.x[3], known[i].kept);
	}
	f.x[3] = 1;
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(2u, 0u, 1u, 0u, 4u, 3u, 0u))); /* OSLAR */
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(2u, 0u, 1u, 1u, 4u, 3u, 1u)));
	assert_int_equal(f.x[3], 8 | 2);
}

static void test_gic_has_system_registers_whatever_is_written(void **state)
{
	struct frame f = {.spsr = EL1H};

	(void)state;
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 12u, 12u, 5u, 3u, 0u)));
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 12u, 12u, 5u, 3u, 1u)));
	assert_int_equal(f.x[3], 7); /* SRE, DFB, DIB */
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 12u, 12u, 4u, 3u, 1u)));
	f.spsr = 0;
	assert_false(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 12u, 12u, 5u, 3u, 1u)));
}

static void test_reads_into_the_upper_registers_are_carried_back(void **state)
{
	struct frame f = {.spsr = EL1H};

	(void)state;
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, 4u, 0u, 18u, 1u)));
	assert_int_equal(f.dirty, 0);
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, 4u, 0u, 19u, 1u)));
	assert_int_equal(f.dirty, 1);
	f.dirty = 0;
	assert_true(sysreg_emulate(d->vcpu[0], &f, ISS(3u, 0u, 0u, 4u, 0u, 31u, 1u))); /* xzr */
	assert_int_equal(f.dirty, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_id_registers_hide_what_nobody_switches),
		T(test_every_name_is_answered_and_only_rt_changes),
		T(test_el0_gets_nothing_but_counter_and_timer),
		T(test_unknown_registers_do_not_exist),
		T(test_known_ones_read_zero_and_ignore_writes),
		T(test_debug_registers_are_kept),
		T(test_gic_has_system_registers_whatever_is_written),
		T(test_reads_into_the_upper_registers_are_carried_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
