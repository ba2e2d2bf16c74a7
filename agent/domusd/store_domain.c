#include "domusd/store_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/store_device.h"
#include "domusd/store_internal.h"
#include "domusd/store_names.h"

#define COLUMNS		  "name, uuid, revision, created, updated, state, since, domid, reason, definition"
#define DEFINITION_COLUMN 9

static const char *const state_names[DOMAIN_STATE_COUNT] = {"stopped", "starting", "running",
							    "paused",  "stopping", "crashed"};

const char *domain_state_name(enum domain_state state)
{
	return state_names[state];
}

static void status_read(sqlite3_stmt *s, struct domain_row *row)
{
	char state[16];

	memset(&row->id, 0, sizeof(row->id));
	store_column_text(s, 0, row->id.name, sizeof(row->id.name));
	memcpy(row->id.uuid, sqlite3_column_blob(s, 1), sizeof(row->id.uuid));
	row->revision = sqlite3_column_int64(s, 2);
	row->created = sqlite3_column_int64(s, 3);
	row->updated = sqlite3_column_int64(s, 4);
	store_column_text(s, 5, state, sizeof(state));
	row->status.state = DOMAIN_STOPPED;
	for (int i = 0; i < DOMAIN_STATE_COUNT; i++)
		if (strcmp(state, state_names[i]) == 0)
			row->status.state = (enum domain_state)i;
	row->status.since = sqlite3_column_int64(s, 6);
	row->status.domid =
		sqlite3_column_type(s, 7) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, 7);
	store_column_text(s, 8, row->status.reason, sizeof(row->status.reason));
	snprintf(row->definition.name, sizeof(row->definition.name), "%s", row->id.name);
}

static int row_read(sqlite3_stmt *s, struct domain_row *row, struct error *e)
{
	status_read(s, row);
	return definition_from_text((const char *)sqlite3_column_text(s, DEFINITION_COLUMN),
				    &row->definition, e);
}

static int row_get(struct store_tx *tx, const char *name, struct domain_row *row, bool whole,
		   struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM domains WHERE name = ?", e, "s", name);
	int found = store_step(tx, s, e);

	if (found == 0)
		return error_set(e, ERROR_DOMAIN_UNKNOWN, "There is no domain named %s.", name);
	if (found < 0)
		return -1;
	if (whole)
		return row_read(s, row, e);
	status_read(s, row);
	return 0;
}

int store_domain_get(struct store_tx *tx, const char *name, struct domain_row *row, struct error *e)
{
	return row_get(tx, name, row, true, e);
}

int store_domain_status(struct store_tx *tx, const char *name, struct domain_row *row,
			struct error *e)
{
	return row_get(tx, name, row, false, e);
}

int store_domain_list(struct store_tx *tx, const char *after, int limit,
		      void (*take)(void *context, const struct domain_row *row), void *context,
		      struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT " COLUMNS " FROM domains WHERE name > ? ORDER BY name LIMIT ?", e, "si",
		after, (int64_t)limit);
	struct domain_row *row = malloc(sizeof(*row));
	int count = 0, found = -1;

	if (!row)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	while (count < limit && (found = store_step(tx, s, e)) == 1) {
		if (row_read(s, row, e) < 0) {
			found = -1;
			break;
		}
		take(context, row);
		count++;
	}
	free(row);
	return found < 0 ? -1 : count;
}

/* The tables that keep what a definition refers to from being deleted. */
static int references_insert(struct store_tx *tx, const struct definition *d, struct error *e)
{
	const char *images[] = {d->kernel, d->initrd};

	for (unsigned i = 0; i < 2; i++)
		if (*images[i] &&
		    store_run(tx,
			      "INSERT OR IGNORE INTO domain_images (domain, image) VALUES (?, ?)",
			      e, "ss", d->name, images[i]) < 0)
			return -1;
	for (unsigned i = 0; i < d->disk_count; i++)
		if (*d->disks[i].volume &&
		    store_run(
			    tx,
			    "INSERT INTO domain_volumes (domain, volume, writes) VALUES (?, ?, ?)",
			    e, "ssi", d->name, d->disks[i].volume,
			    (int64_t)!d->disks[i].readonly) < 0)
			return -1;
	for (unsigned i = 0; i < d->nic_count; i++)
		if (store_run(tx,
			      "INSERT INTO domain_nics (domain, position, network, mac) "
			      "VALUES (?, ?, ?, ?)",
			      e, "siss", d->name, (int64_t)i, d->nics[i].network,
			      d->nics[i].mac) < 0)
			return -1;
	for (unsigned i = 0; i < d->autostart.after_count; i++)
		if (store_run(tx, "INSERT INTO domain_after (domain, other) VALUES (?, ?)", e, "ss",
			      d->name, d->autostart.after[i]) < 0)
			return -1;
	return store_domain_devices_set(tx, d, e);
}

