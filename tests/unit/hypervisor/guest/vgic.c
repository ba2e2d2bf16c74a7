/* The guest's GICv3 against a fake machine: registers, list registers, more interrupts than list registers. */
#include "guest/vgic.h"
#include "drivers/gicv3.h"
#include "fake/machine.h"
#include "guest/trap.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GICD(offset)	 (FAKE_GICD + (offset))
#define GICR(offset)	 (FAKE_GICR + (offset))
#define SGI(cpu, offset) (FAKE_GICR + (cpu)*0x20000ul + 0x10000 + (offset))
#define RD(cpu, offset)	 (FAKE_GICR + (cpu)*0x20000ul + (offset))

static struct domain *d;

static int setup(void **state)
{
	(void)state;
	d = fake_domain(2);
	for (unsigned i = 2; i-- > 0;) {
		fake_run(d, i);
		fake_write(GICD(0), 4, 2); /* EnableGrp1A */
	}
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}

static void enable(unsigned intid, uint8_t priority, bool edge)
{
	unsigned at = intid / 32 * 4;
	uint64_t frame = intid < 32 ? GICR(0x10000) : GICD(0);

	if (edge)
		fake_write(frame + 0xc00 + intid / 16 * 4, 4,
			   2u << intid % 16 * 2 | fake_read(frame + 0xc00 + intid / 16 * 4, 4));
	fake_write(frame + 0x400 + intid, 1, priority);
	fake_write(frame + 0x100 + at, 4, 1u << intid % 32);
}

static void test_identification_registers(void **state)
{
	(void)state;
	assert_int_equal(fake_read(GICD(0x8), 4), 0x4400043b);
	assert_int_equal(fake_read(GICD(0x4), 4) & 0x1f, FAKE_SPIS / 32);
	assert_int_equal(fake_read(GICD(0xc), 4), 0);
	assert_int_equal(fake_read(GICD(0xffe8), 4) & 0xf0, 0x30);
	assert_int_equal(fake_read(RD(1, 0xffe8), 4) & 0xf0, 0x30);
	assert_int_equal(fake_read(RD(0, 8), 8), 0);
	assert_int_equal(fake_read(RD(1, 8), 8), 1ul << 32 | 1 << 8 | 1 << 4); /* last */
	assert_int_equal(fake_read(RD(1, 8), 4), 1 << 8 | 1 << 4);
	assert_int_equal(fake_read(RD(1, 0xc), 4), 1);
	assert_int_equal(fake_read(RD(0, 0x14), 4), 0);
}

static void test_reserved_registers_read_zero_and_ignore_writes(void **state)
{
	static const unsigned offsets[] = {0x10,   0x40,   0x48,   0x7c,   0x80,   0x800,
					   0x820,  0xbfc,  0xd00,  0xe00,  0xf00,  0xf10,
					   0x1000, 0x5ffc, 0x6000, 0x60f8, 0x8000, 0xffcc,
					   0x100,  0x200,  0x300,  0x400,  0xc00};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		fake_write(GICD(offsets[i]), 4, ~0u);
		assert_int_equal(fake_read(GICD(offsets[i]), 4), 0);
	}
}

static void test_access_sizes_are_those_of_the_specification(void **state)
{
	(void)state;
	fake_write(GICD(0x420), 4, 0x48403830);
	assert_int_equal(fake_read(GICD(0x421), 1), 0x38);
	fake_write(GICD(0x422), 1, 0xff);
	assert_int_equal(fake_read(GICD(0x420), 4), 0x48f83830); /* five bits of priority */
	assert_int_equal(fake_read(GICD(0x420), 2), 0);
	assert_int_equal(fake_read(GICD(0x8), 1), 0);
	assert_int_equal(fake_read(GICD(0x0), 8), 0);
	fake_write(GICD(0x6100), 8, 1);
	assert_int_equal(fake_read(GICD(0x6100), 8), 1);
	assert_int_equal(fake_read(GICD(0x6104), 4), 0);
	fake_write(GICD(0x6100), 4, 0);
	assert_int_equal(fake_read(GICD(0x6100), 8), 0);
}

