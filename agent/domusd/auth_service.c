#include "domusd/auth_service.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/auth_code.h"
#include "domusd/auth_password.h"
#include "domusd/auth_worker.h"
#include "domusd/clock.h"
#include "domusd/ratelimit.h"
#include "domusd/store_auth.h"

#define TRIES	      5	 /* in a row, for a name, an address, the claim code */
#define TRY_BACK_S    12 /* each comes back after that */
#define SESSIONS_KEPT 64 /* of a user */
#define TOUCHED_MAX   64
#define CLAIM_DAYS    90

/* A use of a credential that the database does not know yet: written once a minute, not at each request. */
struct touched {
	char id[ID_SIZE];
	bool session;
	int64_t used;
};

struct auth {
	struct store *store;
	struct journal *journal;
	int state_fd;
	atomic_bool claimed;
	char code[AUTH_CODE_SIZE]; /* does not change */
	struct ratelimit claims, names, addresses;
	struct auth_worker *worker;
	pthread_mutex_t mutex; /* touched; may be taken inside a transaction */
	struct touched touched[TOUCHED_MAX];
	int touched_count;
};

static void run_job(void *context, struct auth_job *job);

int auth_open(struct store *store, struct journal *journal, int state_fd, struct auth **out,
	      struct error *e)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	STORE_TX struct store_tx *tx = NULL;
	int users;

	if (!auth)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	auth->store = store;
	auth->journal = journal;
	auth->state_fd = state_fd;
	pthread_mutex_init(&auth->mutex, NULL);
	ratelimit_init(&auth->claims, TRIES, TRY_BACK_S);
	ratelimit_init(&auth->names, TRIES, TRY_BACK_S);
	ratelimit_init(&auth->addresses, TRIES, TRY_BACK_S);
	if (store_begin_read(store, &tx, e) < 0 || (users = store_user_count(tx, e)) < 0 ||
	    (!users && auth_code_load(state_fd, auth->code, e) < 0) ||
	    auth_worker_start(run_job, auth, &auth->worker, e) < 0) {
		free(auth);
		return -1;
	}
	atomic_init(&auth->claimed, users > 0);
	if (users) /* a power cut between the claim and the removal of the file */
		auth_code_remove(state_fd);
	*out = auth;
	return 0;
}

void auth_close(struct auth *auth)
{
	if (!auth)
		return;
	auth_worker_stop(auth->worker);
	auth_tick(auth);
	pthread_mutex_destroy(&auth->mutex);
	free(auth);
}

bool auth_claimed(struct auth *auth)
{
	return atomic_load(&auth->claimed);
}

bool auth_claim_code(struct auth *auth, char code[AUTH_CODE_SIZE])
{
	if (auth_claimed(auth))
		return false;
	memcpy(code, auth->code, AUTH_CODE_SIZE);
	return true;
}

static void hash_secret(const char *secret, unsigned char hash[STORE_SECRET_SIZE])
{
	SHA256((const unsigned char *)secret, strlen(secret), hash);
}

/* Counts for a whole /64 of IPv6, which one household or attacker has for himself. */
static void address_key(const char *address, char key[56])
{
	struct in6_addr a;

	snprintf(key, 56, "%s", address);
	if (inet_pton(AF_INET6, address, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a)) {
		memset(a.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &a, key, 56);
	}
}

static int too_many(unsigned wait_s, struct error *e)
{
	error_set(e, ERROR_RATE, "Too many wrong tries; wait %u seconds.", wait_s);
	if (e)
		e->retry_after = wait_s;
	return -1;
}

