#include "domusd/store_journal.h"

#include "domusd/store_internal.h"

int store_event_insert(struct store_tx *tx, const struct event *event, const char *data,
		       int64_t now, int64_t *seq, struct error *e)
{
	int64_t privilege = event->privilege == PRIVILEGE_NONE ? PRIVILEGE_READ : event->privilege;

	if (store_run(tx,
		      "INSERT INTO events (time, type, resource, revision, actor, operation, data, "
		      "privilege)"
		      " VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?, ?)",
		      e, "ississsi", now, event->type, event->resource, event->revision,
		      event->actor->name, event->operation, data, privilege) < 0)
		return -1;
	*seq = store_last_id(tx);
	return 0;
}

int store_audit_insert(struct store_tx *tx, const struct actor *actor, const char *action,
		       const char *resource, const char *outcome, const char *operation,
		       int64_t event, int64_t now, struct error *e)
{
	return store_run(
		       tx,
		       "INSERT INTO audit (time, action, resource, outcome, actor, method, address,"
		       " request_id, operation, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
		       "nullif(?, 0))",
		       e, "issssssssi", now, action, resource, outcome, actor->name, actor->method,
		       actor->address, actor->request_id, operation, event) < 0
		       ? -1
		       : 0;
}

static const char *text(sqlite3_stmt *s, int column)
{
	return (const char *)sqlite3_column_text(s, column);
}

int store_event_read(struct store_tx *tx, int64_t after, enum privilege privilege, int limit,
		     bool (*take)(void *context, const struct event_row *row), void *context,
		     struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx,
		"SELECT seq, time, coalesce(revision, 0), type, resource, actor, operation, data"
		" FROM events WHERE seq > ? AND privilege <= ? ORDER BY seq LIMIT ?",
		e, "iii", after, (int64_t)privilege, (int64_t)limit);
	int step;

	while ((step = store_step(tx, s, e)) == 1) {
		struct event_row row = {.seq = sqlite3_column_int64(s, 0),
					.time = sqlite3_column_int64(s, 1),
					.revision = sqlite3_column_int64(s, 2),
					.type = text(s, 3),
					.resource = text(s, 4),
					.actor = text(s, 5),
					.operation = text(s, 6),
					.data = text(s, 7)};

		if (!take(context, &row))
			return 0;
	}
	return step;
}

int store_event_bounds(struct store_tx *tx, int64_t *oldest, int64_t *newest, struct error *e)
{
	/* sqlite_sequence remembers the highest number ever given, also when every row is gone. */
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT coalesce((SELECT min(seq) FROM events), 0),"
			    " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
			    e, "");

	if (store_step(tx, s, e) != 1)
		return -1;
	*oldest = sqlite3_column_int64(s, 0);
	*newest = sqlite3_column_int64(s, 1);
	return 0;
}

int store_journal_trim(struct store_tx *tx, int64_t oldest, int64_t audit_keep, struct error *e)
{
	if (store_run(tx, "DELETE FROM events WHERE seq < ?", e, "i", oldest) < 0)
		return -1;
	return store_run(tx, "DELETE FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - ?", e,
			 "i", audit_keep) < 0
		       ? -1
		       : 0;
}