static int references_delete(struct store_tx *tx, const char *name, struct error *e)
{
	return store_run(tx, "DELETE FROM domain_images WHERE domain = ?", e, "s", name) < 0 ||
			       store_run(tx, "DELETE FROM domain_volumes WHERE domain = ?", e, "s",
					 name) < 0 ||
			       store_run(tx, "DELETE FROM domain_nics WHERE domain = ?", e, "s",
					 name) < 0 ||
			       store_run(tx, "DELETE FROM domain_after WHERE domain = ?", e, "s",
					 name) < 0
		       ? -1
		       : 0;
}

int store_domain_insert(struct store_tx *tx, const struct domain_row *row, struct error *e)
{
	const struct definition *d = &row->definition;
	char *text = definition_text(d);
	int result;

	if (!text)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	result = store_run(tx,
			   "INSERT INTO domains (name, uuid, definition, created, updated, since) "
			   "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
			   e, "sbsiii", d->name, row->id.uuid, sizeof(row->id.uuid), text,
			   row->created, row->created, row->created);
	free(text);
	if (result == 0)
		return error_set(e, ERROR_DOMAIN_EXISTS, "There is a domain named %s already.",
				 d->name);
	return result < 0 ? -1 : references_insert(tx, d, e);
}

int store_domain_update(struct store_tx *tx, const struct definition *d, int64_t now,
			int64_t *revision, struct error *e)
{
	char *text = definition_text(d);
	struct domain_row row;
	int result;

	if (!text)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	result =
		store_run(tx,
			  "UPDATE domains SET definition = ?, updated = ?, revision = revision + 1 "
			  "WHERE name = ?",
			  e, "sis", text, now, d->name);
	free(text);
	if (result < 0 || references_delete(tx, d->name, e) < 0 ||
	    references_insert(tx, d, e) < 0 || store_domain_status(tx, d->name, &row, e) < 0)
		return -1;
	*revision = row.revision;
	return 0;
}

int store_domain_delete(struct store_tx *tx, const char *name, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT domain FROM domain_after WHERE other = ?", e, "s", name);
	json_t *users = store_names(tx, s, e);
	char text[160];

	if (!users)
		return -1;
	store_names_text(users, text, sizeof(text));
	json_decref(users);
	if (*text)
		return error_set(e, ERROR_IN_USE, "The domain is named in autostart.after of %s.",
				 text);
	return store_run(tx, "DELETE FROM domains WHERE name = ?", e, "s", name) < 0 ? -1 : 0;
}

int store_domain_set_status(struct store_tx *tx, const char *name,
			    const struct domain_status *status, struct error *e)
{
	int changed =
		status->domid < 0
			? store_run(tx,
				    "UPDATE domains SET state = ?, since = ?, domid = NULL, "
				    "reason = ? WHERE name = ?",
				    e, "siss", state_names[status->state], status->since,
				    *status->reason ? status->reason : NULL, name)
			: store_run(tx,
				    "UPDATE domains SET state = ?, since = ?, domid = ?, "
				    "reason = ? WHERE name = ?",
				    e, "siiss", state_names[status->state], status->since,
				    status->domid, *status->reason ? status->reason : NULL, name);

	if (changed == 0)
		return error_set(e, ERROR_DOMAIN_UNKNOWN, "There is no domain named %s.", name);
	return changed < 0 ? -1 : 0;
}

int store_domain_mac_user(struct store_tx *tx, const char *mac, const char *but, char user[41],
			  struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT domain FROM domain_nics WHERE mac = ? AND domain <> ?", e,
			    "ss", mac, but);
	int row = store_step(tx, s, e);

	if (row == 1)
		store_column_text(s, 0, user, 41);
	return row;
}

json_t *store_network_users(struct store_tx *tx, const char *network, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT DISTINCT domain FROM domain_nics WHERE network = ? "
			    "ORDER BY domain",
			    e, "s", network);

	return store_names(tx, s, e);
}

int store_domain_counts(struct store_tx *tx, int64_t counts[DOMAIN_STATE_COUNT], struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT state, count(*) FROM domains GROUP BY state", e, "");
	char state[16];
	int row;

	memset(counts, 0, sizeof(*counts) * DOMAIN_STATE_COUNT);
	while ((row = store_step(tx, s, e)) == 1) {
		store_column_text(s, 0, state, sizeof(state));
		for (int i = 0; i < DOMAIN_STATE_COUNT; i++)
			if (strcmp(state, state_names[i]) == 0)
				counts[i] = sqlite3_column_int64(s, 1);
	}
	return row;
}
