#include "domusd/store_auth.h"

#include "domusd/store_internal.h"

int store_user_count(struct store_tx *tx, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(tx, "SELECT count(*) FROM users", e, "");

	return store_step(tx, s, e) == 1 ? sqlite3_column_int(s, 0) : -1;
}

int store_user_insert(struct store_tx *tx, const char *name, const char *password,
		      enum privilege privilege, int64_t now, int64_t *id, struct error *e)
{
	if (store_run(tx,
		      "INSERT INTO users (name, password, privilege, created) VALUES (?, ?, ?, ?)",
		      e, "ssii", name, password, (int64_t)privilege, now) < 0)
		return -1;
	*id = store_last_id(tx);
	return 0;
}

int store_user_find(struct store_tx *tx, const char *name, struct user_row *user, struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx, "SELECT id, name, password, privilege FROM users WHERE name = ?", e, "s", name);
	int step = store_step(tx, s, e);

	if (step != 1)
		return step;
	user->id = sqlite3_column_int64(s, 0);
	store_column_text(s, 1, user->name, sizeof(user->name));
	store_column_text(s, 2, user->password, sizeof(user->password));
	user->privilege = (enum privilege)sqlite3_column_int(s, 3);
	return 1;
}

#define SESSION_COLUMNS                                                                            \
	"c.id, c.user_id, u.name, u.privilege, c.created, c.expires, c.used, c.csrf, ''"
/* A token can do what it was made for and what its owner may do now, whichever is less. */
#define TOKEN_COLUMNS                                                                              \
	"c.id, c.user_id, u.name, min(u.privilege, c.privilege), c.created, c.expires, c.used,"    \
	" '', c.name"

static void read_credential(sqlite3_stmt *s, struct credential_row *row)
{
	store_column_text(s, 0, row->id, sizeof(row->id));
	row->user_id = sqlite3_column_int64(s, 1);
	store_column_text(s, 2, row->user, sizeof(row->user));
	row->privilege = (enum privilege)sqlite3_column_int(s, 3);
	row->created = sqlite3_column_int64(s, 4);
	row->expires = sqlite3_column_int64(s, 5);
	row->used = sqlite3_column_int64(s, 6);
	store_column_text(s, 7, row->csrf, sizeof(row->csrf));
	store_column_text(s, 8, row->name, sizeof(row->name));
}

static int find_credential(struct store_tx *tx, sqlite3_stmt *s, struct credential_row *row,
			   struct error *e)
{
	int step = store_step(tx, s, e);

	if (step == 1)
		read_credential(s, row);
	return step;
}

int store_session_insert(struct store_tx *tx, const struct credential_row *row,
			 const unsigned char secret[STORE_SECRET_SIZE], const char *address,
			 struct error *e)
{
	return store_run(tx,
			 "INSERT INTO sessions (id, secret, csrf, user_id, address, created,"
			 " expires, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			 e, "sbsisiii", row->id, (const void *)secret, (size_t)STORE_SECRET_SIZE,
			 row->csrf, row->user_id, address, row->created, row->expires,
			 row->used) < 0
		       ? -1
		       : 0;
}

int store_session_find(struct store_tx *tx, const unsigned char secret[STORE_SECRET_SIZE],
		       struct credential_row *row, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT " SESSION_COLUMNS
			    " FROM sessions c JOIN users u ON u.id = c.user_id WHERE c.secret = ?",
			    e, "b", (const void *)secret, (size_t)STORE_SECRET_SIZE);

	return find_credential(tx, s, row, e);
}

int store_session_get(struct store_tx *tx, const char *id, struct credential_row *row,
		      struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT " SESSION_COLUMNS
			    " FROM sessions c JOIN users u ON u.id = c.user_id WHERE c.id = ?",
			    e, "s", id);

	return find_credential(tx, s, row, e);
}

int store_session_delete(struct store_tx *tx, const char *id, struct error *e)
{
	return store_run(tx, "DELETE FROM sessions WHERE id = ?", e, "s", id);
}

int store_session_expire(struct store_tx *tx, int64_t now, int64_t idle_before, int keep,
			 struct error *e)
{
	return store_run(
		tx,
		"DELETE FROM sessions WHERE expires <= ?1 OR used <= ?2 OR id IN ("
		" SELECT id FROM (SELECT id, row_number() OVER"
		"  (PARTITION BY user_id ORDER BY used DESC) AS n FROM sessions) WHERE n > ?3)",
		e, "iii", now, idle_before, (int64_t)keep);
}

int store_token_insert(struct store_tx *tx, const struct credential_row *row,
		       const unsigned char secret[STORE_SECRET_SIZE], struct error *e)
{
	return store_run(tx,
			 "INSERT INTO tokens (id, secret, name, user_id, privilege, created,"
			 " expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
			 e, "sbsiiii", row->id, (const void *)secret, (size_t)STORE_SECRET_SIZE,
			 row->name, row->user_id, (int64_t)row->privilege, row->created,
			 row->expires) < 0
		       ? -1
		       : 0;
}

int store_token_find(struct store_tx *tx, const unsigned char secret[STORE_SECRET_SIZE],
		     struct credential_row *row, struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT " TOKEN_COLUMNS
			    " FROM tokens c JOIN users u ON u.id = c.user_id WHERE c.secret = ?",
			    e, "b", (const void *)secret, (size_t)STORE_SECRET_SIZE);

	return find_credential(tx, s, row, e);
}

int store_token_get(struct store_tx *tx, const char *id, struct credential_row *row,
		    struct error *e)
{
	STORE_STMT sqlite3_stmt *s =
		store_query(tx,
			    "SELECT " TOKEN_COLUMNS
			    " FROM tokens c JOIN users u ON u.id = c.user_id WHERE c.id = ?",
			    e, "s", id);

	return find_credential(tx, s, row, e);
}

int store_token_delete(struct store_tx *tx, int64_t user_id, const char *id, struct error *e)
{
	return store_run(tx, "DELETE FROM tokens WHERE user_id = ? AND id = ?", e, "is", user_id,
			 id);
}

int store_token_list(struct store_tx *tx, int64_t user_id, const char *after, int limit,
		     void (*take)(void *context, const struct credential_row *row), void *context,
		     struct error *e)
{
	STORE_STMT sqlite3_stmt *s = store_query(
		tx,
		"SELECT " TOKEN_COLUMNS " FROM tokens c JOIN users u ON u.id = c.user_id"
		" WHERE c.user_id = ? AND c.id > ? ORDER BY c.id LIMIT ?",
		e, "isi", user_id, after, (int64_t)limit);
	struct credential_row row;
	int step;

	while ((step = store_step(tx, s, e)) == 1) {
		read_credential(s, &row);
		take(context, &row);
	}
	return step;
}

int store_token_expire(struct store_tx *tx, int64_t before, struct error *e)
{
	return store_run(tx, "DELETE FROM tokens WHERE expires <= ?", e, "i", before);
}

int store_credential_used(struct store_tx *tx, bool session, const char *id, int64_t used,
			  struct error *e)
{
	return session ? store_run(tx, "UPDATE sessions SET used = max(used, ?1) WHERE id = ?2", e,
				   "is", used, id)
		       : store_run(tx,
				   "UPDATE tokens SET used = max(coalesce(used, 0), ?1) WHERE id = "
				   "?2",
				   e, "is", used, id);
}
