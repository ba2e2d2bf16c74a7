#include "domusd/store_rail.h"

#include "domusd/store_internal.h"

static const char *text(sqlite3_stmt *s, int column)
{
	return (const char *)sqlite3_column_text(s, column);
}

int store_rail_record(struct store_tx *tx, const char *device, const struct rail_record *r,
		      struct error *e)
{
	if (store_run(tx,
		      "INSERT INTO rail_history (device, time, previous, power, cause, domain, "
		      "actor, operation, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      e, "sisssssss", device, r->time, r->previous, r->power, r->cause, r->domain,
		      r->actor, r->operation, r->error) < 0)
		return -1;
	return store_run(tx,
			 "DELETE FROM rail_history WHERE device = ? AND seq <= (SELECT seq FROM "
			 "rail_history WHERE device = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
			 e, "ssi", device, device, (int64_t)RAIL_HISTORY_KEPT) < 0
		       ? -1
		       : 0;
}

int store_rail_history(struct store_tx *tx, const char *device, int64_t before, int limit,
		       void (*take)(void *context, const struct rail_record *record), void *context,
		       struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT seq, time, previous, power, cause, domain, operation, error, "
			    "actor FROM rail_history WHERE device = ? AND seq < ? "
			    "ORDER BY seq DESC LIMIT ?",
			    e, "sii", device, before ? before : INT64_MAX, (int64_t)limit);
	int found;

	while ((found = store_step(tx, s, e)) == 1) {
		struct rail_record r = {.seq = sqlite3_column_int64(s, 0),
					.time = sqlite3_column_int64(s, 1),
					.previous = text(s, 2),
					.power = text(s, 3),
					.cause = text(s, 4),
					.domain = text(s, 5),
					.operation = text(s, 6),
					.error = text(s, 7),
					.actor = text(s, 8)};

		take(context, &r);
	}
	return found;
}

int store_alert_raise(struct store_tx *tx, const char *code, const char *resource,
		      const char *detail, int64_t now, struct error *e)
{
	int changed = store_run(tx,
				"UPDATE alerts SET detail = ? WHERE code = ? AND resource = ? AND "
				"cleared IS NULL",
				e, "sss", detail, code, resource);

	if (changed != 0)
		return changed < 0 ? -1 : 0;
	return store_run(tx,
			 "INSERT INTO alerts (code, resource, detail, raised) VALUES (?, ?, ?, ?)",
			 e, "sssi", code, resource, detail, now) < 0
		       ? -1
		       : 1;
}

int store_alert_clear(struct store_tx *tx, const char *code, const char *resource, int64_t now,
		      struct error *e)
{
	int changed = store_run(tx,
				"UPDATE alerts SET cleared = ? WHERE code = ? AND resource = ? AND "
				"cleared IS NULL",
				e, "iss", now, code, resource);

	if (changed <= 0)
		return changed;
	return store_run(tx,
			 "DELETE FROM alerts WHERE cleared IS NOT NULL AND seq <= (SELECT seq FROM "
			 "alerts WHERE cleared IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET ?)",
			 e, "i", (int64_t)ALERTS_KEPT) < 0
		       ? -1
		       : 1;
}

int store_alert_open(struct store_tx *tx, const char *code, const char *resource, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT 1 FROM alerts WHERE code = ? AND resource = ? AND cleared IS NULL", e,
		"ss", code, resource);

	return store_step(tx, s, e);
}

int store_alert_list(struct store_tx *tx, bool open, int64_t before, int limit,
		     void (*take)(void *context, const struct alert *alert), void *context,
		     struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx,
		"SELECT seq, code, resource, detail, raised, cleared FROM alerts "
		"WHERE seq < ? AND (cleared IS NULL OR NOT ?) ORDER BY seq DESC LIMIT ?",
		e, "iii", before ? before : INT64_MAX, (int64_t)open, (int64_t)limit);
	int found;

	while ((found = store_step(tx, s, e)) == 1) {
		struct alert a = {.seq = sqlite3_column_int64(s, 0),
				  .code = text(s, 1),
				  .resource = text(s, 2),
				  .detail = text(s, 3),
				  .raised = sqlite3_column_int64(s, 4),
				  .cleared = sqlite3_column_int64(s, 5)};

		take(context, &a);
	}
	return found;
}
