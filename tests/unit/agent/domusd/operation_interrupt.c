#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation_fixture.h"

static void restart_interrupts_what_had_not_ended(void **state)
{
	char pending[ID_SIZE], running[ID_SIZE], ended[ID_SIZE];
	struct error e;
	json_t *o;

	(void)state;
	create(pending, NULL, true);
	create(running, NULL, true);
	create(ended, NULL, true);
	assert_int_equal(operation_start(operations, running, &e), 0);
	assert_int_equal(operation_end(operations, ended, OPERATION_SUCCEEDED, NULL, NULL, &e), 0);
	close_all();
	open_all();
	assert_int_equal(operation_interrupt_all(operations, &e), 2);
	assert_state(pending, "interrupted");
	assert_state(running, "interrupted");
	assert_state(ended, "succeeded");
	o = operation_json(operations, running, &e);
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "error"), "code")),
			    "operation.interrupted");
	json_decref(o);
	assert_int_equal(operation_interrupt_all(operations, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(restart_interrupts_what_had_not_ended, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
