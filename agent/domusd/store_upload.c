#include "domusd/store_upload.h"

#include "domusd/store_internal.h"

#define COLUMNS "id, name, kind, sha256, length, offset, expires, created_by, image"

static void upload_read(sqlite3_stmt *s, struct upload_row *row)
{
	char kind[16];
	int known;

	store_column_text(s, 0, row->id, sizeof(row->id));
	store_column_text(s, 1, row->name, sizeof(row->name));
	store_column_text(s, 2, kind, sizeof(kind));
	known = blob_kind_parse(kind);
	row->kind = known < 0 ? BLOB_BOOT : (enum blob_kind)known;
	store_column_text(s, 3, row->sha256, sizeof(row->sha256));
	row->length = sqlite3_column_int64(s, 4);
	row->offset = sqlite3_column_int64(s, 5);
	row->expires = sqlite3_column_int64(s, 6);
	store_column_text(s, 7, row->created_by, sizeof(row->created_by));
	store_column_text(s, 8, row->image, sizeof(row->image));
}

int store_upload_get(struct store_tx *tx, const char *id, struct upload_row *upload,
		     struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM uploads WHERE id = ?", e, "s", id);
	int row = store_step(tx, s, e);

	if (row == 1)
		upload_read(s, upload);
	else if (row == 0)
		return error_set(e, ERROR_UPLOAD_UNKNOWN, "There is no upload %s.", id);
	return row == 1 ? 0 : -1;
}

int store_upload_list(struct store_tx *tx, const char *after, int limit, struct upload_row *rows,
		      struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM uploads WHERE id > ? ORDER BY id LIMIT ?",
			    e, "si", after, (int64_t)limit);
	int count = 0, row;

	while ((row = store_step(tx, s, e)) == 1 && count < limit)
		upload_read(s, &rows[count++]);
	return row < 0 ? -1 : count;
}

int store_upload_insert(struct store_tx *tx, const struct upload_row *row, struct error *e)
{
	return store_run(
		       tx,
		       "INSERT INTO uploads (id, name, kind, sha256, length, expires, created_by) "
		       "VALUES (?, ?, ?, ?, ?, ?, ?)",
		       e, "ssssiis", row->id, row->name, blob_kind_name(row->kind), row->sha256,
		       row->length, row->expires, row->created_by) < 0
		       ? -1
		       : 0;
}

/* One row must have been changed: otherwise the upload has gone meanwhile. */
static int changed_one(int changed, const char *id, struct error *e)
{
	if (changed == 0)
		return error_set(e, ERROR_UPLOAD_UNKNOWN, "There is no upload %s.", id);
	return changed < 0 ? -1 : 0;
}

int store_upload_progress(struct store_tx *tx, const char *id, int64_t offset, int64_t expires,
			  struct error *e)
{
	return changed_one(store_run(tx, "UPDATE uploads SET offset = ?, expires = ? WHERE id = ?",
				     e, "iis", offset, expires, id),
			   id, e);
}

int store_upload_complete(struct store_tx *tx, const char *id, const char *image, struct error *e)
{
	return changed_one(store_run(tx,
				     "UPDATE uploads SET offset = length, image = ? WHERE id = ?",
				     e, "ss", image, id),
			   id, e);
}

int store_upload_delete(struct store_tx *tx, const char *id, struct error *e)
{
	return changed_one(store_run(tx, "DELETE FROM uploads WHERE id = ?", e, "s", id), id, e);
}

int64_t store_upload_outstanding(struct store_tx *tx, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT coalesce(sum(length - offset), 0) FROM uploads WHERE image IS NULL", e,
		"");

	return store_step(tx, s, e) == 1 ? sqlite3_column_int64(s, 0) : -1;
}
