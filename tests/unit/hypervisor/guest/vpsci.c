/* PSCI and SMCCC calls of a guest of four vCPUs, of which the first runs. */
#include "fake/guest_machine.h"
#include "fake/machine.h"
#include "guest/trap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct domain *d;
static struct frame frame;

static int64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	for (unsigned i = 0; i < 31; i++)
		frame.x[i] = 0x100 + i;
	frame.x[0] = function;
	frame.x[1] = a1;
	frame.x[2] = a2;
	frame.x[3] = a3;
	smccc_call(d->vcpu[0], &frame);
	for (unsigned i = 4; i < 31; i++)
		assert_int_equal(frame.x[i], 0x100 + i);
	return (int64_t)frame.x[0];
}

static int setup(void **state)
{
	(void)state;
	d = fake_domain(4);
	for (unsigned i = 1; i < 4; i++) {
		d->vcpu[i]->online = false;
		d->vcpu[i]->run = VCPU_OFFLINE;
	}
	fake_waits = 0;
	fake_workaround = 0;
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(call(0x84000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(0x80000000, 0, 0, 0), 0x10001);
}

static void test_functions_that_do_not_exist(void **state)
{
	static const uint32_t functions[] = {0,		 4,	     0x84000005, 0x84000007,
					     0x8400000b, 0x840000ff, 0xc4000000, 0xc4000002,
					     0xc4000008, 0xc400000a, 0x83000000, 0x86000000,
					     0x86ffffff, 0x80ffffff, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(functions); i++) {
		assert_int_equal(call(functions[i], 1, 2, 3), -1);
		assert_int_equal(call(0x8400000a, functions[i], 0, 0), -1);
	}
}

static void test_only_the_low_word_names_the_function(void **state)
{
	(void)state;
	assert_int_equal(call(0xdeadbeef84000000, 0, 0, 0), 0x10001);
}

static void test_cpu_on_starts_it_where_it_is_told(void **state)
{
	(void)state;
	assert_int_equal(call(0xc4000004, 1, 0, 0), 1);
	assert_int_equal(call(0xc4000003, 1, 0x40001000, 0x1234567890), 0);
	assert_true(d->vcpu[1]->online);
	assert_int_equal(d->vcpu[1]->state.frame.elr, 0x40001000);
	assert_int_equal(d->vcpu[1]->state.frame.x[0], 0x1234567890);
	assert_int_equal(call(0xc4000003, 1, 0x40001000, 0), -5);
	assert_int_equal(call(0xc4000004, 1, 0, 0), 2);
	d->vcpu[1]->online = VCPU_ON; /* its pCPU took it up */
	assert_int_equal(call(0xc4000003, 1, 0x40001000, 0), -4);
	assert_int_equal(call(0xc4000004, 1, 0, 0), 0);
}

static void test_arguments_of_32_bit_calls_are_cut(void **state)
{
	(void)state;
	assert_int_equal(call(0x84000003, 0xffffffff00000001, 0xffffffff40002000, ~0ul), 0);
	assert_int_equal(d->vcpu[1]->state.frame.elr, 0x40002000);
	assert_int_equal(d->vcpu[1]->state.frame.x[0], 0xffffffff);
	assert_int_equal(call(0x84000004, 0xffffffff00000000, 0, 0), 0);
}

/* On its way off it is not running any more, but on. */
static void test_cpu_that_goes_off_is_on_until_it_is_off(void **state)
{
	(void)state;
	d->vcpu[1]->online = VCPU_ON;
	d->vcpu[1]->stopping = true;
	for (unsigned run = VCPU_OFFLINE; run <= VCPU_RUNNABLE; run++) {
		d->vcpu[1]->run = run;
		assert_int_equal(call(0xc4000004, 1, 0, 0), 0);
		assert_int_equal(call(0xc4000003, 1, 0x40001000, 0), -4);
	}
	d->vcpu[1]->online = VCPU_OFF;
	assert_int_equal(call(0xc4000004, 1, 0, 0), 1);
	assert_int_equal(call(0xc4000003, 1, 0x40001000, 0), 0);
}

static void test_cpu_on_refuses(void **state)
{
	static const uint64_t nobody[] = {4,	     15,	16,	   0x100, 0x10000,
					  1ul << 32, 1ul << 31, 1ul << 24, ~0ul};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(nobody); i++) {
		assert_int_equal(call(0xc4000003, nobody[i], 0x40000000, 0), -2);
		assert_int_equal(call(0xc4000004, nobody[i], 0, 0), -2);
	}
	assert_int_equal(call(0xc4000003, 1, 0x40000002, 0), -9);
	assert_false(d->vcpu[1]->online);
	assert_int_equal(call(0xc4000004, 1, 1, 0), -2); /* only level 0 */
}

