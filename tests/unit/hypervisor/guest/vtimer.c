/* The timers of a guest against a fake CNTV, a fake counter and the real vGIC. */
#include "guest/vtimer.h"
#include "drivers/gicv3.h"
#include "fake/machine.h"
#include "guest/vgic.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SGI(cpu, offset) (FAKE_GICR + (cpu)*0x20000ul + 0x10000 + (offset))
#define VIRTUAL		 27u
#define PHYSICAL	 30u
#define FAR		 (1ul << 40)

static struct domain *d;
static struct vcpu *v;

static int setup(void **state)
{
	(void)state;
	d = fake_domain(1);
	v = d->vcpu[0];
	fake_run(d, 0);
	vtimer_cpu_init();
	vtimer_reset(v);
	fake_write(FAKE_GICD, 4, 2);
	fake_write(SGI(0, 0x100), 4, 1u << VIRTUAL | 1u << PHYSICAL);
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}

static bool pending(unsigned intid)
{
	bool is = fake_read(SGI(0, 0x200), 4) >> intid & 1;

	fake_run(d, 0);
	return is;
}

/* The guest programs CNTV; its interrupt comes when its line is up and the machine's interrupt is not active. */
static void cntv(uint64_t ctl, uint64_t cval)
{
	fake_state[0].cntv = (struct guest_timer){ctl, cval};
	if (guest_timer_line() && !(fake_state[0].ppi_active >> VIRTUAL & 1)) {
		gic_set_active(VIRTUAL, true);
		fake_timer_irq(VIRTUAL, NULL);
	}
}

static void test_virtual_is_forwarded_and_ended_by_the_guest(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		cntv(1, 0);
		assert_int_equal(fake_acknowledge(), VIRTUAL);
		cntv(0, 0);
		assert_true(fake_state[0].ppi_active >> VIRTUAL & 1);
		fake_end(VIRTUAL);
		assert_false(fake_state[0].ppi_active >> VIRTUAL & 1);
		assert_int_equal(fake_acknowledge(), 1023);
		assert_int_equal(v->work & (WORK_IRQ | WORK_VGIC),
				 0); /* no way through marks and work */
	}
}

static void test_virtual_pending_is_its_line(void **state)
{
	(void)state;
	fake_write(SGI(0, 0x180), 4, 1u << VIRTUAL);
	assert_false(pending(VIRTUAL));
	cntv(1, 0);
	assert_true(pending(VIRTUAL));
	cntv(3, 0);
	assert_false(pending(VIRTUAL));
	assert_false(fake_state[0].ppi_active >> VIRTUAL & 1); /* given back to the machine */
	cntv(1, 0);
	assert_true(pending(VIRTUAL));
	fake_write(SGI(0, 0x100), 4, 1u << VIRTUAL);
	assert_int_equal(fake_acknowledge(), VIRTUAL);
}

static void test_virtual_lowered_before_the_acknowledge_is_gone(void **state)
{
	(void)state;
	cntv(1, 0);
	cntv(0, 0);
	assert_false(pending(VIRTUAL));
	assert_int_equal(fake_acknowledge(), 1023);
	assert_false(fake_state[0].ppi_active >> VIRTUAL & 1);
	cntv(1, 0);
	assert_int_equal(fake_acknowledge(), VIRTUAL);
}

static void test_virtual_active_moves_with_its_vcpu(void **state)
{
	(void)state;
	cntv(1, 0);
	assert_int_equal(fake_acknowledge(), VIRTUAL);
	assert_int_equal(vtimer_leave(v) == ~0ul,
			 0); /* its time is past and its interrupt enabled */
	vgic_leave(v);
	assert_false(fake_state[0].ppi_active >> VIRTUAL & 1); /* free for the next one */
	assert_int_equal(fake_state[0].cntv.ctl, 0);
	vgic_arrive(v);
	vtimer_arrive(v);
	assert_true(fake_state[0].ppi_active >> VIRTUAL & 1);
	fake_end(VIRTUAL);
	assert_false(fake_state[0].ppi_active >> VIRTUAL & 1);
}

static void test_virtual_pending_comes_again_after_a_switch(void **state)
{
	(void)state;
	cntv(1, 0);
	vtimer_leave(v);
	vgic_leave(v);
	vgic_arrive(v);
	vtimer_arrive(v);
	assert_int_equal(fake_acknowledge(), 1023); /* not before the machine says so */
	cntv(1, 0);
	assert_int_equal(fake_acknowledge(), VIRTUAL);
}

