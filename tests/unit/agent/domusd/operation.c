#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "domusd/operation.h"

static char folder[32], path[64];
static struct store *store;
static struct journal *journal;
static struct operations *operations;
static int cancelled, done;

static void open_all(void)
{
	struct error e;

	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	assert_int_equal(operation_open(store, journal, &operations, &e), 0);
}

static void close_all(void)
{
	operation_close(operations);
	journal_close(journal);
	store_close(store);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/operation-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	cancelled = done = 0;
	open_all();
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	close_all();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void on_cancel(void *context, const char *id)
{
	(void)context;
	(void)id;
	cancelled++;
}

static void on_done(void *context)
{
	(void)context;
	done++;
}

static void create(char id[ID_SIZE], operation_cancel cancel, bool commit)
{
	struct store_tx *tx = NULL;
	struct error e;

	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(operation_create(operations, tx, "domain.start", "domains/a",
					  &actor_system, cancel, NULL, id, &e),
			 0);
	if (commit)
		assert_int_equal(store_commit(&tx, &e), 0);
	else
		store_rollback(tx);
}

static void assert_state(const char *id, const char *expected)
{
	struct error e;
	json_t *o = operation_json(operations, id, &e);

	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "state")), expected);
	json_decref(o);
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

static void waiters_are_answered_once(void **state)
{
	char id[ID_SIZE];
	struct error e;

	(void)state;
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
		cmocka_unit_test_setup_teardown(life_from_pending_to_succeeded, setup, teardown),
		cmocka_unit_test_setup_teardown(rolled_back_creation_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(cancel_is_asked_once_and_only_where_possible, setup,
						teardown),
		cmocka_unit_test_setup_teardown(waiters_are_answered_once, setup, teardown),
		cmocka_unit_test_setup_teardown(waiters_go_when_time_is_up_or_all_are_released,
						setup, teardown),
		cmocka_unit_test_setup_teardown(restart_interrupts_what_had_not_ended, setup,
						teardown),
		cmocka_unit_test_setup_teardown(pages_hold_each_operation_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