static void test_an_edge_is_pending_then_active_then_idle(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x204), 4, 2);
	assert_int_equal(fake_read(GICD(0x204), 4), 2);
	assert_int_equal(fake_read(GICD(0x284), 4), 2);
	assert_int_equal(fake_read(GICD(0x304), 4), 0);
	assert_int_equal(fake_acknowledge(), 33);
	assert_int_equal(fake_read(GICD(0x204), 4), 0);
	assert_int_equal(fake_read(GICD(0x304), 4), 2);
	fake_write(GICD(0x204), 4, 2); /* again while active */
	assert_int_equal(fake_read(GICD(0x204), 4), 2);
	assert_int_equal(fake_read(GICD(0x304), 4), 2);
	fake_end(33);
	assert_int_equal(fake_acknowledge(), 33);
	fake_end(33);
	assert_int_equal(fake_read(GICD(0x304), 4), 0);
	assert_int_equal(fake_acknowledge(), 1023);
}

static void test_icpendr_takes_it_out_of_the_list_register(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x204), 4, 2);
	fake_write(GICD(0x284), 4, 2);
	assert_int_equal(fake_read(GICD(0x204), 4), 0);
	assert_int_equal(fake_acknowledge(), 1023);
}

static void test_a_disabled_interrupt_stays_pending(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x204), 4, 2);
	fake_write(GICD(0x184), 4, 2);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(GICD(0x204), 4), 2);
	fake_write(GICD(0x104), 4, 2);
	assert_int_equal(fake_acknowledge(), 33);
}

static void test_isactiver_and_icactiver(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x304), 4, 2);
	assert_int_equal(fake_read(GICD(0x384), 4), 2);
	fake_write(GICD(0x204), 4, 2);
	assert_int_equal(fake_acknowledge(), 1023); /* active: not signalled */
	fake_write(GICD(0x384), 4, 2);
	assert_int_equal(fake_read(GICD(0x304), 4), 0);
	assert_int_equal(fake_acknowledge(), 33);
}

static void test_a_level_stays_pending_until_the_line_falls(void **state)
{
	(void)state;
	enable(34, 0x80, false);
	assert_int_equal(vgic_set_spi(d, 34, true), 0);
	fake_run(d, 0);
	fake_write(GICD(0x284), 4, 4); /* ICPENDR does not clear a level */
	assert_int_equal(fake_read(GICD(0x204), 4), 4);
	assert_int_equal(fake_acknowledge(), 34);
	fake_end(34);
	vgic_maintenance(25, NULL);
	assert_int_equal(fake_acknowledge(), 34);
	vgic_set_spi(d, 34, false);
	fake_run(d, 0);
	fake_end(34);
	vgic_maintenance(25, NULL);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(vgic_set_spi(d, 31, true), -EINVAL);
	assert_int_equal(vgic_set_spi(d, 32 + FAKE_SPIS, true), -EINVAL);
}

static void test_more_interrupts_than_list_registers_come_by_priority(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++)
		enable(64 + i, (uint8_t)(0xf8 - 8 * i), true);
	fake_write(GICD(0x208), 4, 0xfff);
	for (unsigned i = 12; i-- > 0;) {
		assert_int_equal(fake_acknowledge(), 64 + i);
		assert_int_equal(fake_read(GICD(0x308), 4), 1u << i);
		fake_end(64 + i);
		vgic_maintenance(25, NULL);
	}
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(GICD(0x208), 4), 0);
	assert_int_equal(fake_state[0].hcr, HCR_EN | HCR_LRENPIE);
}

static void test_nested_deeper_than_list_registers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) { /* each interrupts the one before */
		enable(64 + i, (uint8_t)(0x80 - 8 * i), true);
		fake_write(GICD(0x208), 4, 1u << i);
		assert_int_equal(fake_acknowledge(), 64 + i);
	}
	assert_int_equal(fake_read(GICD(0x308), 4), 0xff);
	for (unsigned i = 8; i-- > 0;) {
		fake_end(64 + i);
		vgic_maintenance(25, NULL);
		assert_int_equal(fake_read(GICD(0x308), 4), (1u << i) - 1);
	}
	assert_int_equal(fake_read(GICD(0x308), 4), 0);
}

