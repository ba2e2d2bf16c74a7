#include "domusd/store_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "domusd/store_migrate.h"

#define STATEMENTS_MAX 256 /* open addressing: a power of two, well over the number of statements */
#define HOOKS_MAX      32

struct statement {
	const char *sql; /* the key: address of the literal */
	sqlite3_stmt *prepared;
};

struct hook {
	void (*run)(void *context, bool committed);
	void *context;
};

/* A connection is used by the one transaction that holds its mutex, so the transaction lives in it. */
struct store_tx {
	sqlite3 *db;
	pthread_mutex_t mutex;
	struct statement statements[STATEMENTS_MAX];
	struct hook hooks[HOOKS_MAX];
	int hook_count;
};

struct store {
	struct store_tx writer, reader;
};

/* What a person needs to know, from SQLite's result (sqlite.org/rescode.html). */
static int failed(sqlite3 *db, struct error *e)
{
	int code = sqlite3_extended_errcode(db);

	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return error_set(e, ERROR_EXISTS, "It exists already.");
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return error_set(e, ERROR_IN_USE, "Something still refers to it.");
	default:
		break;
	}
	if ((code & 0xff) == SQLITE_FULL || sqlite3_system_errno(db) == ENOSPC)
		return error_set(e, ERROR_STORAGE, "The state partition is full.");
	return error_set(e, ERROR_INTERNAL, "Database: %s.", sqlite3_errmsg(db));
}

static int execute(sqlite3 *db, const char *sql, struct error *e)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, e);
}

static int open_connection(struct store_tx *tx, const char *path, struct error *e)
{
	pthread_mutex_init(&tx->mutex, NULL);
	if (sqlite3_open_v2(path, &tx->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK)
		return error_set(e, ERROR_INTERNAL, "The database %s cannot be opened: %s.", path,
				 tx->db ? sqlite3_errmsg(tx->db) : "out of memory");
	/* Nobody else opens it; the time-out is for a person with sqlite3(1). */
	sqlite3_busy_timeout(tx->db, 5000);
	/* No SQL in a damaged or planted file may call functions with side effects (sqlite.org/security.html). */
	sqlite3_db_config(tx->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(tx->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (execute(tx->db,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = "
		    "ON;"
		    "PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;"
		    "PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 4194304",
		    e) < 0) {
		if (e)
			error_set(e, ERROR_INTERNAL,
				  "The database %s is damaged or not a database (%s). Move it away "
				  "to begin anew, or bring back a backup.",
				  path, sqlite3_errmsg(tx->db));
		return -1;
	}
	return 0;
}

static int check_integrity(sqlite3 *db, const char *path, struct error *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL);
	int result = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
		result = error_set(e, ERROR_INTERNAL,
				   "The database %s is damaged (%.100s). Move it away to begin "
				   "anew, or bring back a backup.",
				   path,
				   rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0)
						    : sqlite3_errmsg(db));
	sqlite3_finalize(s);
	return result;
}

int store_open(const char *path, struct store **out, struct error *e)
{
	struct store *store = calloc(1, sizeof(*store));
	mode_t mask;
	int result;

	if (!store)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	mask = umask(0077);
	result = open_connection(&store->writer, path, e);
	if (result == 0)
		result = check_integrity(store->writer.db, path, e);
	if (result == 0)
		result = store_migrate(store->writer.db, path, store_migrations,
				       store_migrations_count, e);
	if (result == 0)
		result = open_connection(&store->reader, path, e);
	umask(mask);
	if (result < 0) {
		store_close(store);
		return -1;
	}
	*out = store;
	return 0;
}

static void close_connection(struct store_tx *tx)
{
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		sqlite3_finalize(tx->statements[i].prepared);
	sqlite3_close(tx->db);
	pthread_mutex_destroy(&tx->mutex);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->reader.db)
		close_connection(&store->reader);
	close_connection(&store->writer);
	free(store);
}

static int begin(struct store_tx *tx, const char *sql, struct store_tx **out, struct error *e)
{
	pthread_mutex_lock(&tx->mutex);
	tx->hook_count = 0;
	if (store_run(tx, sql, e, "") < 0) {
		pthread_mutex_unlock(&tx->mutex);
		return -1;
	}
	*out = tx;
	return 0;
}

int store_begin(struct store *store, struct store_tx **out, struct error *e)
{
	return begin(&store->writer, "BEGIN IMMEDIATE", out, e);
}

int store_begin_read(struct store *store, struct store_tx **out, struct error *e)
{
	return begin(&store->reader, "BEGIN DEFERRED", out, e);
}

