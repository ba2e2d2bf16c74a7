#ifndef DOMUS_DOMUSD_STORE_INTERNAL_H
#define DOMUS_DOMUSD_STORE_INTERNAL_H

/*
 * For store_*.c only. Statements are prepared once for each connection and kept; the key is the
 *address of the SQL text, so pass string literals, never a text built at run time (that also keeps
 *injection out).
 *
 *	STORE_STMT sqlite3_stmt *s = store_query(tx, "SELECT name, size FROM images WHERE id = ?",
 *e, "s", id); int row = store_step(tx, s, e);         // 1: a row, 0: no more, -1: error (s may be
 *NULL: stays an error) if (row == 1) size = sqlite3_column_int64(s, 1);
 *
 *	if (store_run(tx, "DELETE FROM images WHERE id = ? AND revision = ?", e, "si", id, revision)
 *< 0) …
 */
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "domusd/store.h"

/*
 * Prepares (or finds) and binds. `types` has a letter for each argument: i int64_t (pass exactly
 * that type), s const char * (NULL becomes SQL NULL; it must live until the statement is reset), b
 * const void * and size_t (a blob). NULL and *e on error.
 */
sqlite3_stmt *store_query(struct store_tx *tx, const char *sql, struct error *e, const char *types,
			  ...);
/* 1 a row, 0 done, -1 error. Passing the NULL of a failed store_query() is -1 and leaves *e as it
 * is. */
int store_step(struct store_tx *tx, sqlite3_stmt *statement, struct error *e);
/* A statement without result rows: the number of rows it changed, or -1. */
int store_run(struct store_tx *tx, const char *sql, struct error *e, const char *types, ...);
/* The rowid of the last INSERT. */
int64_t store_last_id(struct store_tx *tx);
/* Copies a text column to out; NULL becomes "". A text that does not fit is cut: sizes are those of
 * the checks. */
void store_column_text(sqlite3_stmt *statement, int column, char *out, size_t size);

static inline void store_stmt_cleanup(sqlite3_stmt **statement)
{
	if (*statement)
		sqlite3_reset(*statement);
}
/* Resets (not: finalizes) at the end of the scope. One statement text is used by one scope at a
 * time. */
#define STORE_STMT __attribute__((cleanup(store_stmt_cleanup)))

#endif
