/* The mailbox of the system controller and its calls, against the simulator: what arrives, and what is made of every way in
 * which an answer can fail to. */
#include "drivers/scu.h"
#include "drivers/scu_rpc.h"
#include "fake/scu_sim.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DISK 248u /* SDHC_0 */

static struct scu scu;

static int setup(void **state)
{
	(void)state;
	sim_reset();
	scu_init(&scu, &sim_port, SIM_TIMEOUT);
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	return sim.violations != 0;
}

/* A whole call, polled to its end. */
static int ask(enum scu_rpc rpc, unsigned a, unsigned b, unsigned *value)
{
	uint32_t message[SCU_WORDS] = {0};
	int error;

	scu_rpc_request(rpc, a, b, message);
	for (unsigned i = 0; i < 100000; i++) {
		error = scu_call(&scu, SCU_POWER, message);
		if (error != -EAGAIN)
			return error ? error : scu_rpc_answer(rpc, message, value);
	}
	fail_msg("a call that does not end");
	return 0;
}

static void test_a_mode_is_set_and_read_back(void **state)
{
	unsigned mode;

	(void)state;
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), 0);
	assert_true(sim_powered(DISK));
	assert_int_equal(sim_powered_count(), 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_ON);
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_OFF, NULL), 0);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_OFF);
	assert_int_equal(sim_powered_count(), 0);
}

static void test_what_linux_calls_off_is_not_off(void **state)
{
	unsigned mode;

	(void)state;
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_LP, NULL), 0);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_not_equal(mode, SCU_OFF);
	assert_true(sim_powered(DISK));
}

static void test_partitions(void **state)
{
	unsigned own, pt;

	(void)state;
	assert_int_equal(ask(SCU_GET_PARTITION, 0, 0, &own), 0);
	assert_int_equal(own, SIM_HOME);
	assert_int_equal(ask(SCU_PARTITION_ALLOC, 0, 0, &pt), 0);
	assert_true(sim.partition[pt].used && sim.partition[pt].restricted &&
		    sim.partition[pt].grant);
	assert_false(sim.partition[pt].isolated);
	assert_int_equal(ask(SCU_ASSIGN_RESOURCE, DISK, pt, NULL), 0);
	assert_int_equal(sim.resource[DISK].owner, pt);
	assert_true(sim.resource[DISK].bypass); /* a move resets that */
	assert_int_equal(ask(SCU_SET_SID, DISK, 17, NULL), 0);
	assert_false(sim.resource[DISK].bypass);
	assert_int_equal(ask(SCU_SET_SID, 57, 17, NULL), -EINVAL); /* a UART does no DMA */
	/* the partition's mode is the most that its resources get, and reading does not show it */
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), 0);
	assert_false(sim_powered(DISK));
	assert_int_equal(ask(SCU_SET_PARTITION_MODE, pt, SCU_ON, NULL), 0);
	assert_true(sim_powered(DISK));
	assert_int_equal(ask(SCU_SET_PARTITION_MODE, pt, SCU_OFF, NULL), 0);
	assert_false(sim_powered(DISK));
	assert_int_equal(ask(SCU_PARTITION_FREE, pt, 0, NULL), 0);
	assert_int_equal(sim.resource[DISK].owner, SIM_HOME);
	assert_int_equal(ask(SCU_PARTITION_FREE, pt, 0, NULL), -EINVAL);
}

static void test_partitions_run_out(void **state)
{
	unsigned pt;

	(void)state;
	for (unsigned i = SIM_HOME + 1; i < SIM_PARTITIONS; i++)
		assert_int_equal(ask(SCU_PARTITION_ALLOC, 0, 0, &pt), 0);
	assert_int_equal(ask(SCU_PARTITION_ALLOC, 0, 0, &pt), -ENOSPC);
}

static void test_a_vote_stays_where_it_was_cast(void **state)
{
	unsigned pt, mode;

	(void)state;
	/* moved while it is on: the old partition's vote keeps it on for good, and reading says off */
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), 0);
	assert_int_equal(ask(SCU_PARTITION_ALLOC, 0, 0, &pt), 0);
	assert_int_equal(ask(SCU_ASSIGN_RESOURCE, DISK, pt, NULL), 0);
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_OFF, NULL), 0);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_OFF);
	assert_true(sim_powered(DISK));
}

