#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation_fixture.h"

static void pages_hold_each_operation_once(void **state)
{
	char id[ID_SIZE];
	int64_t before = 0, next;
	size_t count = 0;
	struct error e;

	(void)state;
	for (int i = 0; i < 7; i++)
		create(id, NULL, true);
	do {
		json_t *items = operation_list(operations, before, 3, &next, &e);

		assert_non_null(items);
		assert_true(json_array_size(items) <= 3);
		if (!before)
			assert_string_equal(
				json_string_value(json_object_get(json_array_get(items, 0), "id")),
				id);
		count += json_array_size(items);
		json_decref(items);
		before = next;
	} while (next);
	assert_int_equal(count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_hold_each_operation_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
