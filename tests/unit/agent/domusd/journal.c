#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "domusd/journal.h"

static char folder[32], path[64];
static struct store *store;
static struct journal *journal;
static int woken;

static int setup(void **state)
{
	struct error e;

	(void)state;
	strcpy(folder, "/tmp/journal-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	woken = 0;
	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	journal_close(journal);
	store_close(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void append(enum privilege privilege, int count, bool commit)
{
	struct event event = {.type = "domain.updated",
			      .actor = &actor_system,
			      .privilege = privilege,
			      .revision = 2};
	struct store_tx *tx = NULL;
	struct error e;

	assert_int_equal(store_begin(store, &tx, &e), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(journal_append(journal, tx, &event, &e), 0);
	if (commit)
		assert_int_equal(store_commit(&tx, &e), 0);
	else
		store_rollback(tx);
}

struct seen {
	int64_t last;
	int count, limit;
};

static bool take(void *context, int64_t seq, const char *json)
{
	struct seen *seen = context;
	json_t *event = json_loads(json, 0, NULL);

	assert_non_null(event);
	assert_true(json_integer_value(json_object_get(event, "seq")) == seq);
	json_decref(event);
	assert_true(seq > seen->last);
	if (seen->limit && seen->count == seen->limit)
		return false;
	seen->last = seq;
	seen->count++;
	return true;
}

static void wake(void *context)
{
	(void)context;
	woken++;
}

static void listeners_hear_commits_only(void **state)
{
	struct journal_listener listener = {.run = wake};

	(void)state;
	journal_listen(journal, &listener);
	append(PRIVILEGE_READ, 1, false);
	assert_int_equal(woken, 0);
	assert_int_equal(journal_newest(journal), 0);
	append(PRIVILEGE_READ, 1, true);
	assert_int_equal(woken, 1);
	assert_int_equal(journal_newest(journal), journal_oldest(journal));
	journal_unlisten(journal, &listener);
	append(PRIVILEGE_READ, 1, true);
	assert_int_equal(woken, 1);
}

static void events_come_in_order_beyond_one_batch(void **state)
{
	struct seen seen = {0};
	struct error e;

	(void)state;
	for (int i = 0; i < 10; i++)
		append(PRIVILEGE_READ, 20, true);
	assert_int_equal(journal_read(journal, 0, PRIVILEGE_READ, take, &seen, &e), 200);
	assert_int_equal(seen.count, 200);
	seen = (struct seen){.last = 150};
	assert_int_equal(journal_read(journal, 150, PRIVILEGE_READ, take, &seen, &e), 200);
	assert_int_equal(seen.count, 50);
}

static void reading_stops_where_the_reader_says(void **state)
{
	struct seen seen = {.limit = 5};
	struct error e;

	(void)state;
	append(PRIVILEGE_READ, 20, true);
	assert_int_equal(journal_read(journal, 0, PRIVILEGE_READ, take, &seen, &e), 5);
	seen.limit = 0;
	assert_int_equal(journal_read(journal, 5, PRIVILEGE_READ, take, &seen, &e), 20);
	assert_int_equal(seen.count, 20);
}

static void what_one_may_not_see_is_passed_over(void **state)
{
	struct seen seen = {0};
	struct error e;

	(void)state;
	append(PRIVILEGE_READ, 1, true);
	append(PRIVILEGE_ADMIN, 3, true);
	assert_int_equal(journal_read(journal, 0, PRIVILEGE_READ, take, &seen, &e), 4);
	assert_int_equal(seen.count, 1);
	seen = (struct seen){0};
	assert_int_equal(journal_read(journal, 0, PRIVILEGE_ADMIN, take, &seen, &e), 4);
	assert_int_equal(seen.count, 4);
}

static void numbers_go_on_after_reopening(void **state)
{
	struct error e;

	(void)state;
	append(PRIVILEGE_READ, 3, true);
	journal_close(journal);
	store_close(store);
	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	assert_int_equal(journal_newest(journal), 3);
	append(PRIVILEGE_READ, 1, true);
	assert_int_equal(journal_newest(journal), 4);
}

static void retention_drops_the_oldest(void **state)
{
	struct seen seen = {0};
	struct error e;

	(void)state;
	for (int i = 0; i < 505; i++)
		append(PRIVILEGE_READ, 20, true);
	journal_trim(journal);
	assert_int_equal(journal_newest(journal), 10100);
	assert_int_equal(journal_oldest(journal), 101);
	assert_int_equal(journal_read(journal, 0, PRIVILEGE_READ, take, &seen, &e), 10100);
	assert_int_equal(seen.count, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(listeners_hear_commits_only, setup, teardown),
		cmocka_unit_test_setup_teardown(events_come_in_order_beyond_one_batch, setup,
						teardown),
		cmocka_unit_test_setup_teardown(reading_stops_where_the_reader_says, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_one_may_not_see_is_passed_over, setup,
						teardown),
		cmocka_unit_test_setup_teardown(numbers_go_on_after_reopening, setup, teardown),
		cmocka_unit_test_setup_teardown(retention_drops_the_oldest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
