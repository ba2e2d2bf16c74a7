#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "domusd/operation_wait.h"
#include "operation_fixture.h"

static int done;

static void on_done(void *context)
{
	(void)context;
	done++;
}

static void waiters_are_answered_once(void **state)
{
	char id[ID_SIZE];
	struct error e;

	(void)state;
	done = 0;
	create(id, NULL, true);
	assert_int_equal(operation_wait(operations, id, 60000, on_done, NULL, &e), 0);
	assert_int_equal(operation_wait(operations, "nobody", 60000, on_done, NULL, &e), -1);
	operation_tick(operations);
	assert_int_equal(done, 0);
	assert_int_equal(operation_end(operations, id, OPERATION_SUCCEEDED, NULL, NULL, &e), 0);
	assert_int_equal(done, 1);
	assert_int_equal(operation_wait(operations, id, 60000, on_done, NULL, &e), 0);
	assert_int_equal(done, 2); /* it has ended: at once */
	operation_tick(operations);
	assert_int_equal(done, 2);
}

static void waiters_go_when_time_is_up_or_all_are_released(void **state)
{
	char id[ID_SIZE];
	struct error e;

	(void)state;
	done = 0;
	create(id, NULL, true);
	assert_int_equal(operation_wait(operations, id, 1, on_done, NULL, &e), 0);
	usleep(5000);
	operation_tick(operations);
	assert_int_equal(done, 1);
	assert_int_equal(operation_wait(operations, id, 60000, on_done, NULL, &e), 0);
	operation_waiters_release(operations);
	assert_int_equal(done, 2);
	assert_int_equal(operation_wait(operations, id, 60000, on_done, NULL, &e), 0);
	assert_int_equal(done, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(waiters_are_answered_once, setup, teardown),
		cmocka_unit_test_setup_teardown(waiters_go_when_time_is_up_or_all_are_released,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
