#ifndef OPERATION_FIXTURE_H
#define OPERATION_FIXTURE_H

/* Operations on a database of each test's own, for the tests of operation*.c. Stands after cmocka.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/operation_read.h"

static char folder[32], path[64];
static struct store *store;
static struct journal *journal;
static struct operations *operations;

static inline void open_all(void)
{
	struct error e;

	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	assert_int_equal(operation_open(store, journal, &operations, &e), 0);
}

static inline void close_all(void)
{
	operation_close(operations);
	journal_close(journal);
	store_close(store);
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/operation-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	open_all();
	return 0;
}

static inline int teardown(void **state)
{
	char command[64];

	(void)state;
	close_all();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static inline void create(char id[ID_SIZE], operation_cancel cancel, bool commit)
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

static inline void assert_state(const char *id, const char *expected)
{
	struct error e;
	json_t *o = operation_json(operations, id, &e);

	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "state")), expected);
	json_decref(o);
}

#endif
