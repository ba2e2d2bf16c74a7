/* Dom0's mailbox to the system controller, driven as Linux's mailbox driver drives the machine's, down to the simulated firmware. */
#include "guest/vscu.h"
#include "core/power.h"
#include "drivers/scu_power.h"
#include "drivers/scu_rpc.h"
#include "fake/machine.h"
#include "fake/power_machine.h"
#include "fake/scu_sim.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAILBOX 0x5d1c0000ul
#define INTID	70u
enum { UART = 57, DISK = 248, CARD = 249 };

static struct domain *d;

static uint32_t get(unsigned offset)
{
	return (uint32_t)fake_read(MAILBOX + offset, 4);
}
static void put(unsigned offset, uint32_t value)
{
	fake_write(MAILBOX + offset, 4, value);
}

static bool interrupted(void)
{
	return d->vgic->shared[INTID / 32 - 1].line >> INTID % 32 & 1;
}

static int setup(void **state)
{
	uint16_t ids[] = {UART, DISK, CARD};
	struct power_range range = {0x5b010000, 0x10000};

	(void)state;
	memset(fake_timers, 0, sizeof(fake_timers));
	memset(fake_mapped, 0, sizeof(fake_mapped));
	d = fake_domain(1);
	d->id = 0;
	d->privileged = true;
	sim_reset();
	assert_int_equal(scu_power_open(&sim_port, SIM_TIMEOUT), 0);
	assert_int_equal(power_init(&scu_power), 0);
	assert_int_equal(
		power_add("serial", &ids[0], 1, &range, 0, POWER_HYPERVISOR, "the console"), 0);
	assert_int_equal(power_add("disk", &ids[1], 1, &range, 1, 0, NULL), 0);
	assert_int_equal(power_add("card", &ids[2], 1, &range, 0, POWER_NOBODY, NULL), 0);
	assert_int_equal(vscu_create(d, MAILBOX, 0x10000, INTID), 0);
	power_start();
	sim.resource[DISK].vote[SIM_HOME] = 3;
	put(MU_CR, 0);
	for (unsigned n = 0; n < 4; n++)
		get(MU_RR(n));
	put(MU_CR, MU_RF(0));
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	d->id = 1;
	fake_domain_free(d);
	return sim.violations != 0;
}

/* imx_mu_specific_tx(): four words at once, the others when their register is free. */
static void send(const uint32_t *message)
{
	unsigned size = SCU_SIZE(message[0]);

	for (unsigned i = 0; i < size; i++) {
		if (i >= 4)
			assert_true(get(MU_SR) & MU_TE(i % 4));
		put(MU_TR(i % 4), message[i]);
	}
}

/* The interrupt, then imx_mu_specific_rx(). Returns the size; 0: no answer came. */
static unsigned receive(uint32_t *message)
{
	unsigned size;

	for (unsigned i = 0; i < 5000 && !interrupted(); i++)
		fake_timer_run(1);
	if (!interrupted())
		return 0;
	assert_true(get(MU_SR) & MU_RF(0));
	put(MU_CR, 0);
	assert_false(interrupted());
	message[0] = get(MU_RR(0));
	size = SCU_SIZE(message[0]);
	for (unsigned i = 1; i < size; i++) {
		assert_true(get(MU_SR) & MU_RF(i % 4));
		message[i] = get(MU_RR(i % 4));
	}
	put(MU_CR, MU_RF(0));
	assert_false(interrupted());
	return size;
}

static unsigned call(uint32_t *m, unsigned size, unsigned service, unsigned function, uint32_t w1)
{
	memset(m, 0, SCU_WORDS * sizeof(*m));
	m[0] = SCU_HEADER(size, service, function);
	m[1] = w1;
	send(m);
	return receive(m);
}

static void test_a_message_passes_and_its_answer_comes(void **state)
{
	uint32_t m[SCU_WORDS];

	(void)state;
	assert_int_equal(call(m, 2, SCU_PM, 4, DISK), 2);
	assert_int_equal(m[0] >> 24, SCU_OK);
	assert_int_equal(m[1] & 0xff, SCU_ON);
	assert_int_equal(call(m, 1, SCU_MISC, 19, 0), 3); /* unique id */
	assert_int_equal(m[1], 0x04030201);
	assert_int_equal(m[2], 0x08070605);
	/* runtime suspend, as Linux does it */
	assert_int_equal(call(m, 2, SCU_PM, 3, DISK | SCU_LP << 16), 1);
	assert_int_equal(sim.resource[DISK].vote[SIM_HOME], SCU_LP);
	assert_false(fake_timer_is_set());
}

static void test_linux_sees_only_what_is_its_own(void **state)
{
	uint32_t m[SCU_WORDS];
	unsigned calls = sim.calls;

	(void)state;
	for (unsigned id = 0; id < 546; id++) {
		assert_int_equal(call(m, 2, SCU_RM, 13, id), 1);
		assert_int_equal(m[0] >> 24, id == DISK || id == CARD);
	}
	/* the console does not go off under us, and a card that is off is not lit by "off" */
	assert_int_equal(call(m, 2, SCU_PM, 3, UART | SCU_LP << 16), 1);
	assert_int_equal(m[0] >> 24, SCU_NO_ACCESS);
	assert_int_equal(call(m, 2, SCU_PM, 3, CARD | SCU_LP << 16), 1);
	assert_int_equal(m[0] >> 24, SCU_OK);
	assert_int_equal(call(m, 2, SCU_PM, 3, CARD | SCU_ON << 16), 1);
	assert_int_equal(m[0] >> 24, SCU_NO_ACCESS);
	assert_int_equal(sim.calls, calls); /* the firmware heard none of this */
	assert_false(sim_powered(CARD));
}