static void test_suspend_waits(void **state)
{
	(void)state;
	assert_int_equal(call(0xc4000001, 0, 0x40000000, 0), 0);
	assert_int_equal(call(0x84000001, 0x10000, 0x40000000, 0), 0);
	assert_int_equal(fake_waits, 2);
	assert_int_equal(call(0xc4000001, 0x80000000, 0, 0), -2);
	assert_int_equal(fake_waits, 2);
}

static void test_off_stops_the_caller(void **state)
{
	(void)state;
	call(0x84000002, 0, 0, 0);
	assert_true(d->vcpu[0]->work & WORK_STOP);
}

static void test_reset_and_off_reach_the_domain(void **state)
{
	(void)state;
	d->state = DOMAIN_RUNNING;
	call(0x84000009, 0, 0, 0);
	assert_int_equal(d->shut, SHUT_REBOOT + 1);
	call(0x84000008, 0, 0, 0); /* the first reason counts */
	assert_int_equal(d->shut, SHUT_REBOOT + 1);
}

static void test_workarounds_are_the_firmwares(void **state)
{
	(void)state;
	assert_int_equal(call(0x80000001, 0x80008000, 0, 0), 0);
	fake_workaround = -1;
	assert_int_equal(call(0x80000001, 0x80008000, 0, 0), -1);
	assert_int_equal(call(0x80008000, 0, 0, 0), -1);
	assert_int_not_equal(fake_firmware_calls[0],
			     0x80008000); /* not called when it is not there */
	fake_workaround = 0;
	assert_int_equal(call(0x80008000, 0, 0, 0), 0);
	assert_int_equal(fake_firmware_calls[0], 0x80008000);
	/* one that switches the whole CPU is not the guest's: nothing to do, and the firmware is not called */
	assert_int_equal(call(0x80000001, 0x80007fff, 0, 0), 1);
	assert_int_equal(call(0x80007fff, 1, 0, 0), 0);
	assert_int_not_equal(fake_firmware_calls[0], 0x80007fff);
	assert_int_equal(call(0x80000001, 0x84000000, 0, 0), -1);
}

static void test_hypervisor_names_itself(void **state)
{
	(void)state;
	call(0x8600ff01, 0, 0, 0);
	assert_int_equal(frame.x[0], 0xa1d23bce);
	call(0x8600ff03, 0, 0, 0);
	assert_int_equal(frame.x[0], 0);
	assert_int_equal(frame.x[1], 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_versions),
		T(test_functions_that_do_not_exist),
		T(test_only_the_low_word_names_the_function),
		T(test_cpu_on_starts_it_where_it_is_told),
		T(test_arguments_of_32_bit_calls_are_cut),
		T(test_cpu_that_goes_off_is_on_until_it_is_off),
		T(test_cpu_on_refuses),
		T(test_suspend_waits),
		T(test_off_stops_the_caller),
		T(test_reset_and_off_reach_the_domain),
		T(test_workarounds_are_the_firmwares),
		T(test_hypervisor_names_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
