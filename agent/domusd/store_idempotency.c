#include "domusd/store_idempotency.h"

#include <stdlib.h>
#include <string.h>

#include "domusd/store_internal.h"

static char *copy(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? strdup(text) : NULL;
}

int store_idempotency_find(struct store_tx *tx, int64_t user_id, const char *key, int64_t now,
			   struct idempotency_row *row, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT request, status, headers, body FROM idempotency"
			    " WHERE principal = ? AND key = ? AND expires > ?",
			    e, "isi", user_id, key, now);
	int step = store_step(tx, s, e);

	memset(row, 0, sizeof(*row));
	if (step != 1)
		return step;
	if (sqlite3_column_bytes(s, 0) == sizeof(row->request))
		memcpy(row->request, sqlite3_column_blob(s, 0), sizeof(row->request));
	row->status = sqlite3_column_int64(s, 1);
	row->headers = copy(s, 2);
	row->body = copy(s, 3);
	return 1;
}

void store_idempotency_free(struct idempotency_row *row)
{
	free(row->headers);
	free(row->body);
}

int store_idempotency_put(struct store_tx *tx, int64_t user_id, const char *key,
			  const struct idempotency_row *row, int64_t expires, struct error *e)
{
	/* One that has expired and was not yet swept may stand there. */
	return store_run(tx,
			 "INSERT OR REPLACE INTO idempotency (principal, key, request, status,"
			 " headers, body, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
			 e, "isbissi", user_id, key, (const void *)row->request,
			 sizeof(row->request), row->status, row->headers, row->body, expires) < 0
		       ? -1
		       : 0;
}

int store_idempotency_expire(struct store_tx *tx, int64_t now, struct error *e)
{
	return store_run(tx, "DELETE FROM idempotency WHERE expires <= ?", e, "i", now);
}
