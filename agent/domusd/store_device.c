#include "domusd/store_device.h"

#include <stdlib.h>
#include <string.h>

#include "domusd/store_internal.h"

#define COLUMNS                                                                                    \
	"d.id, d.kind, d.name, d.gate, d.together, d.needed, d.note, d.about, d.present, "         \
	"d.power, "                                                                                \
	"d.cause, d.since, d.error, d.holder, d.kept, d.always_on, d.policy_reason, d.revision, "  \
	"o.domain, h.state"
#define TABLES                                                                                     \
	"devices d LEFT JOIN domain_devices o ON o.device = d.id LEFT JOIN domains h ON h.name = " \
	"d.holder"

bool device_switchable(const struct device_row *row)
{
	return row->present && row->gate != VERBS_GATE_NONE && row->gate != VERBS_GATE_HYPERVISOR;
}

/* The number whose name a column holds; the first when it is none of them. */
static unsigned number_of(sqlite3_stmt *s, int column, const char *(*name)(unsigned),
			  unsigned first, unsigned end)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	for (unsigned i = first; text && i < end; i++)
		if (strcmp(name(i), text) == 0)
			return i;
	return first;
}

static const char *state_name(unsigned state)
{
	return domain_state_name((enum domain_state)state);
}

static void row_read(sqlite3_stmt *s, struct device_row *row)
{
	memset(row, 0, sizeof(*row));
	store_column_text(s, 0, row->id, sizeof(row->id));
	row->kind = (enum verbs_kind)number_of(s, 1, verbs_kind_name, 1, VERBS_KIND_END);
	store_column_text(s, 2, row->name, sizeof(row->name));
	row->gate = (enum verbs_gate)number_of(s, 3, verbs_gate_name, 1, VERBS_GATE_END);
	store_column_text(s, 4, row->together, sizeof(row->together));
	store_column_text(s, 5, row->needed, sizeof(row->needed));
	store_column_text(s, 6, row->note, sizeof(row->note));
	store_column_text(s, 7, row->about, sizeof(row->about));
	row->present = sqlite3_column_int(s, 8);
	row->power = (enum verbs_power)number_of(s, 9, verbs_power_name, 1, VERBS_POWER_END);
	row->cause = (enum verbs_cause)number_of(s, 10, verbs_cause_name, 0, VERBS_CAUSE_COUNT);
	row->since = sqlite3_column_int64(s, 11);
	store_column_text(s, 12, row->error, sizeof(row->error));
	store_column_text(s, 13, row->holder, sizeof(row->holder));
	row->kept = sqlite3_column_int(s, 14);
	row->always_on = sqlite3_column_int(s, 15);
	store_column_text(s, 16, row->policy_reason, sizeof(row->policy_reason));
	row->revision = sqlite3_column_int64(s, 17);
	store_column_text(s, 18, row->owner, sizeof(row->owner));
	row->holder_state = (enum domain_state)number_of(s, 19, state_name, 0, DOMAIN_STATE_COUNT);
}

int store_device_find(struct store_tx *tx, const char *id, struct device_row *row, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM " TABLES " WHERE d.id = ?", e, "s", id);
	int found = store_step(tx, s, e);

	if (found == 1)
		row_read(s, row);
	return found;
}

int store_device_get(struct store_tx *tx, const char *id, struct device_row *row, struct error *e)
{
	int found = store_device_find(tx, id, row, e);

	if (found == 0)
		return error_set(e, ERROR_DEVICE_UNKNOWN, "There is no device %.64s.", id);
	return found == 1 ? 0 : -1;
}

int store_device_list(struct store_tx *tx, const char *after, int limit,
		      bool (*take)(void *context, const struct device_row *row), void *context,
		      struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT " COLUMNS " FROM " TABLES " WHERE d.id > ? ORDER BY d.id LIMIT ?", e,
		"si", after, (int64_t)limit);
	struct device_row *row = malloc(sizeof(*row));
	int found;

	if (!row)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	while ((found = store_step(tx, s, e)) == 1) {
		row_read(s, row);
		if (!take(context, row))
			break;
	}
	free(row);
	return found < 0 ? -1 : 0;
}

