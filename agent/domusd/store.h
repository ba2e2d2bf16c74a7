#ifndef DOMUS_DOMUSD_STORE_H
#define DOMUS_DOMUSD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/*
 * SQLite. Only store*.c speak SQL: a service or an api file opens a transaction here and calls
 *store_<noun>_<verb>(tx, …).
 *
 *	STORE_TX struct store_tx *tx = NULL;                  // rolls back at the end of the scope
 *	if (store_begin(domusd.store, &tx, &e) < 0 ||
 *	    store_volume_insert(tx, &volume, &e) < 0 ||
 *	    journal_append(domusd.journal, tx, &event, &e) < 0 ||  // event and audit row
 *	    store_commit(&tx, &e) < 0)                         // on disk (fsync) when it returns 0
 *		return request_fail(r, &e);
 *
 * Two connections to one WAL database: one writes, one reads, each behind its own mutex, so a
 *reader never waits for an fsync and SQLITE_BUSY cannot happen within the process. A transaction
 *belongs to the thread that began it. Do not wait for anything while one is open, and never begin a
 *second one in the same thread: the mutexes come last in the lock order (take yours first, or
 *none).
 *
 * Errors of SQLite become ERROR_STORAGE (disk full) or ERROR_INTERNAL; a broken UNIQUE or FOREIGN
 *KEY constraint becomes ERROR_EXISTS or ERROR_IN_USE, which the store function that knows better
 *may replace.
 */
struct store;
struct store_tx;

/*
 * Opens or makes the database file (mode 0600), applies the migrations that it lacks, each in one
 * transaction. Fails with a sentence for the person at the console when the file is of a newer
 * version, damaged or not a database.
 */
int store_open(const char *path, struct store **out, struct error *e);
/* After the last transaction has ended. NULL is fine. */
void store_close(struct store *store);

/* A transaction that may write (BEGIN IMMEDIATE). */
int store_begin(struct store *store, struct store_tx **out, struct error *e);
/* A transaction that only reads: a consistent snapshot. End it with store_rollback() or STORE_TX.
 */
int store_begin_read(struct store *store, struct store_tx **out, struct error *e);
/* Commits and sets *tx to NULL, in success and in failure. Then, with no lock held, calls the
 * after-commit hooks. */
int store_commit(struct store_tx **tx, struct error *e);
/* NULL is fine. */
void store_rollback(struct store_tx *tx);
/*
 * Remembers run(context, committed) for the end of the transaction: called exactly once, in the
 * thread that ends it, with no lock held, in the order of registration; committed says which way it
 * went, so a context can be freed. At most 32 hooks a transaction, ERROR_INTERNAL past that. This is
 * how a service wakes its workers for what was just committed.
 */
int store_after(struct store_tx *tx, void (*run)(void *context, bool committed), void *context,
		struct error *e);

static inline void store_tx_cleanup(struct store_tx **tx)
{
	store_rollback(*tx);
}
#define STORE_TX __attribute__((cleanup(store_tx_cleanup)))

#endif
