/* Claims and log-ins: how often somebody may try, and what the worker does with a try. */
#include "domusd/auth_login.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/auth_code.h"
#include "domusd/auth_internal.h"
#include "domusd/auth_password.h"
#include "domusd/clock.h"

#define CLAIM_DAYS 90

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
	    auth_token_insert(auth, tx, user_id, job->username, PRIVILEGE_ADMIN, "claim",
			      CLAIM_DAYS, &actor, grant, e) < 0 ||
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
	auth_secret_hash(grant->secret, hash);
	if (store_begin(auth->store, &tx, e) < 0 ||
	    store_session_insert(tx, &row, hash, actor->address, e) < 0 ||
	    store_session_expire(tx, grant->created, grant->created - AUTH_IDLE_MS - 60000,
				 AUTH_SESSIONS_KEPT, e) < 0 ||
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

void auth_job_run(void *context, struct auth_job *job)
{
	struct auth *auth = context;
	struct auth_grant grant;
	struct error e;
	int result =
		job->claim ? run_claim(auth, job, &grant, &e) : run_login(auth, job, &grant, &e);

	job->done(job->context, result < 0 ? NULL : &grant, result < 0 ? &e : NULL);
	OPENSSL_cleanse(&grant, sizeof(grant));
}
