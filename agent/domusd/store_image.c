#include "domusd/store_image.h"

#include <stdio.h>

#include "domusd/store_internal.h"
#include "domusd/store_names.h"

#define COLUMNS "id, name, kind, size, sha256, created, revision"

static void image_read(sqlite3_stmt *s, struct image *image)
{
	char kind[16];
	int known;

	store_column_text(s, 0, image->id, sizeof(image->id));
	store_column_text(s, 1, image->name, sizeof(image->name));
	store_column_text(s, 2, kind, sizeof(kind));
	known = blob_kind_parse(kind);
	image->kind = known < 0 ? BLOB_BOOT : (enum blob_kind)known;
	image->size = sqlite3_column_int64(s, 3);
	store_column_text(s, 4, image->sha256, sizeof(image->sha256));
	image->created = sqlite3_column_int64(s, 5);
	image->revision = sqlite3_column_int64(s, 6);
}

int store_image_get(struct store_tx *tx, const char *id, struct image *image, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM images WHERE id = ?", e, "s", id);
	int row = store_step(tx, s, e);

	if (row == 1)
		image_read(s, image);
	else if (row == 0)
		return error_set(e, ERROR_IMAGE_UNKNOWN, "There is no image %s.", id);
	return row == 1 ? 0 : -1;
}

int store_image_list(struct store_tx *tx, const char *after, int limit, struct image *images,
		     struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx, "SELECT " COLUMNS " FROM images WHERE id > ? ORDER BY id LIMIT ?",
			    e, "si", after, (int64_t)limit);
	int count = 0, row;

	while ((row = store_step(tx, s, e)) == 1 && count < limit)
		image_read(s, &images[count++]);
	return row < 0 ? -1 : count;
}

int store_image_insert(struct store_tx *tx, const struct image *image, struct error *e)
{
	return store_run(tx,
			 "INSERT INTO images (id, name, kind, size, sha256, created) "
			 "VALUES (?, ?, ?, ?, ?, ?)",
			 e, "sssisi", image->id, image->name, blob_kind_name(image->kind),
			 image->size, image->sha256, image->created) < 0
		       ? -1
		       : 0;
}

int store_image_delete(struct store_tx *tx, const char *id, struct error *e)
{
	json_t *users = store_image_users(tx, id, e);
	char text[160];

	if (!users)
		return -1;
	if (json_array_size(users) > 0) {
		store_names_text(users, text, sizeof(text));
		json_decref(users);
		return error_set(e, ERROR_IMAGE_IN_USE, "The image is used by %s.", text);
	}
	json_decref(users);
	return store_run(tx, "DELETE FROM images WHERE id = ?", e, "s", id) < 0 ? -1 : 0;
}

json_t *store_image_users(struct store_tx *tx, const char *id, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT domain FROM domain_images WHERE image = ? ORDER BY domain", e, "s", id);

	return store_names(tx, s, e);
}