static void test_interrupts_follow_the_flags(void **state)
{
	(void)state;
	assert_false(interrupted());
	put(MU_CR, MU_TE(2)); /* room to write */
	assert_true(interrupted());
	put(MU_CR, 0);
	assert_false(interrupted());
	put(MU_CR, ~0u);
	assert_int_equal(get(MU_CR), 0xfff00000); /* no requests to the other side */
	put(MU_CR, 0);
}

static void test_no_room_while_the_firmware_is_at_it(void **state)
{
	uint32_t m[SCU_WORDS] = {SCU_HEADER(2, SCU_PM, 4), DISK};

	(void)state;
	sim.latency = 500;
	send(m);
	assert_int_equal(get(MU_SR) & 0x00f00000, 0);
	put(MU_TR(0), SCU_HEADER(1, SCU_MISC, 19)); /* lost, as TE said */
	assert_int_equal(receive(m), 2);
	assert_int_equal(get(MU_SR) & 0x00f00000, 0x00f00000);
	assert_int_equal(receive(m), 0);
}

static void test_a_message_that_waits_for_its_turn_cannot_be_changed(void **state)
{
	uint32_t m[SCU_WORDS] = {SCU_HEADER(2, SCU_PM, 4), DISK};
	unsigned partition = sim.resource[DISK].owner;

	(void)state;
	assert_int_equal(power_refresh(DISK), 0);
	fake_timer_run(1); /* the mailbox is taken */
	send(m);
	/* judged, and not sent yet: now it says "give the disk to partition 0" */
	put(MU_TR(0), SCU_HEADER(2, SCU_RM, 8));
	put(MU_TR(1), DISK);
	assert_int_equal(receive(m), 2);
	assert_int_equal(m[1], SCU_ON);
	fake_timer_run(1000);
	assert_int_equal(sim.resource[DISK].owner, partition);
}

static void test_bad_messages(void **state)
{
	uint32_t m[SCU_WORDS];
	unsigned calls = sim.calls;

	(void)state;
	for (unsigned size = 0; size < 256; size += size < 10 ? (size == 0 ? 9 : 1) : 41) {
		put(MU_TR(0), SCU_HEADER(size, SCU_PM, 4));
		assert_int_equal(receive(m), 1);
		assert_int_equal(m[0] >> 24, SCU_BAD_PARAMETER);
	}
	/* words out of turn begin nothing */
	put(MU_TR(1), DISK);
	put(MU_TR(3), DISK);
	assert_int_equal(receive(m), 0);
	/* half a message, then a whole one */
	put(MU_TR(0), SCU_HEADER(3, SCU_PM, 7));
	put(MU_TR(1), DISK);
	assert_int_equal(call(m, 2, SCU_PM, 4, DISK), 2);
	assert_int_equal(m[1], SCU_ON);
	assert_int_equal(sim.calls, calls + 1);
	/* an answer that nobody read is gone when the next question is asked */
	m[0] = SCU_HEADER(1, SCU_MISC, 19);
	send(m);
	fake_timer_run(1000);
	assert_true(get(MU_SR) & MU_RF(2));
	assert_int_equal(call(m, 2, SCU_RM, 13, DISK), 1);
	assert_int_equal(get(MU_SR) & 0x0f000000, 0);
}

static void test_accesses_of_other_widths_are_aborts(void **state)
{
	static const struct mmio bad[] = {
		{.ipa = {MAILBOX}, .size = 1, .write = true},
		{.ipa = {MAILBOX}, .size = 8, .write = true},
		{.ipa = {MAILBOX + MU_SR}, .size = 2},
		{.ipa = {MAILBOX + MU_SR + 2}, .size = 4},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mmio m = bad[i];

		assert_false(mmio_emulate(fake_cpu->vcpu, &m));
	}
	assert_int_equal(get(0xfffc), 0); /* nothing there: zero, and writes do nothing */
	put(0x100, 1);
	put(MU_SR, ~0u);
	assert_int_equal(get(MU_SR), 0x00f00000);
}

static void test_a_firmware_that_fails_is_an_answer(void **state)
{
	uint32_t m[SCU_WORDS];

	(void)state;
	sim_break(SIM_SILENT, SIM_ANY, 0, 1);
	assert_int_equal(call(m, 2, SCU_PM, 4, DISK), 1);
	assert_int_equal(m[0] >> 24, SCU_IPC_ERROR);
	sim_break(SIM_FINE, 0, 0, 0);
	assert_int_equal(call(m, 2, SCU_PM, 4, DISK), 1); /* lost for good: it never came */
	assert_int_equal(m[0] >> 24, SCU_IPC_ERROR);
	assert_int_equal(call(m, 2, SCU_RM, 13, DISK), 1); /* what we know ourselves goes on */
	assert_int_equal(m[0] >> 24, 1);
}

static void test_rails_and_dom0_share_the_mailbox(void **state)
{
	uint32_t m[SCU_WORDS];
	struct rail r;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(power_refresh(DISK), 0);
		assert_int_equal(call(m, 2, SCU_PM, 4, DISK), 2);
		assert_int_equal(m[1] & 0xff, SCU_ON);
	}
	fake_timer_run(1000);
	assert_int_equal(power_get(1, &r), 0);
	assert_int_equal(r.actual, POWER_ON);
	assert_int_equal(r.error, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_message_passes_and_its_answer_comes),
		T(test_linux_sees_only_what_is_its_own),
		T(test_interrupts_follow_the_flags),
		T(test_no_room_while_the_firmware_is_at_it),
		T(test_a_message_that_waits_for_its_turn_cannot_be_changed),
		T(test_bad_messages),
		T(test_accesses_of_other_widths_are_aborts),
		T(test_a_firmware_that_fails_is_an_answer),
		T(test_rails_and_dom0_share_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
