#ifndef DOMUS_DOMUSD_AUTH_SERVICE_H
#define DOMUS_DOMUSD_AUTH_SERVICE_H

/*
 * Users, sessions, tokens and the claim. Secrets are kept as SHA-256 (they are 256 random bits, so no salt is needed),
 * passwords as Argon2id. Hashing runs on one worker thread, one at a time, with a short queue.
 */
#include "domusd/auth.h"
#include "domusd/journal.h"
#include "domusd/store.h"

struct auth;

#define AUTH_COOKIE	 "__Host-domus_session"
#define AUTH_SECRET_SIZE 56 /* "domus_", 43 characters, NUL */
#define AUTH_CSRF_SIZE	 40
#define AUTH_SESSION_MS	 (INT64_C(12) * 3600 * 1000)
#define AUTH_IDLE_MS	 (INT64_C(30) * 60 * 1000)
#define AUTH_DAY_MS	 (INT64_C(24) * 3600 * 1000)
#define AUTH_CODE_SIZE	 15 /* "XXXX-XXXX-XXXX" */

/*
 * state_dir keeps `claim-code` (0600) while there is no user, so that the code survives a restart. The code is 12 digits
 * of Crockford's base 32, 60 bits; letters that look like digits are taken as these when it is typed.
 */
int auth_open(struct store *store, struct journal *journal, int state_fd, struct auth **out,
	      struct error *e);
/* Finishes the hash that runs, fails what waits (ERROR_UNAVAILABLE). NULL is fine. */
void auth_close(struct auth *auth);

bool auth_claimed(struct auth *auth);
/* Copies the code and returns true while unclaimed. */
bool auth_claim_code(struct auth *auth, char code[AUTH_CODE_SIZE]);

/* A new or existing session or token. secret is set only when it was just made. */
struct auth_grant {
	char id[ID_SIZE];
	char secret[AUTH_SECRET_SIZE];
	char csrf[AUTH_CSRF_SIZE]; /* sessions */
	char username[40];
	char name[160];			/* tokens */
	int64_t created, expires, used; /* wall ms; used 0: never */
};

/* Called once, on the worker or at once, with the grant or the error. Both end with the call. */
typedef void (*auth_done)(void *context, const struct auth_grant *grant, const struct error *e);

/* The first administrator and his token `claim` (90 days). actor: address and request id. */
void auth_claim(struct auth *auth, const char *code, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context);
/* A session. ERROR_AUTH_FAILED after the same time whether name or password was wrong; ERROR_RATE. */
void auth_login(struct auth *auth, const char *username, const char *password,
		const struct actor *actor, auth_done done, void *context);

/*
 * Check a credential: fill user, privilege, credential id, method. ERROR_AUTH_REQUIRED for one that is unknown, expired or
 * idle for too long. csrf receives the session's token. On an HTTP thread: one indexed read.
 */
int auth_check_token(struct auth *auth, const char *token, struct principal *principal,
		     struct error *e);
int auth_check_session(struct auth *auth, const char *cookie, struct principal *principal,
		       char csrf[AUTH_CSRF_SIZE], struct error *e);

/* Whether the credential that a principal came with is still good: for what lasts longer than a request. Does not count as a
 * use of it. */
bool auth_credential_good(struct auth *auth, const struct principal *principal);

/* The session of a principal that came with one; ERROR_SESSION_NONE for a token. */
int auth_session_get(struct auth *auth, const struct principal *principal, struct auth_grant *grant,
		     struct error *e);
int auth_logout(struct auth *auth, const struct principal *principal, struct error *e);

int auth_token_create(struct auth *auth, const struct principal *principal, const char *name,
		      int days, struct auth_grant *grant, struct error *e);
/* ERROR_TOKEN_UNKNOWN when it is not the caller's. */
int auth_token_delete(struct auth *auth, const struct principal *principal, const char *id,
		      struct error *e);
int auth_token_list(struct auth *auth, const struct principal *principal, const char *after,
		    int limit, void (*take)(void *context, const struct auth_grant *grant),
		    void *context, struct error *e);

/* For the ticker, once a minute: last uses to the database, expired sessions and tokens out of it. */
void auth_tick(void *auth);

#endif
