#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/ratelimit.h"

static struct ratelimit r;

static int setup(void **state)
{
	(void)state;
	ratelimit_init(&r, 3, 10);
	return 0;
}

static void burst_then_one_each_refill(void **state)
{
	int64_t now = 1000000;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ratelimit_take(&r, "a", now), 0);
	assert_int_equal(ratelimit_take(&r, "a", now), 10);
	assert_int_equal(ratelimit_take(&r, "a", now + 1), 10);
	assert_int_equal(ratelimit_take(&r, "a", now + 9001), 1);
	assert_int_equal(ratelimit_take(&r, "a", now + 10000), 0);
	assert_int_not_equal(ratelimit_take(&r, "a", now + 10000), 0);
}

static void refused_tries_do_not_prolong_the_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		ratelimit_take(&r, "a", 1000000);
	assert_int_equal(ratelimit_take(&r, "a", 1010000), 0);
}

static void names_are_apart_and_reset_fills(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		ratelimit_take(&r, "a", 1000000);
	assert_int_equal(ratelimit_take(&r, "b", 1000000), 0);
	ratelimit_reset(&r, "a");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ratelimit_take(&r, "a", 1000000), 0);
}

static void flood_of_names_forgets_the_oldest_only(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 4; i++)
		ratelimit_take(&r, "victim", 1000000);
	for (int i = 0; i < RATELIMIT_BUCKETS - 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ratelimit_take(&r, name, 1000001);
	}
	assert_int_not_equal(ratelimit_take(&r, "victim", 1000001), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(burst_then_one_each_refill, setup),
		cmocka_unit_test_setup(refused_tries_do_not_prolong_the_wait, setup),
		cmocka_unit_test_setup(names_are_apart_and_reset_fills, setup),
		cmocka_unit_test_setup(flood_of_names_forgets_the_oldest_only, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
