#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation_fixture.h"

static int cancelled; /* calls of on_cancel() */

static void on_cancel(void *context, const char *id)
{
	(void)context;
	(void)id;
	cancelled++;
}

static bool collect(void *context, int64_t seq, const char *json)
{
	(void)seq;
	strncat(context, json, 4000 - strlen(context));
	return true;
}

static void life_from_pending_to_succeeded(void **state)
{
	char id[ID_SIZE], events[4096] = "";
	struct error e;

	(void)state;
	create(id, NULL, true);
	assert_state(id, "pending");
	assert_int_equal(operation_start(operations, id, &e), 0);
	assert_int_equal(operation_start(operations, id, &e), -1);
	operation_progress(operations, id, 3, 10, "steps", "building");
	operation_warn(operations, id, "slow");
	assert_state(id, "running");
	assert_int_equal(operation_end(operations, id, OPERATION_SUCCEEDED, NULL, NULL, &e), 0);
	assert_state(id, "succeeded");
	assert_int_equal(operation_end(operations, id, OPERATION_FAILED, NULL, NULL, &e), -1);
	assert_int_equal(e.code, ERROR_STATE);
	assert_true(journal_read(journal, 0, PRIVILEGE_READ, collect, events, &e) == 3);
	assert_non_null(strstr(events, "operation.created"));
	assert_true(strstr(events, "operation.created") < strstr(events, "operation.updated"));
}

static void rolled_back_creation_leaves_nothing(void **state)
{
	char id[ID_SIZE];
	struct error e;

	(void)state;
	create(id, on_cancel, false);
	assert_null(operation_json(operations, id, &e));
	assert_int_equal(e.code, ERROR_OPERATION_UNKNOWN);
	assert_int_equal(operation_cancel_request(operations, id, &actor_system, &e), -1);
	assert_int_equal(journal_newest(journal), 0);
}

static void cancel_is_asked_once_and_only_where_possible(void **state)
{
	char id[ID_SIZE], fixed[ID_SIZE];
	struct error e;

	(void)state;
	cancelled = 0;
	create(id, on_cancel, true);
	create(fixed, NULL, true);
	assert_int_equal(operation_start(operations, id, &e), 0);
	assert_int_equal(operation_cancel_request(operations, id, &actor_system, &e), 0);
	assert_state(id, "cancelling");
	assert_true(operation_cancel_requested(operations, id));
	assert_int_equal(operation_cancel_request(operations, id, &actor_system, &e), -1);
	assert_int_equal(e.code, ERROR_NOT_CANCELLABLE);
	assert_int_equal(cancelled, 1);
	assert_int_equal(operation_end(operations, id, OPERATION_CANCELLED, NULL, NULL, &e), 0);
	assert_state(id, "cancelled");
	assert_int_equal(operation_cancel_request(operations, fixed, &actor_system, &e), -1);
	assert_int_equal(e.code, ERROR_NOT_CANCELLABLE);
}

static void what_is_cancelled_before_it_begins_does_not_start(void **state)
{
	char id[ID_SIZE];
	struct error e;

	(void)state;
	create(id, on_cancel, true);
	assert_int_equal(operation_cancel_request(operations, id, &actor_system, &e), 0);
	assert_int_equal(operation_start(operations, id, &e), -1);
	assert_int_equal(e.code, ERROR_CANCELLED);
	assert_int_equal(operation_end(operations, id, OPERATION_CANCELLED, &e, NULL, &e), 0);
	assert_state(id, "cancelled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life_from_pending_to_succeeded, setup, teardown),
		cmocka_unit_test_setup_teardown(rolled_back_creation_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_cancelled_before_it_begins_does_not_start,
						setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_is_asked_once_and_only_where_possible, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
