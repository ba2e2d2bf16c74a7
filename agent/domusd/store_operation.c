#include "domusd/store_operation.h"

#include <string.h>

#include "domusd/store_internal.h"

#define COLUMNS                                                                                    \
	"seq, id, kind, target, state, done, coalesce(total, -1), unit, step, cancellable,"        \
	" created_by, request_id, created, coalesce(started, 0), coalesce(finished, 0), error,"    \
	" warnings, result"

int store_operation_insert(struct store_tx *tx, const struct operation_row *row, struct error *e)
{
	return store_run(tx,
			 "INSERT INTO operations (id, kind, target, state, cancellable, created_by,"
			 " request_id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			 e, "sssiissi", row->id, row->kind, row->target, (int64_t)row->state,
			 (int64_t)row->cancellable, row->created_by, row->request_id,
			 row->created) < 0
		       ? -1
		       : 0;
}

int store_operation_start(struct store_tx *tx, const char *id, unsigned from,
			  enum operation_state state, int64_t started, struct error *e)
{
	return store_run(tx,
			 "UPDATE operations SET state = ?, started = coalesce(started, ?)"
			 " WHERE id = ? AND (1 << state) & ?",
			 e, "iisi", (int64_t)state, started, id, (int64_t)from);
}

int store_operation_finish(struct store_tx *tx, unsigned from, const struct operation_row *row,
			   struct error *e)
{
	return store_run(
		tx,
		"UPDATE operations SET state = ?, done = ?, total = iif(? < 0, NULL, ?), unit = ?,"
		" step = ?, finished = ?, error = ?, warnings = ?, result = ?"
		" WHERE id = ? AND (1 << state) & ?",
		e, "iiiississssi", (int64_t)row->state, row->done, row->total, row->total,
		row->unit, row->step, row->finished, row->error, row->warnings, row->result,
		row->id, (int64_t)from);
}

static const char *text(sqlite3_stmt *s, int column)
{
	return (const char *)sqlite3_column_text(s, column);
}

static int each(struct store_tx *tx, sqlite3_stmt *s,
		void (*take)(void *context, const struct operation_row *row), void *context,
		struct error *e)
{
	int count = 0, step;

	while ((step = store_step(tx, s, e)) == 1) {
		struct operation_row row = {.seq = sqlite3_column_int64(s, 0),
					    .id = text(s, 1),
					    .kind = text(s, 2),
					    .target = text(s, 3),
					    .state = (enum operation_state)sqlite3_column_int(s, 4),
					    .done = sqlite3_column_int64(s, 5),
					    .total = sqlite3_column_int64(s, 6),
					    .unit = text(s, 7),
					    .step = text(s, 8),
					    .cancellable = sqlite3_column_int(s, 9) != 0,
					    .created_by = text(s, 10),
					    .request_id = text(s, 11),
					    .created = sqlite3_column_int64(s, 12),
					    .started = sqlite3_column_int64(s, 13),
					    .finished = sqlite3_column_int64(s, 14),
					    .error = text(s, 15),
					    .warnings = text(s, 16),
					    .result = text(s, 17)};

		take(context, &row);
		count++;
	}
	return step < 0 ? -1 : count;
}

int store_operation_read(struct store_tx *tx, const char *id,
			 void (*take)(void *context, const struct operation_row *row),
			 void *context, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM operations WHERE id = ?", e, "s", id);

	return each(tx, s, take, context, e);
}

int store_operation_list(struct store_tx *tx, int64_t before, int limit,
			 void (*take)(void *context, const struct operation_row *row),
			 void *context, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT " COLUMNS
			    " FROM operations WHERE ?1 = 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
			    e, "ii", before, (int64_t)limit);

	return each(tx, s, take, context, e);
}

int store_operation_unfinished(struct store_tx *tx,
			       void (*take)(void *context, const struct operation_row *row),
			       void *context, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT " COLUMNS " FROM operations WHERE state < 3 ORDER BY seq", e, "");

	return each(tx, s, take, context, e);
}

int store_operation_trim(struct store_tx *tx, int64_t keep, struct error *e)
{
	return store_run(tx,
			 "DELETE FROM operations WHERE state >= 3 AND"
			 " seq <= (SELECT max(seq) FROM operations) - ?",
			 e, "i", keep);
}

int store_operation_counts(struct store_tx *tx, int64_t counts[OPERATION_INTERRUPTED + 1],
			   struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT state, count(*) FROM operations GROUP BY state", e, "");
	int step;

	memset(counts, 0, sizeof(counts[0]) * (OPERATION_INTERRUPTED + 1));
	while ((step = store_step(tx, s, e)) == 1)
		counts[sqlite3_column_int(s, 0)] = sqlite3_column_int64(s, 1);
	return step;
}
