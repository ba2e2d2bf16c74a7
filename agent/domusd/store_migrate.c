#include "domusd/store_migrate.h"

#include <stdio.h>

static int read_version(sqlite3 *db, int *version)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*version = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? 0 : -1;
}

static int apply(sqlite3 *db, const struct store_migration *m)
{
	char version[48];

	/* user_version is part of the file's header page, so it commits and rolls back with the rest. */
	snprintf(version, sizeof(version), "PRAGMA user_version = %d", m->number);
	return sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
			       sqlite3_exec(db, m->sql, NULL, NULL, NULL) == SQLITE_OK &&
			       sqlite3_exec(db, version, NULL, NULL, NULL) == SQLITE_OK &&
			       sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : -1;
}

int store_migrate(sqlite3 *db, const char *path, const struct store_migration *migrations,
		  size_t count, struct error *e)
{
	int last = count ? migrations[count - 1].number : 0;
	int version = 0;

	if (read_version(db, &version) < 0)
		return error_set(e, ERROR_INTERNAL, "The database %s cannot be read: %s.", path,
				 sqlite3_errmsg(db));
	if (version > last)
		return error_set(e, ERROR_STATE,
				 "The database %s is of version %d, from a newer Domus; this one "
				 "knows versions up to %d. Nothing was changed: run the newer "
				 "software again or restore a backup.",
				 path, version, last);
	for (size_t i = 0; i < count; i++) {
		if (migrations[i].number <= version)
			continue;
		if (apply(db, &migrations[i]) < 0) {
			error_set(e, ERROR_INTERNAL, "Migration %s of the database %s failed: %s.",
				  migrations[i].name, path, sqlite3_errmsg(db));
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
	}
	return 0;
}