static void test_refusals_are_errors(void **state)
{
	static const struct {
		unsigned status;
		int error;
	} table[] = {{1, -EIO},	   {2, -EIO},	 {3, -EINVAL}, {4, -EACCES}, {5, -EPERM},
		     {6, -ENOSPC}, {7, -ENOENT}, {8, -ENXIO},  {9, -EIO},    {10, -EBUSY},
		     {11, -EIO},   {12, -EIO},	 {255, -EIO}};
	unsigned mode;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		sim_break(SIM_STATUS, SIM_ANY, table[i].status, 1);
		assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), table[i].error);
	}
	sim_break(SIM_FINE, 0, 0, 0);
	assert_int_equal(ask(SCU_GET_MODE, 3, 0, &mode),
			 -EACCES); /* a core: the secure partition's */
	assert_int_equal(ask(SCU_GET_MODE, 900, 0, &mode), -EINVAL);
	assert_int_equal(sim_powered_count(), 0);
}

static void test_no_answer_ends_in_time(void **state)
{
	uint64_t begin = sim.clock;
	unsigned mode;

	(void)state;
	sim_break(SIM_SILENT, SIM_ANY, 0, 1);
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), -ETIMEDOUT);
	assert_in_range(sim.clock - begin, SIM_TIMEOUT, SIM_TIMEOUT + 50);
	/* its answer may still come, so nothing is sent: first with patience, then at once */
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO);
	assert_in_range(sim.clock - begin, SIM_TIMEOUT * (SCU_PATIENCE + 1),
			SIM_TIMEOUT * (SCU_PATIENCE + 1) + 100);
	begin = sim.clock;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO);
	assert_true(sim.clock - begin < 200);
	assert_int_equal(sim.calls, 1);
}

static void test_a_late_answer_is_not_taken_for_the_next_one(void **state)
{
	unsigned mode = 99;

	(void)state;
	assert_int_equal(ask(SCU_SET_MODE, DISK, SCU_ON, NULL), 0);
	/* "off" is asked of another, answered late; then the disk is read: 3 it must be */
	sim_break(SIM_LATE, SIM_ANY, SIM_TIMEOUT * 2, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK + 1, 0, &mode), -ETIMEDOUT);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_ON);
	assert_int_equal(sim.calls, 3);
}

static void test_an_answer_after_all_patience_heals_too(void **state)
{
	unsigned mode;

	(void)state;
	sim_break(SIM_LATE, SIM_ANY, SIM_TIMEOUT * 20, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -ETIMEDOUT);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO);
	sim.clock += SIM_TIMEOUT * 30;
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO); /* heard */
	sim.clock += SIM_TIMEOUT * 2;				   /* quiet */
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
}

static void test_who_gave_up_waiting_holds_nobody_up(void **state)
{
	uint32_t rails[SCU_WORDS] = {0}, dom0[SCU_WORDS] = {0};
	unsigned mode;
	int error;

	(void)state;
	scu_rpc_request(SCU_GET_MODE, DISK, 0, rails);
	scu_rpc_request(SCU_GET_MODE, DISK, 0, dom0);
	sim_break(SIM_LATE, SIM_ANY, SIM_TIMEOUT * 20, 1);
	assert_int_equal(scu_call(&scu, SCU_POWER, rails), -EAGAIN);
	assert_int_equal(scu_call(&scu, SCU_DOM0, dom0), -EAGAIN); /* the next turn is Dom0's */
	while ((error = scu_call(&scu, SCU_POWER, rails)) == -EAGAIN)
		;
	assert_int_equal(error, -ETIMEDOUT);
	while ((error = scu_call(&scu, SCU_DOM0, dom0)) == -EAGAIN)
		;
	assert_int_equal(error, -EIO); /* it does not ask again */
	sim.clock += SIM_TIMEOUT * 30;
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO); /* the late answer */
	sim.clock += SIM_TIMEOUT * 2;
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
}

static void test_half_an_answer(void **state)
{
	unsigned mode;

	(void)state;
	sim_break(SIM_HALF, SIM_ANY, 0, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -ETIMEDOUT);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_OFF);
}

static void test_a_firmware_that_reads_nothing(void **state)
{
	unsigned mode;

	(void)state;
	sim_break(SIM_DEAF, SIM_ANY, 0, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -ETIMEDOUT);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO);
	assert_int_equal(sim.calls, 0);
}

static void test_words_in_the_wrong_register(void **state)
{
	unsigned mode;

	(void)state;
	sim_break(SIM_OUT_OF_STEP, SIM_ANY, 0, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EBADMSG);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
}