static void test_leave_tells_the_earliest_deadline(void **state)
{
	(void)state;
	d->counter_offset = 1000;
	fake_state[0].cntv = (struct guest_timer){1, FAR};
	vtimer_write(v, VTIMER_CVAL, FAR + 500);
	vtimer_write(v, VTIMER_CTL, 1);
	assert_int_equal(vtimer_leave(v), FAR + 500);
	vtimer_arrive(v);
	vtimer_write(v, VTIMER_CTL, 3);
	assert_int_equal(vtimer_leave(v), FAR + 1000);
	vtimer_arrive(v);
	assert_int_equal(fake_state[0].cntv_offset, 1000);
	fake_state[0].cntv.ctl = 3;
	assert_int_equal(vtimer_leave(v), ~0ul);
	vtimer_arrive(v);
	fake_state[0].cntv = (struct guest_timer){1, ~0ul - 10}; /* passes the end of time */
	assert_int_equal(vtimer_leave(v), ~0ul);
}

static void test_leave_ignores_a_past_deadline_that_nobody_hears(void **state)
{
	(void)state;
	fake_write(SGI(0, 0x180), 4, 1u << VIRTUAL);
	fake_state[0].cntv = (struct guest_timer){1, 1};
	assert_int_equal(vtimer_leave(v), ~0ul);
	vtimer_arrive(v);
	fake_write(SGI(0, 0x100), 4, 1u << VIRTUAL);
	fake_state[0].cntv = (struct guest_timer){1, 1};
	assert_int_equal(vtimer_leave(v), 1 + d->counter_offset);
}

static void test_physical_condition_and_line(void **state)
{
	(void)state;
	vtimer_write(v, VTIMER_CVAL, FAR);
	vtimer_write(v, VTIMER_CTL, 1);
	assert_int_equal(vtimer_read(v, VTIMER_CTL), 1);
	assert_false(pending(PHYSICAL));
	assert_non_null(v->vtimer->timer.cpu);
	assert_int_equal(v->vtimer->timer.deadline, FAR);
	fake_counter = FAR;
	v->vtimer->timer.cpu = NULL;
	v->vtimer->timer.fire(v->vtimer->timer.arg);
	assert_int_equal(vtimer_read(v, VTIMER_CTL), 5);
	assert_true(pending(PHYSICAL));
	vtimer_write(v, VTIMER_CTL, 3);
	assert_int_equal(vtimer_read(v, VTIMER_CTL), 7);
	assert_false(pending(PHYSICAL));
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 1023);
	fake_counter = 0;
}

static void test_physical_timer_value_is_signed(void **state)
{
	(void)state;
	fake_counter = 1000000;
	vtimer_write(v, VTIMER_TVAL, 0xffffff00);
	assert_true(vtimer_read(v, VTIMER_CVAL) < 1000000);
	assert_true((int32_t)vtimer_read(v, VTIMER_TVAL) < -255);
	vtimer_write(v, VTIMER_TVAL, 0x1000);
	assert_true(vtimer_read(v, VTIMER_CVAL) >= 1000000 + 0x1000);
	vtimer_write(v, VTIMER_CTL, ~0ul & ~1ul);
	assert_int_equal(vtimer_read(v, VTIMER_CTL),
			 2); /* only what exists; no status while it is off */
	fake_counter = 0;
}

static void test_reset_turns_both_off(void **state)
{
	(void)state;
	cntv(1, 0);
	vtimer_write(v, VTIMER_CVAL, 0);
	vtimer_write(v, VTIMER_CTL, 1);
	vtimer_leave(v); /* it goes off */
	vgic_leave(v);
	vtimer_reset(v);
	vgic_reset(v);
	assert_int_equal(vtimer_read(v, VTIMER_CTL), 0);
	assert_int_equal(fake_state[0].cntv.ctl, 0);
	assert_false(fake_state[0].ppi_active >> VIRTUAL & 1);
	assert_int_equal(v->lines & (1u << VIRTUAL | 1u << PHYSICAL), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_virtual_is_forwarded_and_ended_by_the_guest),
		T(test_virtual_pending_is_its_line),
		T(test_virtual_lowered_before_the_acknowledge_is_gone),
		T(test_virtual_active_moves_with_its_vcpu),
		T(test_virtual_pending_comes_again_after_a_switch),
		T(test_leave_tells_the_earliest_deadline),
		T(test_leave_ignores_a_past_deadline_that_nobody_hears),
		T(test_physical_condition_and_line),
		T(test_physical_timer_value_is_signed),
		T(test_reset_turns_both_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
