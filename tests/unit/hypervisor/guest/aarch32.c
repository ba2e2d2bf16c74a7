/* Conditions and IT blocks of AArch32 (Arm ARM: ConditionHolds, ITAdvance). */
#include "guest/aarch32.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CV	  (1ul << 24)
#define COND(c)	  ((uint64_t)(c) << 20)
#define CLASS(ec) ((uint64_t)(ec) << 26)
#define WFX	  0x01u
#define CP15	  0x03u
#define ABORT	  0x24u
#define MODE	  0x30ul /* User, T32 */

static uint64_t with_it(unsigned it)
{
	return MODE | (uint64_t)(it >> 2) << 10 | (uint64_t)(it & 3) << 25;
}

/* as the Arm ARM writes it */
static bool condition_holds(unsigned cond, unsigned nzcv)
{
	bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1, result = true;

	switch (cond >> 1) {
	case 0:
		result = z;
		break;
	case 1:
		result = c;
		break;
	case 2:
		result = n;
		break;
	case 3:
		result = v;
		break;
	case 4:
		result = c && !z;
		break;
	case 5:
		result = n == v;
		break;
	case 6:
		result = n == v && !z;
		break;
	}
	return (cond & 1) && cond != 15 ? !result : result;
}

static void test_condition_of_the_syndrome(void **state)
{
	(void)state;
	for (unsigned cond = 0; cond < 16; cond++)
		for (uint64_t nzcv = 0; nzcv < 16; nzcv++) {
			bool must = condition_holds(cond, (unsigned)nzcv);

			assert_int_equal(
				aarch32_is_done(CLASS(WFX) | CV | COND(cond), nzcv << 28 | 0x10),
				must);
			assert_int_equal(aarch32_is_done(CLASS(CP15) | CV | COND(cond),
							 nzcv << 28 | with_it(0x08)),
					 must);
		}
}

static void test_condition_of_the_it_block(void **state)
{
	(void)state;
	for (unsigned it = 1; it < 256; it++)
		for (uint64_t nzcv = 0; nzcv < 16; nzcv++)
			assert_int_equal(
				aarch32_is_done(CLASS(WFX) | COND(5), nzcv << 28 | with_it(it)),
				condition_holds(it >> 4, (unsigned)nzcv));
	assert_true(aarch32_is_done(CLASS(WFX) | COND(5), with_it(0))); /* in none */
}

static void test_what_has_no_condition_was_done(void **state)
{
	(void)state;
	for (unsigned ec = 0; ec < 64; ec++)
		if (ec == 0 || ec > 0x0c)
			assert_true(
				aarch32_is_done(CLASS(ec) | CV | COND(0), 0x10 | with_it(0x08)));
	assert_true(aarch32_is_done(CLASS(ABORT) | CV | COND(1), 0xful << 28 | MODE));
}

static void test_it_block_advances(void **state)
{
	const uint64_t others = ~0ul & ~(0x3ful << 10 | 3ul << 25);

	(void)state;
	for (unsigned it = 0; it < 256; it++) {
		unsigned next = it & 7 ? (it & 0xe0) | ((it & 0x1f) << 1 & 0x1f) : 0;

		assert_int_equal(aarch32_advance(with_it(it)), with_it(next));
		assert_int_equal(aarch32_advance(with_it(it) | others), with_it(next) | others);
	}
}

/* ITTET EQ: the conditions are EQ, EQ, NE, EQ, and then it is over. */
static void test_it_block_of_four(void **state)
{
	static const unsigned must[] = {0x0, 0x0, 0x1, 0x0};
	uint64_t spsr = with_it(0x05); /* firstcond 0000, mask 0101 */

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(spsr >> 12 & 0xf, must[i]);
		assert_int_equal(aarch32_is_done(CLASS(WFX), spsr | 1ul << 30),
				 must[i] == 0); /* Z */
		spsr = aarch32_advance(spsr);
	}
	assert_int_equal(spsr, MODE);
	assert_true(aarch32_is_done(CLASS(WFX), spsr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_condition_of_the_syndrome),
		cmocka_unit_test(test_condition_of_the_it_block),
		cmocka_unit_test(test_what_has_no_condition_was_done),
		cmocka_unit_test(test_it_block_advances),
		cmocka_unit_test(test_it_block_of_four),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