static void test_a_size_that_cannot_be(void **state)
{
	static const uint8_t sizes[] = {0, 9, 255};
	unsigned mode;

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes); i++) {
		sim_break(SIM_BAD_SIZE, SIM_ANY, sizes[i], 1);
		assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EBADMSG);
		assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	}
}

static void test_an_answer_without_its_value(void **state)
{
	unsigned mode = 99;

	(void)state;
	sim_break(SIM_SHORT, SIM_ANY, 0, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EBADMSG);
	sim_break(SIM_BAD_VALUE, SIM_ANY, 4, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EBADMSG);
	sim_break(SIM_BAD_VALUE, SIM_ANY, 32, 1);
	assert_int_equal(ask(SCU_PARTITION_ALLOC, 0, 0, &mode), -EBADMSG);
	assert_int_equal(mode, 99);
}

static void test_words_that_nobody_asked_for(void **state)
{
	unsigned mode;

	(void)state;
	sim_break(SIM_UNASKED, SIM_ANY, 0x03010201, 1);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), -EIO);
	assert_int_equal(sim.calls, 0);
	assert_int_equal(ask(SCU_GET_MODE, DISK, 0, &mode), 0);
	assert_int_equal(mode, SCU_OFF);
}

static void test_two_users_take_turns(void **state)
{
	uint32_t a[SCU_WORDS], b[SCU_WORDS];
	char order[9] = "";

	(void)state;
	scu_rpc_request(SCU_GET_MODE, DISK, 0, a);
	scu_rpc_request(SCU_GET_PARTITION, 0, 0, b);
	for (unsigned n = 0; n < 8;) {
		if (scu_call(&scu, SCU_POWER, a) == 0) {
			assert_int_equal(SCU_SIZE(a[0]), 2);
			scu_rpc_request(SCU_GET_MODE, DISK, 0, a);
			order[n++] = 'a';
		}
		if (n < 8 && scu_call(&scu, SCU_DOM0, b) == 0) {
			assert_int_equal(b[1] & 0xff, SIM_HOME);
			scu_rpc_request(SCU_GET_PARTITION, 0, 0, b);
			order[n++] = 'b';
		}
	}
	assert_string_equal(order, "abababab");
}

static void test_a_busy_user_does_not_shut_the_other_out(void **state)
{
	uint32_t a[SCU_WORDS], b[SCU_WORDS];
	unsigned n = 0;

	(void)state;
	scu_rpc_request(SCU_GET_MODE, DISK, 0, a);
	scu_rpc_request(SCU_GET_PARTITION, 0, 0, b);
	assert_int_equal(scu_call(&scu, SCU_POWER, a), -EAGAIN);
	while (scu_call(&scu, SCU_DOM0, b) != 0) {
		/* the first asks anew as soon as it has its answer, and again and again */
		for (unsigned i = 0; i < 20; i++)
			if (scu_call(&scu, SCU_POWER, a) == 0)
				scu_rpc_request(SCU_GET_MODE, DISK, 0, a);
		assert_true(++n < 10);
	}
	assert_int_equal(b[1] & 0xff, SIM_HOME);
}

static void test_sizes_of_requests_are_checked(void **state)
{
	uint32_t message[SCU_WORDS] = {SCU_HEADER(0, SCU_PM, 4)};

	(void)state;
	assert_int_equal(scu_call(&scu, SCU_DOM0, message), -EINVAL);
	message[0] = SCU_HEADER(9, SCU_PM, 4);
	assert_int_equal(scu_call(&scu, SCU_DOM0, message), -EINVAL);
	assert_int_equal(scu.state, SCU_IDLE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_mode_is_set_and_read_back),
		T(test_what_linux_calls_off_is_not_off),
		T(test_partitions),
		T(test_partitions_run_out),
		T(test_a_vote_stays_where_it_was_cast),
		T(test_refusals_are_errors),
		T(test_no_answer_ends_in_time),
		T(test_a_late_answer_is_not_taken_for_the_next_one),
		T(test_an_answer_after_all_patience_heals_too),
		T(test_who_gave_up_waiting_holds_nobody_up),
		T(test_half_an_answer),
		T(test_a_firmware_that_reads_nothing),
		T(test_words_in_the_wrong_register),
		T(test_a_size_that_cannot_be),
		T(test_an_answer_without_its_value),
		T(test_words_that_nobody_asked_for),
		T(test_two_users_take_turns),
		T(test_a_busy_user_does_not_shut_the_other_out),
		T(test_sizes_of_requests_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
