/* What Dom0's messages may ask for, message by message and for each kind of resource. */
#include "drivers/scu_filter.h"
#include "drivers/scu_rpc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Resources of these tests: the number says what Dom0 may do. */
enum { OURS = 300, RESTING = 301, FOREIGN = 302, UNLISTED = 303 };

static enum power_access access(unsigned resource)
{
	static const enum power_access table[] = {POWER_FULL, POWER_IDLE, POWER_FOREIGN,
						  POWER_UNLISTED};

	if (resource < OURS || resource > UNLISTED)
		fail_msg("asked about resource %u", resource);
	return table[resource - OURS];
}

enum { PASSES = -1, DROPPED = -2 };

/* What becomes of it: PASSES (unchanged), DROPPED, or the status of the answer. */
static int judge(unsigned service, unsigned function, unsigned size, uint32_t w1, uint32_t w2,
		 uint32_t w3)
{
	uint32_t message[SCU_WORDS] = {SCU_HEADER(size, service, function), w1, w2, w3},
		 before[SCU_WORDS];

	memcpy(before, message, sizeof(before));
	switch (scu_filter(message, access)) {
	case SCU_PASS:
		assert_memory_equal(before, message, sizeof(before));
		return PASSES;
	case SCU_DROP:
		return DROPPED;
	default:
		assert_int_equal(message[0] & 0xffffff, SCU_HEADER(1, SCU_RETURN, 0));
		return (int)(message[0] >> 24);
	}
}

static int set_mode(unsigned resource, unsigned mode)
{
	return judge(SCU_PM, 3, 2, resource | mode << 16, 0, 0);
}

static void test_power_modes(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 4; mode++) {
		assert_int_equal(set_mode(OURS, mode), PASSES);
		assert_int_equal(set_mode(FOREIGN, mode), SCU_NO_ACCESS);
		assert_int_equal(set_mode(UNLISTED, mode), SCU_NO_ACCESS);
	}
	/* Linux's "off" is LP: what is off stays off, and Linux is content */
	assert_int_equal(set_mode(RESTING, SCU_LP), SCU_OK);
	assert_int_equal(set_mode(RESTING, SCU_OFF), SCU_OK);
	assert_int_equal(set_mode(RESTING, SCU_ON), SCU_NO_ACCESS);
	assert_int_equal(set_mode(RESTING, 200), SCU_NO_ACCESS);
	assert_int_equal(judge(SCU_PM, 4, 2, OURS, 0, 0), PASSES);
	assert_int_equal(judge(SCU_PM, 4, 2, RESTING, 0, 0), PASSES);
	assert_int_equal(judge(SCU_PM, 4, 2, FOREIGN, 0, 0), SCU_NO_ACCESS);
}

static void test_ownership_is_told_by_us(void **state)
{
	(void)state;
	assert_int_equal(judge(SCU_RM, 13, 2, OURS, 0, 0), 1);
	assert_int_equal(judge(SCU_RM, 13, 2, RESTING, 0, 0), 1);
	assert_int_equal(judge(SCU_RM, 13, 2, FOREIGN, 0, 0), 0);
	assert_int_equal(judge(SCU_RM, 13, 2, UNLISTED, 0, 0), 0);
}

static void test_clocks(void **state)
{
	static const struct {
		unsigned function, size, word; /* the word that has the resource */
	} clocks[] = {{5, 3, 2}, {6, 2, 1}, {7, 3, 1}, {14, 2, 1}, {15, 2, 1}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(clocks); i++) {
		uint32_t w[4] = {0};

		w[clocks[i].word] = OURS | 2u << 16;
		assert_int_equal(
			judge(SCU_PM, clocks[i].function, clocks[i].size, w[1], w[2], w[3]),
			PASSES);
		w[clocks[i].word] = RESTING | 2u << 16;
		assert_int_equal(
			judge(SCU_PM, clocks[i].function, clocks[i].size, w[1], w[2], w[3]),
			SCU_NO_POWER);
		w[clocks[i].word] = FOREIGN | 2u << 16;
		assert_int_equal(
			judge(SCU_PM, clocks[i].function, clocks[i].size, w[1], w[2], w[3]),
			SCU_NO_ACCESS);
	}
}

static void test_controls(void **state)
{
	(void)state;
	assert_int_equal(judge(SCU_MISC, 1, 4, 7, 1, OURS), PASSES);
	assert_int_equal(judge(SCU_MISC, 1, 4, 7, 1, UNLISTED), SCU_NO_ACCESS);
	assert_int_equal(judge(SCU_MISC, 2, 3, 7, UNLISTED, 0),
			 PASSES); /* the SoC's revision, of the system */
	assert_int_equal(judge(SCU_MISC, 2, 3, 7, FOREIGN, 0), SCU_NO_ACCESS);
}

static void test_nothing_else_passes(void **state)
{
	unsigned passed = 0;

	(void)state;
	for (unsigned service = 0; service < 256; service++)
		for (unsigned function = 0; function < 256; function++)
			for (unsigned size = 1; size <= SCU_WORDS; size++)
				passed += judge(service, function, size, FOREIGN, FOREIGN,
						FOREIGN) == PASSES;
	/* RTC time twice, pads twice, fuse, temperature, build, unique id */
	assert_int_equal(passed, 8);
	/* above all: partitions, ownership, stream ids, resets, cores, fuses to burn */
	for (unsigned function = 0; function < 64; function++)
		assert_int_not_equal(judge(SCU_RM, function, 2, OURS, OURS, OURS), PASSES);
	assert_int_equal(judge(SCU_PM, 1, 2, 2 | 0 << 8, 0, 0), SCU_NO_ACCESS);
	assert_int_equal(judge(SCU_PM, 9, 2, 0, 0, 0), DROPPED); /* reboot has no answer */
	assert_int_equal(judge(SCU_PM, 11, 4, 0, 0, OURS), SCU_NO_ACCESS);
	assert_int_equal(judge(SCU_MISC, 17, 3, 0, 0, 0), SCU_NO_ACCESS);
}

static void test_sizes_are_exact(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= SCU_WORDS; size++)
		assert_int_equal(judge(SCU_PM, 3, size, OURS | 3 << 16, 0, 0),
				 size == 2 ? PASSES : SCU_BAD_PARAMETER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_modes),
		cmocka_unit_test(test_ownership_is_told_by_us),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_nothing_else_passes),
		cmocka_unit_test(test_sizes_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
