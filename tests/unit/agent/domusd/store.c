#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/store_internal.h"
#include "domusd/store_migrate.h"

static char folder[32], path[64];
static struct store *store;

static int setup(void **state)
{
	struct error e;

	(void)state;
	strcpy(folder, "/tmp/store-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	assert_int_equal(store_open(path, &store, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int64_t count_users(void)
{
	STORE_TX struct store_tx *tx = NULL;
	struct error e;

	assert_int_equal(store_begin_read(store, &tx, &e), 0);
	STORE_STMT sqlite3_stmt *s = store_query(tx, "SELECT count(*) FROM users", &e, "");
	assert_int_equal(store_step(tx, s, &e), 1);
	return sqlite3_column_int64(s, 0);
}

static int insert_user(struct store_tx *tx, const char *name, struct error *e)
{
	return store_run(
		tx, "INSERT INTO users (name, password, privilege, created) VALUES (?, 'x', 3, ?)",
		e, "si", name, (int64_t)1);
}

static void commit_is_seen_and_rollback_is_not(void **state)
{
	struct store_tx *tx = NULL;
	struct error e;

	(void)state;
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(insert_user(tx, "a", &e), 1);
	assert_int_equal(count_users(),
			 0); /* readers do not see what is open, and do not wait for it */
	assert_int_equal(store_commit(&tx, &e), 0);
	assert_null(tx);
	assert_int_equal(count_users(), 1);
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(insert_user(tx, "b", &e), 1);
	store_rollback(tx);
	assert_int_equal(count_users(), 1);
}

static void constraint_becomes_a_code(void **state)
{
	STORE_TX struct store_tx *tx = NULL;
	struct error e;

	(void)state;
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(insert_user(tx, "a", &e), 1);
	assert_int_equal(insert_user(tx, "a", &e), -1);
	assert_int_equal(e.code, ERROR_EXISTS);
	assert_int_equal(store_run(tx,
				   "INSERT INTO tokens (id, secret, name, user_id, privilege, "
				   "created, expires)"
				   " VALUES ('a', x'00', 'n', 99, 1, 1, 1)",
				   &e, ""),
			 -1);
	assert_int_equal(e.code, ERROR_IN_USE);
}

static void hook(void *context, bool committed)
{
	*(int *)context = committed ? 1 : -1;
}

static void hooks_tell_which_way_it_went(void **state)
{
	struct store_tx *tx = NULL;
	struct error e;
	int first = 0, second = 0;

	(void)state;
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_after(tx, hook, &first, &e), 0);
	assert_int_equal(first, 0);
	assert_int_equal(store_commit(&tx, &e), 0);
	assert_int_equal(first, 1);
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_after(tx, hook, &second, &e), 0);
	store_rollback(tx);
	assert_int_equal(second, -1);
	assert_int_equal(first, 1);
}

static void file_is_ours_alone_and_survives_reopening(void **state)
{
	struct store_tx *tx = NULL;
	struct stat st;
	struct error e;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(insert_user(tx, "a", &e), 1);
	assert_int_equal(store_commit(&tx, &e), 0);
	store_close(store);
	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(count_users(), 1);
}

static void newer_file_is_refused_untouched(void **state)
{
	struct store *other = NULL;
	struct error e;
	sqlite3 *db;

	(void)state;
	store_close(store);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 9999", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_open(path, &other, &e), -1);
	assert_int_equal(e.code, ERROR_STATE);
	assert_non_null(strstr(e.detail, "newer"));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "PRAGMA user_version = 0; DROP TABLE users", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	/* migration 1 now meets tables that are there: it fails and leaves version 0 */
	assert_int_equal(store_open(path, &other, &e), -1);
	assert_non_null(strstr(e.detail, "0001_core"));
	store = NULL;
}

static void file_that_is_no_database_is_said_to_be(void **state)
{
	struct store *other = NULL;
	struct error e;
	FILE *f;

	(void)state;
	store_close(store);
	store = NULL;
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 5000; i++)
		fputs("nonsense ", f);
	fclose(f);
	assert_int_equal(store_open(path, &other, &e), -1);
	assert_non_null(strstr(e.detail, "damaged"));
}

static int version_of(sqlite3 *db)
{
	sqlite3_stmt *s;
	int version;

	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	version = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return version;
}

static void migration_is_whole_or_not_at_all(void **state)
{
	static const struct store_migration good[] = {{1, "0001_a", "CREATE TABLE a (x)"}},
					    bad[] = {{1, "0001_a", "CREATE TABLE a (x)"},
						     {2, "0002_b", "CREATE TABLE b (x); SYNTAX"}};
	struct error e;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(store_migrate(db, "x", good, 1, &e), 0);
	assert_int_equal(store_migrate(db, "x", bad, 2, &e), -1);
	assert_int_equal(version_of(db), 1);
	assert_int_not_equal(sqlite3_exec(db, "SELECT * FROM b", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_migrate(db, "x", good, 1, &e), 0);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(commit_is_seen_and_rollback_is_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(constraint_becomes_a_code, setup, teardown),
		cmocka_unit_test_setup_teardown(hooks_tell_which_way_it_went, setup, teardown),
		cmocka_unit_test_setup_teardown(file_is_ours_alone_and_survives_reopening, setup,
						teardown),
		cmocka_unit_test_setup_teardown(newer_file_is_refused_untouched, setup, teardown),
		cmocka_unit_test_setup_teardown(file_that_is_no_database_is_said_to_be, setup,
						teardown),
		cmocka_unit_test(migration_is_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
