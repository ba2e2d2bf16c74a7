#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domusd/auth_use.h"

static struct auth_uses uses;
static struct auth_use copy[AUTH_USES_MAX];

static int setup(void **state)
{
	(void)state;
	auth_use_init(&uses);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	auth_use_destroy(&uses);
	return 0;
}

static void note(const char *name, int64_t now)
{
	char id[ID_SIZE] = "";

	snprintf(id, sizeof(id), "%s", name);
	auth_use_note(&uses, true, id, now);
}

static void the_later_of_memory_and_database_counts(void **state)
{
	(void)state;
	note("a", 100);
	assert_int_equal(auth_use_last(&uses, "a", 50), 100);
	assert_int_equal(auth_use_last(&uses, "a", 150), 150);
	assert_int_equal(auth_use_last(&uses, "b", 50), 50);
}

static void what_was_written_is_forgotten_unless_it_was_used_since(void **state)
{
	int count;

	(void)state;
	note("a", 100);
	note("b", 100);
	note("b", 110);
	count = auth_use_copy(&uses, copy);
	assert_int_equal(count, 2);
	assert_int_equal(copy[1].used, 110);
	note("b", 120);
	note("c", 130);
	auth_use_forget(&uses, copy, count);
	assert_int_equal(auth_use_copy(&uses, copy), 2);
	assert_int_equal(auth_use_last(&uses, "a", 1), 1);
	assert_int_equal(auth_use_last(&uses, "b", 1), 120);
	assert_int_equal(auth_use_last(&uses, "c", 1), 130);
}

static void a_full_table_drops_new_ones_and_keeps_its_own_up_to_date(void **state)
{
	char name[8];

	(void)state;
	for (int i = 0; i <= AUTH_USES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		note(name, 100);
	}
	assert_int_equal(auth_use_copy(&uses, copy), AUTH_USES_MAX);
	assert_int_equal(auth_use_last(&uses, name, 1), 1);
	note("0", 200);
	assert_int_equal(auth_use_last(&uses, "0", 1), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_later_of_memory_and_database_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_was_written_is_forgotten_unless_it_was_used_since, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_table_drops_new_ones_and_keeps_its_own_up_to_date, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
