#ifndef DOMUS_DOMUSD_STORE_MIGRATE_H
#define DOMUS_DOMUSD_STORE_MIGRATE_H

#include <sqlite3.h>
#include <stddef.h>

#include "common/error.h"

/* db/migrations/NNNN_name.sql in the order of their numbers, built into the program (agent.mk). */
struct store_migration {
	int number;
	const char *name; /* "0001_core" */
	const char *sql;
};

extern const struct store_migration store_migrations[];
extern const size_t store_migrations_count;

/*
 * Brings the database (path is for messages) from its PRAGMA user_version to the last number, each step in a transaction
 * of its own. A version past the last is refused with ERROR_STATE and nothing is written.
 */
int store_migrate(sqlite3 *db, const char *path, const struct store_migration *migrations,
		  size_t count, struct error *e);

#endif