/* The hooks run without the mutex, when the next transaction may be filling the same array: so take a copy. */
static void end(struct store_tx *tx, bool committed)
{
	struct hook hooks[HOOKS_MAX];
	int count = tx->hook_count;

	memcpy(hooks, tx->hooks, sizeof(hooks[0]) * (size_t)count);
	pthread_mutex_unlock(&tx->mutex);
	for (int i = 0; i < count; i++)
		hooks[i].run(hooks[i].context, committed);
}

int store_commit(struct store_tx **ptx, struct error *e)
{
	struct store_tx *tx = *ptx;
	int result;

	*ptx = NULL;
	result = store_run(tx, "COMMIT", e, "");
	if (result < 0 && !sqlite3_get_autocommit(tx->db))
		sqlite3_exec(tx->db, "ROLLBACK", NULL, NULL, NULL);
	end(tx, result >= 0);
	return result < 0 ? -1 : 0;
}

void store_rollback(struct store_tx *tx)
{
	if (!tx)
		return;
	/* SQLite may have rolled back by itself (a full disk): then there is nothing to do. */
	if (!sqlite3_get_autocommit(tx->db))
		sqlite3_exec(tx->db, "ROLLBACK", NULL, NULL, NULL);
	end(tx, false);
}

int store_after(struct store_tx *tx, void (*run)(void *context, bool committed), void *context,
		struct error *e)
{
	if (tx->hook_count == HOOKS_MAX)
		return error_set(e, ERROR_INTERNAL, "Too many hooks on a transaction.");
	tx->hooks[tx->hook_count++] = (struct hook){run, context};
	return 0;
}

static sqlite3_stmt *find(struct store_tx *tx, const char *sql, struct error *e)
{
	size_t i = ((uintptr_t)sql >> 3) * 2654435761u;

	for (size_t n = 0; n < STATEMENTS_MAX; n++, i++) {
		struct statement *s = &tx->statements[i % STATEMENTS_MAX];

		if (s->sql == sql)
			return s->prepared;
		if (s->sql)
			continue;
		if (sqlite3_prepare_v3(tx->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->prepared,
				       NULL) != SQLITE_OK) {
			failed(tx->db, e);
			return NULL;
		}
		s->sql = sql;
		return s->prepared;
	}
	error_set(e, ERROR_INTERNAL, "Too many SQL statements.");
	return NULL;
}

static int bind(sqlite3_stmt *s, const char *types, va_list arguments)
{
	int rc = SQLITE_OK;

	for (int i = 1; *types && rc == SQLITE_OK; types++, i++) {
		if (*types == 'i') {
			rc = sqlite3_bind_int64(s, i, va_arg(arguments, int64_t));
		} else if (*types == 's') {
			rc = sqlite3_bind_text(s, i, va_arg(arguments, const char *), -1, NULL);
		} else {
			const void *data = va_arg(arguments, const void *);

			rc = sqlite3_bind_blob64(s, i, data, va_arg(arguments, size_t), NULL);
		}
	}
	return rc;
}

static sqlite3_stmt *query(struct store_tx *tx, const char *sql, struct error *e, const char *types,
			   va_list arguments)
{
	sqlite3_stmt *s = find(tx, sql, e);

	if (!s)
		return NULL;
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	if (bind(s, types, arguments) != SQLITE_OK) {
		failed(tx->db, e);
		return NULL;
	}
	return s;
}

sqlite3_stmt *store_query(struct store_tx *tx, const char *sql, struct error *e, const char *types,
			  ...)
{
	va_list arguments;
	sqlite3_stmt *s;

	va_start(arguments, types);
	s = query(tx, sql, e, types, arguments);
	va_end(arguments);
	return s;
}

int store_step(struct store_tx *tx, sqlite3_stmt *s, struct error *e)
{
	int rc;

	if (!s)
		return -1;
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE) {
		sqlite3_reset(s);
		return 0;
	}
	failed(tx->db, e);
	sqlite3_reset(s);
	return -1;
}

int store_run(struct store_tx *tx, const char *sql, struct error *e, const char *types, ...)
{
	va_list arguments;
	sqlite3_stmt *s;
	int step;

	va_start(arguments, types);
	s = query(tx, sql, e, types, arguments);
	va_end(arguments);
	step = store_step(tx, s, e);
	if (s)
		sqlite3_reset(s);
	return step < 0 ? -1 : sqlite3_changes(tx->db);
}

int64_t store_last_id(struct store_tx *tx)
{
	return sqlite3_last_insert_rowid(tx->db);
}

void store_column_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, column);
	size_t n = text ? strnlen((const char *)text, size - 1) : 0;

	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
}
