#include "domusd/auth_token.h"

#include <stdio.h>
#include <string.h>

#include "domusd/auth_internal.h"
#include "domusd/clock.h"

int auth_token_insert(struct auth *auth, struct store_tx *tx, int64_t user_id, const char *user,
		      enum privilege privilege, const char *name, int days,
		      const struct actor *actor, struct auth_grant *grant, struct error *e)
{
	struct credential_row row = {.user_id = user_id, .privilege = privilege};
	unsigned char hash[STORE_SECRET_SIZE];
	char resource[32 + ID_SIZE];
	struct event event = {.type = "token.created",
			      .resource = resource,
			      .actor = actor,
			      .privilege = PRIVILEGE_ADMIN};

	memset(grant, 0, sizeof(*grant));
	id_make(grant->id);
	memcpy(grant->secret, "domus_", 6);
	id_secret(grant->secret + 6, 32);
	grant->created = clock_wall_ms();
	grant->expires = grant->created + days * AUTH_DAY_MS;
	snprintf(grant->username, sizeof(grant->username), "%s", user);
	snprintf(grant->name, sizeof(grant->name), "%s", name);
	memcpy(row.id, grant->id, sizeof(row.id));
	memcpy(row.name, grant->name, sizeof(row.name));
	row.created = grant->created;
	row.expires = grant->expires;
	auth_secret_hash(grant->secret, hash);
	snprintf(resource, sizeof(resource), "tokens/%s", grant->id);
	if (store_token_insert(tx, &row, hash, e) < 0)
		return -1;
	return journal_append(auth->journal, tx, &event, e);
}

int auth_token_create(struct auth *auth, const struct principal *principal, const char *name,
		      int days, struct auth_grant *grant, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin(auth->store, &tx, e) < 0 ||
	    auth_token_insert(auth, tx, principal->user_id, principal->actor.name,
			      principal->privilege, name, days, &principal->actor, grant, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

int auth_token_delete(struct auth *auth, const struct principal *principal, const char *id,
		      struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	char resource[64];
	struct event event = {.type = "token.deleted",
			      .resource = resource,
			      .actor = &principal->actor,
			      .privilege = PRIVILEGE_ADMIN};
	int deleted;

	snprintf(resource, sizeof(resource), "tokens/%.40s", id);
	if (store_begin(auth->store, &tx, e) < 0 ||
	    (deleted = store_token_delete(tx, principal->user_id, id, e)) < 0)
		return -1;
	if (!deleted)
		return error_set(e, ERROR_TOKEN_UNKNOWN, "You have no such token.");
	if (journal_append(auth->journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

struct listing {
	struct auth *auth;
	void (*take)(void *context, const struct auth_grant *grant);
	void *context;
};

static void list_one(void *context, const struct credential_row *row)
{
	struct listing *l = context;
	struct auth_grant grant;

	auth_grant_fill(&grant, row);
	grant.used = auth_use_last(&l->auth->uses, grant.id, grant.used);
	l->take(l->context, &grant);
}

int auth_token_list(struct auth *auth, const struct principal *principal, const char *after,
		    int limit, void (*take)(void *context, const struct auth_grant *grant),
		    void *context, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct listing l = {auth, take, context};

	return store_begin_read(auth->store, &tx, e) < 0
		       ? -1
		       : store_token_list(tx, principal->user_id, after, limit, list_one, &l, e);
}