static void test_a_device_is_deactivated_once_for_each_interrupt(void **state)
{
	(void)state;
	enable(FAKE_DEVICE, 0x80, false);
	assert_true(fake_enabled);
	vcpu_mark_irq(d->vcpu[0], FAKE_DEVICE);
	fake_run(d, 0);
	for (unsigned i = 1; i < 5; i++) {
		assert_int_equal(fake_acknowledge(), FAKE_DEVICE);
		fake_end(FAKE_DEVICE);
		assert_int_equal(fake_deactivated, i);
		vcpu_mark_irq(d->vcpu[0],
			      FAKE_DEVICE); /* again, before anybody emptied the list register */
		fake_run(d, 0);
	}
	fake_write(GICD(0x284), 4, 1u << (FAKE_DEVICE - 32)); /* dropped by software */
	assert_int_equal(fake_deactivated, 5);
	assert_int_equal(fake_acknowledge(), 1023);
	fake_write(GICD(0x184), 4, 1u << (FAKE_DEVICE - 32));
	assert_false(fake_enabled);
}

static void test_ispendr_of_a_device_reaches_the_machine(void **state)
{
	(void)state;
	fake_write(GICD(0xc00 + FAKE_DEVICE / 16 * 4), 4, ~0u); /* an edge */
	fake_write(GICD(0x204), 4, 1u << (FAKE_DEVICE - 32));
	assert_int_equal(fake_pending_word, 1u << (FAKE_DEVICE - 32));
	assert_int_equal(fake_read(GICD(0x204), 4), 1u << (FAKE_DEVICE - 32));
}

static void test_ispendr_of_a_level_is_latched_here(void **state)
{
	(void)state;
	fake_write(GICD(0x204), 4, 1u << (FAKE_DEVICE - 32));
	assert_int_equal(fake_pending_word, 0);
	assert_int_equal(fake_read(GICD(0x204), 4), 1u << (FAKE_DEVICE - 32));
	enable(FAKE_DEVICE, 0x80, false);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), FAKE_DEVICE);
	assert_int_equal(fake_read(GICD(0x204), 4), 0);
	fake_end(FAKE_DEVICE);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_deactivated, 0); /* the machine never had it */
}

/* The line of a device goes down before the guest has acknowledged its interrupt. */
static void test_a_devices_line_that_goes_down_is_no_longer_pending(void **state)
{
	(void)state;
	enable(FAKE_DEVICE, 0x80, false);
	fake_pending_word = 1u << (FAKE_DEVICE - 32); /* still up after EL2's acknowledge */
	vcpu_mark_irq(d->vcpu[0], FAKE_DEVICE);
	fake_run(d, 0);
	assert_int_equal(fake_read(GICD(0x204), 4), 1u << (FAKE_DEVICE - 32));
	fake_pending_word = 0;
	assert_int_equal(fake_read(GICD(0x204), 4), 0);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_deactivated, 1);
	/* and when it is up again it comes again */
	vcpu_mark_irq(d->vcpu[0], FAKE_DEVICE);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), FAKE_DEVICE);
}

/* While the guest handles a device's level, its line tells whether it is pending too. */
static void test_a_devices_level_is_active_and_pending(void **state)
{
	(void)state;
	enable(FAKE_DEVICE, 0x80, false);
	vcpu_mark_irq(d->vcpu[0], FAKE_DEVICE);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), FAKE_DEVICE);
	fake_pending_word = 1u << (FAKE_DEVICE - 32);
	assert_int_equal(fake_read(GICD(0x204), 4), 1u << (FAKE_DEVICE - 32));
	assert_int_equal(fake_read(GICD(0x304), 4), 1u << (FAKE_DEVICE - 32));
	fake_pending_word = 0;
	assert_int_equal(fake_read(GICD(0x204), 4), 0);
	fake_end(FAKE_DEVICE);
	assert_int_equal(fake_deactivated, 1);
}

/* The state of an interrupt that another vCPU has in a list register is asked for before it is told: also when that one just stopped,
 * and its registers are still on its CPU. */
static void asks_for_states(enum vcpu_run run)
{
	struct mmio m = {.ipa = IPA(SGI(1, 0x300)), .size = 4};

	fake_run(d, 1);
	fake_write(SGI(1, 0x400), 1, 0x80);
	fake_write(SGI(1, 0x100), 4, 1);
	vgic_send_sgi(d->vcpu[1], 2);
	assert_int_equal(fake_acknowledge(), 0);
	fake_run(d, 0);
	d->vcpu[1]->run = run;
	assert_true(mmio_emulate(d->vcpu[0], &m));
	assert_int_equal(m.size, 0); /* come again */
	assert_true(d->vcpu[1]->work & WORK_VGIC);
	fake_run(d, 1);
	fake_run(d, 0);
	assert_int_equal(fake_read(SGI(1, 0x300), 4), 1);
}

