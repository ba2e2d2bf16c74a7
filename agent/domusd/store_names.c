#include "domusd/store_names.h"

#include <stdio.h>

json_t *store_names(struct store_tx *tx, sqlite3_stmt *statement, struct error *e)
{
	json_t *names = json_array();
	int row;

	if (!names) {
		error_set(e, ERROR_INTERNAL, "Out of memory");
		return NULL;
	}
	while ((row = store_step(tx, statement, e)) == 1)
		json_array_append_new(names,
				      json_string((const char *)sqlite3_column_text(statement, 0)));
	if (row < 0) {
		json_decref(names);
		return NULL;
	}
	return names;
}

void store_names_text(const json_t *names, char *text, size_t size)
{
	size_t count = json_array_size(names), shown = 0, at = 0;

	text[0] = '\0';
	for (; shown < count && shown < 3; shown++)
		at += (size_t)snprintf(text + at, size - at, "%s%s",
				       shown == 0			  ? ""
				       : shown + 1 == count && count <= 3 ? " and "
									  : ", ",
				       json_string_value(json_array_get(names, shown)));
	if (shown < count)
		snprintf(text + at, size - at, " and %zu more", count - shown);
}