/* A try that failed goes into the audit record; nothing else is told if that is not possible. */
static void audit_failure(struct auth *auth, const struct actor *actor, const char *action,
			  const char *name, const char *outcome)
{
	STORE_TX struct store_tx *tx = NULL;
	struct actor who = *actor;
	struct error e;

	snprintf(who.name, sizeof(who.name), "%.32s", name);
	if (store_begin(auth->store, &tx, &e) < 0 ||
	    audit_append(tx, &who, action, NULL, outcome, &e) < 0 || store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: audit: %s\n", e.detail);
}

static void enqueue(struct auth *auth, bool claim, const char *username, const char *password,
		    const struct actor *actor, auth_done done, void *context)
{
	struct auth_job *job = calloc(1, sizeof(*job));
	struct error e;

	if (!job) {
		error_set(&e, ERROR_INTERNAL, "Out of memory.");
		done(context, NULL, &e);
		return;
	}
	job->claim = claim;
	snprintf(job->username, sizeof(job->username), "%s", username);
	snprintf(job->password, sizeof(job->password), "%s", password);
	job->actor = *actor;
	job->done = done;
	job->context = context;
	if (auth_worker_add(auth->worker, job, &e) < 0) {
		OPENSSL_cleanse(job, sizeof(*job));
		free(job);
		done(context, NULL, &e);
	}
}

static int claim_done(struct error *e)
{
	return error_set(e, ERROR_CLAIM_DONE, "The appliance has been claimed already.");
}

static int check_code(struct auth *auth, const char *typed, const struct actor *actor,
		      struct error *e)
{
	char code[AUTH_CODE_SIZE];
	unsigned wait;

	if (auth_claimed(auth))
		return claim_done(e);
	/* One bucket for everybody: a code can be guessed from many addresses. A right one does not empty it. */
	wait = ratelimit_take(&auth->claims, "claim", clock_monotonic_ms());
	if (wait)
		return too_many(wait, e);
	if (auth_code_normalise(typed, code) &&
	    CRYPTO_memcmp(code, auth->code, sizeof(code)) == 0) {
		ratelimit_reset(&auth->claims, "claim");
		return 0;
	}
	audit_failure(auth, actor, "authn.claim_fail", "", "claim.code_wrong");
	return error_set(e, ERROR_CLAIM_CODE,
			 "This is not the claim code; it stands on the appliance's console.");
}

void auth_claim(struct auth *auth, const char *code, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context)
{
	struct error e;

	if (check_code(auth, code, actor, &e) < 0)
		done(context, NULL, &e);
	else
		enqueue(auth, true, username, password, actor, done, context);
}

void auth_login(struct auth *auth, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context)
{
	int64_t now = clock_monotonic_ms();
	unsigned wait, wait_address;
	char key[56];
	struct error e;

	address_key(actor->address, key);
	wait = ratelimit_take(&auth->names, username, now);
	wait_address = ratelimit_take(&auth->addresses, key, now);
	if (wait || wait_address) {
		too_many(wait > wait_address ? wait : wait_address, &e);
		done(context, NULL, &e);
		return;
	}
	enqueue(auth, false, username, password, actor, done, context);
}

/* Makes a token of `days` in the transaction; its secret is in the grant and nowhere else. */
static int insert_token(struct auth *auth, struct store_tx *tx, int64_t user_id, const char *user,
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
	hash_secret(grant->secret, hash);
	snprintf(resource, sizeof(resource), "tokens/%s", grant->id);
	if (store_token_insert(tx, &row, hash, e) < 0)
		return -1;
	return journal_append(auth->journal, tx, &event, e);
}

static int run_claim(struct auth *auth, const struct auth_job *job, struct auth_grant *grant,
		     struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	char password[AUTH_PASSWORD_SIZE];
	struct actor actor = job->actor;
	struct event event = {
		.type = "system.claimed", .actor = &actor, .privilege = PRIVILEGE_READ};
	int64_t user_id;
	int users;

	snprintf(actor.name, sizeof(actor.name), "%.32s", job->username);
	snprintf(actor.method, sizeof(actor.method), "claim");
	if (auth_password_hash(job->password, password, e) < 0 ||
	    store_begin(auth->store, &tx, e) < 0 || (users = store_user_count(tx, e)) < 0)
		return -1;
	if (users)
		return claim_done(e);
	if (store_user_insert(tx, job->username, password, PRIVILEGE_ADMIN, clock_wall_ms(),
			      &user_id, e) < 0 ||
	    journal_append(auth->journal, tx, &event, e) < 0 ||
	    insert_token(auth, tx, user_id, job->username, PRIVILEGE_ADMIN, "claim", CLAIM_DAYS,
			 &actor, grant, e) < 0 ||
	    store_commit(&tx, e) < 0)
		return -1;
	atomic_store(&auth->claimed, true);
	auth_code_remove(auth->state_fd);
	return 0;
}

static int insert_session(struct auth *auth, const struct user_row *user, const struct actor *actor,
			  struct auth_grant *grant, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct credential_row row = {.user_id = user->id, .privilege = user->privilege};
	unsigned char hash[STORE_SECRET_SIZE];
	struct event event = {.type = "session.created",
			      .resource = "sessions/current",
			      .actor = actor,
			      .privilege = PRIVILEGE_ADMIN};

	memset(grant, 0, sizeof(*grant));
	id_make(grant->id);
	id_secret(grant->secret, 32);
	id_secret(grant->csrf, 24);
	grant->created = clock_wall_ms();
	grant->expires = grant->created + AUTH_SESSION_MS;
	memcpy(grant->username, user->name, sizeof(grant->username));
	memcpy(row.id, grant->id, sizeof(row.id));
	memcpy(row.csrf, grant->csrf, sizeof(row.csrf));
	row.created = row.used = grant->created;
	row.expires = grant->expires;
	hash_secret(grant->secret, hash);
	if (store_begin(auth->store, &tx, e) < 0 ||
	    store_session_insert(tx, &row, hash, actor->address, e) < 0 ||
	    store_session_expire(tx, grant->created, grant->created - AUTH_IDLE_MS - 60000,
				 SESSIONS_KEPT, e) < 0 ||
	    journal_append(auth->journal, tx, &event, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

static int find_user(struct auth *auth, const char *name, struct user_row *user, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	return store_begin_read(auth->store, &tx, e) < 0 ? -1 : store_user_find(tx, name, user, e);
}

static int run_login(struct auth *auth, const struct auth_job *job, struct auth_grant *grant,
		     struct error *e)
{
	struct actor actor = job->actor;
	struct user_row user;
	char key[56];
	int found = find_user(auth, job->username, &user, e);

	if (found < 0)
		return -1;
	if (!auth_password_verify(job->password, found ? user.password : NULL)) {
		audit_failure(auth, &actor, "authn.login_fail", job->username,
			      "session.wrong_credentials");
		return error_set(e, ERROR_AUTH_FAILED, "Wrong user name or password.");
	}
	address_key(actor.address, key);
	ratelimit_reset(&auth->names, job->username);
	ratelimit_reset(&auth->addresses, key);
	snprintf(actor.name, sizeof(actor.name), "%s", user.name);
	snprintf(actor.method, sizeof(actor.method), "password");
	return insert_session(auth, &user, &actor, grant, e);
}

static void run_job(void *context, struct auth_job *job)
{
	struct auth *auth = context;
	struct auth_grant grant;
	struct error e;
	int result =
		job->claim ? run_claim(auth, job, &grant, &e) : run_login(auth, job, &grant, &e);

	job->done(job->context, result < 0 ? NULL : &grant, result < 0 ? &e : NULL);
	OPENSSL_cleanse(&grant, sizeof(grant));
}

/* When a credential was last used: what the database says or a later use that is still in memory. */
static int64_t last_used(struct auth *auth, const char *id, int64_t used)
{
	pthread_mutex_lock(&auth->mutex);
	for (int i = 0; i < auth->touched_count; i++)
		if (!strcmp(auth->touched[i].id, id) && auth->touched[i].used > used)
			used = auth->touched[i].used;
	pthread_mutex_unlock(&auth->mutex);
	return used;
}

static void touch(struct auth *auth, bool session, const char *id, int64_t now)
{
	int i = 0;

	pthread_mutex_lock(&auth->mutex);
	while (i < auth->touched_count && strcmp(auth->touched[i].id, id))
		i++;
	if (i == auth->touched_count && i < TOUCHED_MAX) {
		auth->touched_count++;
		auth->touched[i].session = session;
		memcpy(auth->touched[i].id, id, ID_SIZE);
	}
	/* More at once than the table holds within a minute: those are not prolonged, at worst somebody logs in again. */
	if (i < TOUCHED_MAX)
		auth->touched[i].used = now;
	pthread_mutex_unlock(&auth->mutex);
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

	hash_secret(secret, hash);
	if (store_begin_read(auth->store, &tx, e) < 0)
		return -1;
	found = session ? store_session_find(tx, hash, row, e) : store_token_find(tx, hash, row, e);
	if (found <= 0)
		return found < 0 ? -1 : refused(e);
	if (row->expires <= now ||
	    (session && last_used(auth, row->id, row->used) <= now - AUTH_IDLE_MS))
		return refused(e);
	touch(auth, session, row->id, now);
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
	       (!principal->session || last_used(auth, row.id, row.used) > now - AUTH_IDLE_MS);
}

static int no_session(struct error *e)
{
	return error_set(e, ERROR_SESSION_NONE, "You came with a token; there is no session.");
}

static void fill_grant(struct auth_grant *grant, const struct credential_row *row)
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
	fill_grant(grant, &row);
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

int auth_token_create(struct auth *auth, const struct principal *principal, const char *name,
		      int days, struct auth_grant *grant, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin(auth->store, &tx, e) < 0 ||
	    insert_token(auth, tx, principal->user_id, principal->actor.name, principal->privilege,
			 name, days, &principal->actor, grant, e) < 0)
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

	fill_grant(&grant, row);
	grant.used = last_used(l->auth, grant.id, grant.used);
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

void auth_tick(void *context)
{
	struct auth *auth = context;
	STORE_TX struct store_tx *tx = NULL;
	struct touched touched[TOUCHED_MAX];
	int64_t now = clock_wall_ms();
	struct error e;
	int count, result;

	pthread_mutex_lock(&auth->mutex);
	count = auth->touched_count;
	memcpy(touched, auth->touched, sizeof(touched[0]) * (size_t)count);
	pthread_mutex_unlock(&auth->mutex);
	result = store_begin(auth->store, &tx, &e);
	for (int i = 0; i < count && result >= 0; i++)
		result = store_credential_used(tx, touched[i].session, touched[i].id,
					       touched[i].used, &e);
	if (result < 0 ||
	    store_session_expire(tx, now, now - AUTH_IDLE_MS, SESSIONS_KEPT, &e) < 0 ||
	    store_token_expire(tx, now - 30 * AUTH_DAY_MS, &e) < 0 || store_commit(&tx, &e) < 0) {
		fprintf(stderr, "domusd: sessions cannot be kept up to date: %s\n", e.detail);
		return;
	}
	/* Forget those that were written and not used since. */
	pthread_mutex_lock(&auth->mutex);
	for (int i = 0; i < auth->touched_count; i++)
		if (i < count && auth->touched[i].used == touched[i].used)
			auth->touched[i].used = 0;
	for (int i = 0; i < auth->touched_count;)
		if (auth->touched[i].used)
			i++;
		else
			auth->touched[i] = auth->touched[--auth->touched_count];
	pthread_mutex_unlock(&auth->mutex);
}