static void test_states_held_elsewhere_are_asked_for(void **state)
{
	(void)state;
	asks_for_states(VCPU_RUNNING);
}

static void test_states_of_one_that_just_stopped_are_asked_for(void **state)
{
	(void)state;
	asks_for_states(VCPU_RUNNABLE);
}

static void test_sgis_reach_their_targets(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fake_run(d, i);
		fake_write(SGI(i, 0x100), 4, 0xffff);
	}
	fake_run(d, 0);
	vgic_send_sgi(d->vcpu[0], 5ul << 24 | 3); /* both */
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 5);
	vgic_send_sgi(d->vcpu[0], 1ul << 40 | 6ul << 24);     /* all but self */
	vgic_send_sgi(d->vcpu[0], 1ul << 32 | 7ul << 24 | 3); /* another cluster: nobody */
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 1023);
	fake_run(d, 1);
	assert_int_equal(fake_read(SGI(1, 0x200), 4), 1u << 5 | 1u << 6);
	assert_int_equal(fake_acknowledge(), 5);
	assert_int_equal(fake_acknowledge(), 6);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(SGI(1, 0xc00), 4), 0xaaaaaaaa);
}

static void test_irouter_moves_what_is_pending(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x204), 4, 2);
	fake_write(GICD(0x6108), 8, 1);
	assert_int_equal(fake_acknowledge(), 1023);
	fake_run(d, 1);
	assert_int_equal(fake_acknowledge(), 33);
	fake_end(33);
	fake_write(GICD(0x6108), 8, 0x900); /* no such vCPU: it waits */
	fake_write(GICD(0x204), 4, 2);
	assert_int_equal(fake_acknowledge(), 1023);
	fake_run(d, 0);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(GICD(0x204), 4), 2);
	fake_write(GICD(0x6108), 8, 0);
	assert_int_equal(fake_acknowledge(), 33);
}

static void test_rwp_lasts_until_the_other_vcpu_gave_it_back(void **state)
{
	(void)state;
	enable(33, 0x80, true);
	fake_write(GICD(0x6108), 8, 1);
	fake_write(GICD(0x204), 4, 2);
	fake_run(d, 1);
	fake_run(d, 0);
	fake_write(GICD(0x184), 4, 2);
	assert_int_equal(fake_read(GICD(0), 4), 1u << 31 | 0x12);
	fake_run(d, 1);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(GICD(0), 4), 0x12);
}

static void test_redistributors_rwp_lasts_until_its_vcpu_gave_it_back(void **state)
{
	(void)state;
	fake_write(GICR(0x30100), 4, 8); /* SGI 3 of vCPU 1 */
	fake_write(GICR(0x30200), 4, 8);
	fake_run(d, 1);
	fake_run(d, 0);
	fake_write(GICR(0x30180), 4, 8);
	assert_int_equal(fake_read(GICR(0x20000), 4), 8);
	assert_int_equal(fake_read(GICR(0), 4), 0);
	fake_run(d, 1);
	assert_int_equal(fake_acknowledge(), 1023);
	assert_int_equal(fake_read(GICR(0x20000), 4), 0);
}

/* Six active SGIs, of which four are in list registers. */
static void six_active(void)
{
	for (unsigned i = 0; i < 6; i++) {
		enable(i, 0x80, true);
		fake_write(GICR(0x10200), 4, 1u << i);
		assert_int_equal(fake_acknowledge(), i);
		fake_run(d, 0);
	}
	fake_write(GICR(0x10280), 4, 0xff); /* a look at all */
	assert_int_equal(fake_read(GICR(0x10300), 4), 0x3f);
}

static void deactivate(unsigned intid)
{
	assert_true(fake_state[0].hcr & HCR_TDIR);
	vgic_deactivate(d->vcpu[0], intid);
	fake_run(d, 0);
}