#define TOLD(row)                                                                                  \
	verbs_kind_name((row)->kind), (row)->name, verbs_gate_name((row)->gate), (row)->together,  \
		(row)->needed, (row)->note, (row)->about, (int64_t)(row)->present,                 \
		verbs_power_name((row)->power), verbs_cause_name((row)->cause), (row)->since,      \
		(row)->error, (row)->holder, (int64_t)(row)->kept, (row)->id

int store_device_insert(struct store_tx *tx, const struct device_row *row, struct error *e)
{
	return store_run(tx,
			 "INSERT INTO devices (kind, name, gate, together, needed, note, about, "
			 "present, power, cause, since, error, holder, kept, id) "
			 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 e, "sssssssississis", TOLD(row)) < 0
		       ? -1
		       : 0;
}

int store_device_tell(struct store_tx *tx, const struct device_row *row, struct error *e)
{
	return store_run(tx,
			 "UPDATE devices SET kind = ?, name = ?, gate = ?, together = ?, "
			 "needed = ?, note = ?, about = ?, present = ?, power = ?, cause = ?, "
			 "since = ?, error = ?, holder = ?, kept = ? WHERE id = ?",
			 e, "sssssssississis", TOLD(row)) < 0
		       ? -1
		       : 0;
}

int store_device_policy(struct store_tx *tx, const char *id, bool always_on, const char *reason,
			struct error *e)
{
	return store_run(tx,
			 "UPDATE devices SET always_on = ?, policy_reason = ?, "
			 "revision = revision + 1 WHERE id = ?",
			 e, "iss", (int64_t)always_on, always_on ? reason : NULL, id) < 0
		       ? -1
		       : 0;
}

int store_device_revise(struct store_tx *tx, const char *id, int64_t *revision, struct error *e)
{
	struct device_row row;

	if (store_run(tx, "UPDATE devices SET revision = revision + 1 WHERE id = ?", e, "s", id) <
		    0 ||
	    store_device_get(tx, id, &row, e) < 0)
		return -1;
	*revision = row.revision;
	return 0;
}

int store_device_delete(struct store_tx *tx, const char *id, struct error *e)
{
	return store_run(tx, "DELETE FROM devices WHERE id = ?", e, "s", id) < 0 ? -1 : 0;
}

int64_t store_device_count(struct store_tx *tx, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(tx, "SELECT count(*) FROM devices", e, "");

	return store_step(tx, s, e) == 1 ? sqlite3_column_int64(s, 0) : -1;
}

int store_domain_devices_set(struct store_tx *tx, const struct definition *d, struct error *e)
{
	if (store_run(tx, "DELETE FROM domain_devices WHERE domain = ?", e, "s", d->name) < 0)
		return -1;
	for (unsigned i = 0; i < d->device_count; i++)
		if (store_run(tx,
			      "INSERT INTO domain_devices (domain, position, device) "
			      "VALUES (?, ?, ?)",
			      e, "sis", d->name, (int64_t)i, d->devices[i]) < 0)
			return -1;
	return 0;
}

int store_device_violations(struct store_tx *tx,
			    void (*take)(void *context, const char *id, bool held), void *context,
			    struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx,
		"SELECT d.id, d.holder <> '' FROM devices d LEFT JOIN domains m ON m.name = "
		"d.holder "
		"WHERE d.present AND d.power = 'on' AND d.gate NOT IN ('none', 'hypervisor') "
		"AND d.needed = '' AND NOT d.always_on AND NOT d.kept "
		"AND (m.state IS NULL OR m.state IN ('stopped', 'crashed'))",
		e, "");
	int found;

	while ((found = store_step(tx, s, e)) == 1)
		take(context, (const char *)sqlite3_column_text(s, 0), sqlite3_column_int(s, 1));
	return found;
}

int store_device_untold(struct store_tx *tx,
			void (*take)(void *context, const char *id, bool always_on), void *context,
			struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT id, always_on FROM devices WHERE present AND always_on <> kept "
			    "AND needed = '' AND gate NOT IN ('none', 'hypervisor') "
			    "AND (always_on OR holder = '')",
			    e, "");
	int found;

	while ((found = store_step(tx, s, e)) == 1)
		take(context, (const char *)sqlite3_column_text(s, 0), sqlite3_column_int(s, 1));
	return found;
}
