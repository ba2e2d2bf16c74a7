#include "domusd/auth_credential.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "domusd/auth_internal.h"
#include "domusd/clock.h"

void auth_secret_hash(const char *secret, unsigned char hash[STORE_SECRET_SIZE])
{
	SHA256((const unsigned char *)secret, strlen(secret), hash);
}

static void fill_principal(struct principal *p, const struct credential_row *row, bool session)
{
	p->user_id = row->user_id;
	p->privilege = row->privilege;
	p->session = session;
	memcpy(p->credential, row->id, sizeof(p->credential));
	snprintf(p->actor.name, sizeof(p->actor.name), "%s", row->user);
	snprintf(p->actor.method, sizeof(p->actor.method), "%s", session ? "session" : "token");
}

static int refused(struct error *e)
{
	return error_set(e, ERROR_AUTH_REQUIRED, "The credential is unknown or has expired.");
}

static int check_secret(struct auth *auth, bool session, const char *secret,
			struct credential_row *row, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	unsigned char hash[STORE_SECRET_SIZE];
	int64_t now = clock_wall_ms();
	int found;

	auth_secret_hash(secret, hash);
	if (store_begin_read(auth->store, &tx, e) < 0)
		return -1;
	found = session ? store_session_find(tx, hash, row, e) : store_token_find(tx, hash, row, e);
	if (found <= 0)
		return found < 0 ? -1 : refused(e);
	if (row->expires <= now ||
	    (session && auth_use_last(&auth->uses, row->id, row->used) <= now - AUTH_IDLE_MS))
		return refused(e);
	auth_use_note(&auth->uses, session, row->id, now);
	return 0;
}

int auth_check_token(struct auth *auth, const char *token, struct principal *principal,
		     struct error *e)
{
	struct credential_row row;

	if (check_secret(auth, false, token, &row, e) < 0)
		return -1;
	fill_principal(principal, &row, false);
	return 0;
}

int auth_check_session(struct auth *auth, const char *cookie, struct principal *principal,
		       char csrf[AUTH_CSRF_SIZE], struct error *e)
{
	struct credential_row row;

	if (check_secret(auth, true, cookie, &row, e) < 0)
		return -1;
	fill_principal(principal, &row, true);
	memcpy(csrf, row.csrf, AUTH_CSRF_SIZE);
	return 0;
}

bool auth_credential_good(struct auth *auth, const struct principal *principal)
{
	STORE_TX struct store_tx *tx = NULL;
	struct credential_row row;
	int64_t now = clock_wall_ms();

	if (store_begin_read(auth->store, &tx, NULL) < 0)
		return true; /* trouble with the database is nobody's revocation */
	if (principal->session ? store_session_get(tx, principal->credential, &row, NULL) != 1
			       : store_token_get(tx, principal->credential, &row, NULL) != 1)
		return false;
	return row.expires > now &&
	       (!principal->session ||
		auth_use_last(&auth->uses, row.id, row.used) > now - AUTH_IDLE_MS);
}

static int no_session(struct error *e)
{
	return error_set(e, ERROR_SESSION_NONE, "You came with a token; there is no session.");
}

void auth_grant_fill(struct auth_grant *grant, const struct credential_row *row)
{
	memset(grant, 0, sizeof(*grant));
	memcpy(grant->id, row->id, sizeof(grant->id));
	memcpy(grant->csrf, row->csrf, sizeof(grant->csrf));
	memcpy(grant->username, row->user, sizeof(grant->username));
	memcpy(grant->name, row->name, sizeof(grant->name));
	grant->created = row->created;
	grant->expires = row->expires;
	grant->used = row->used;
}

int auth_session_get(struct auth *auth, const struct principal *principal, struct auth_grant *grant,
		     struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct credential_row row;
	int found;

	if (!principal->session)
		return no_session(e);
	if (store_begin_read(auth->store, &tx, e) < 0 ||
	    (found = store_session_get(tx, principal->credential, &row, e)) < 0)
		return -1;
	if (!found)
		return no_session(e);
	auth_grant_fill(grant, &row);
	return 0;
}

int auth_logout(struct auth *auth, const struct principal *principal, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct event event = {.type = "session.deleted",
			      .resource = "sessions/current",
			      .actor = &principal->actor,
			      .privilege = PRIVILEGE_ADMIN};
	int deleted;

	if (!principal->session)
		return no_session(e);
	if (store_begin(auth->store, &tx, e) < 0 ||
	    (deleted = store_session_delete(tx, principal->credential, e)) < 0)
		return -1;
	if (!deleted)
		return no_session(e);
	if (journal_append(auth->journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}