static void test_what_is_deactivated_apart_is_named(void **state)
{
	static const unsigned order[] = {5, 0, 4, 1, 3, 2};
	uint32_t left = 0x3f;

	(void)state;
	fake_state[0].splits_end = true;
	six_active();
	for (unsigned i = 0; i < 6; i++) {
		deactivate(order[i]);
		left &= ~(1u << order[i]);
		assert_int_equal(fake_read(GICR(0x10300), 4), left);
	}
	deactivate(33); /* not active; none; none */
	deactivate(1023);
	deactivate(0xffffff);
}

static void test_priority_drops_of_what_is_spilled_deactivate_nothing(void **state)
{
	(void)state;
	fake_state[0].splits_end = true;
	six_active();
	fake_state[0].ended = 2;
	fake_run(d, 0);
	assert_int_equal(fake_read(GICR(0x10300), 4), 0x3f);
	fake_state[0].splits_end = false; /* now the end is the deactivation, and ICC_DIR is not */
	vgic_deactivate(d->vcpu[0], 5);
	assert_int_equal(fake_read(GICR(0x10300), 4), 0x3f);
	fake_state[0].ended = 1;
	d->vcpu[0]->work |= WORK_VGIC;
	fake_run(d, 0);
	assert_int_equal(__builtin_popcount((unsigned)fake_read(GICR(0x10300), 4)), 5);
}

static void test_an_spi_is_deactivated_on_another_cpu(void **state)
{
	(void)state;
	fake_state[1].splits_end = true;
	enable(33, 0x80, true);
	fake_write(GICD(0x204), 4, 2);
	assert_int_equal(fake_acknowledge(), 33);
	fake_run(d, 1);
	vgic_deactivate(d->vcpu[1], 33);
	fake_run(d, 0);
	assert_int_equal(fake_read(GICD(0x304), 4), 0);
}

static void test_priority_raised_outside_of_the_list_registers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		enable(i, 0x80, true);
		fake_write(GICR(0x10200), 4, 1u << i);
	}
	fake_write(GICR(0x10405), 1, 0x20);
	assert_int_equal(fake_acknowledge(), 5);
}

static void test_a_vcpu_without_its_registers_is_kicked_again(void **state)
{
	struct vcpu *v = d->vcpu[0];

	(void)state;
	enable(33, 0x80, true);
	enable(34, 0x40, true);
	fake_write(GICD(0x204), 4, 2);
	assert_int_equal(fake_acknowledge(), 33);
	vgic_leave(v);
	v->run = VCPU_BLOCKED;
	v->blocked = true;
	v->work = 0;
	fake_cpu = &cpus[1];
	fake_write(GICD(0x204), 4, 4);
	assert_false(v->blocked); /* sched_wake() */
	fake_cpu = &cpus[0];
	vgic_arrive(v);
	assert_int_equal(fake_acknowledge(), 34);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_identification_registers),
		T(test_reserved_registers_read_zero_and_ignore_writes),
		T(test_access_sizes_are_those_of_the_specification),
		T(test_an_edge_is_pending_then_active_then_idle),
		T(test_icpendr_takes_it_out_of_the_list_register),
		T(test_a_disabled_interrupt_stays_pending),
		T(test_isactiver_and_icactiver),
		T(test_a_level_stays_pending_until_the_line_falls),
		T(test_more_interrupts_than_list_registers_come_by_priority),
		T(test_nested_deeper_than_list_registers),
		T(test_a_device_is_deactivated_once_for_each_interrupt),
		T(test_ispendr_of_a_device_reaches_the_machine),
		T(test_ispendr_of_a_level_is_latched_here),
		T(test_a_devices_line_that_goes_down_is_no_longer_pending),
		T(test_a_devices_level_is_active_and_pending),
		T(test_states_held_elsewhere_are_asked_for),
		T(test_states_of_one_that_just_stopped_are_asked_for),
		T(test_sgis_reach_their_targets),
		T(test_irouter_moves_what_is_pending),
		T(test_rwp_lasts_until_the_other_vcpu_gave_it_back),
		T(test_redistributors_rwp_lasts_until_its_vcpu_gave_it_back),
		T(test_what_is_deactivated_apart_is_named),
		T(test_priority_drops_of_what_is_spilled_deactivate_nothing),
		T(test_an_spi_is_deactivated_on_another_cpu),
		T(test_priority_raised_outside_of_the_list_registers),
		T(test_a_vcpu_without_its_registers_is_kicked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
