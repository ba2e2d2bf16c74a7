#include "domusd/store_volume.h"

#include "domusd/store_internal.h"
#include "domusd/store_names.h"

#define COLUMNS "id, name, size, image, created, revision"

static void volume_read(sqlite3_stmt *s, struct volume *volume)
{
	store_column_text(s, 0, volume->id, sizeof(volume->id));
	store_column_text(s, 1, volume->name, sizeof(volume->name));
	volume->size = sqlite3_column_int64(s, 2);
	store_column_text(s, 3, volume->image, sizeof(volume->image));
	volume->created = sqlite3_column_int64(s, 4);
	volume->revision = sqlite3_column_int64(s, 5);
}

int store_volume_get(struct store_tx *tx, const char *id, struct volume *volume, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM volumes WHERE id = ?", e, "s", id);
	int row = store_step(tx, s, e);

	if (row == 1)
		volume_read(s, volume);
	else if (row == 0)
		return error_set(e, ERROR_VOLUME_UNKNOWN, "There is no volume %s.", id);
	return row == 1 ? 0 : -1;
}

int store_volume_list(struct store_tx *tx, const char *after, int limit, struct volume *volumes,
		      struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM volumes WHERE id > ? ORDER BY id LIMIT ?",
			    e, "si", after, (int64_t)limit);
	int count = 0, row;

	while ((row = store_step(tx, s, e)) == 1 && count < limit)
		volume_read(s, &volumes[count++]);
	return row < 0 ? -1 : count;
}

int store_volume_name_free(struct store_tx *tx, const char *name, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT 1 FROM volumes WHERE name = ?", e, "s", name);
	int row = store_step(tx, s, e);

	if (row == 1)
		return error_set(e, ERROR_VOLUME_EXISTS, "There is a volume named %s already.",
				 name);
	return row;
}

int store_volume_insert(struct store_tx *tx, const struct volume *volume, struct error *e)
{
	if (store_volume_name_free(tx, volume->name, e) < 0)
		return -1;
	return store_run(tx,
			 "INSERT INTO volumes (id, name, size, image, created) "
			 "VALUES (?, ?, ?, (SELECT id FROM images WHERE id = ?), ?)",
			 e, "ssisi", volume->id, volume->name, volume->size, volume->image,
			 volume->created) < 0
		       ? -1
		       : 0;
}

int store_volume_delete(struct store_tx *tx, const char *id, struct error *e)
{
	json_t *users = store_volume_users(tx, id, e);
	char text[160];

	if (!users)
		return -1;
	if (json_array_size(users) > 0) {
		store_names_text(users, text, sizeof(text));
		json_decref(users);
		return error_set(e, ERROR_VOLUME_IN_USE, "The volume is used by %s.", text);
	}
	json_decref(users);
	return store_run(tx, "DELETE FROM volumes WHERE id = ?", e, "s", id) < 0 ? -1 : 0;
}

json_t *store_volume_users(struct store_tx *tx, const char *id, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT domain FROM domain_volumes WHERE volume = ? ORDER BY domain", e, "s",
		id);

	return store_names(tx, s, e);
}

int store_volume_rival(struct store_tx *tx, const char *id, const char *domain, bool writes,
		       char rival[41], struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT domain FROM domain_volumes "
			    "WHERE volume = ? AND domain <> ? AND (writes OR ?) LIMIT 1",
			    e, "ssi", id, domain, (int64_t)writes);
	int row = store_step(tx, s, e);

	if (row == 1)
		store_column_text(s, 0, rival, 41);
	return row;
}
