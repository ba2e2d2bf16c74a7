#ifndef DOMUS_DOMUSD_AUTH_SERVICE_H
#define DOMUS_DOMUSD_AUTH_SERVICE_H

/*
 * Users, sessions, tokens and the claim: the service itself, for main. What is asked of it stands in auth_login.h,
 * auth_credential.h and auth_token.h. Secrets are kept as SHA-256 (they are 256 random bits, so no salt is needed),
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

/* For the ticker, once a minute: last uses to the database, expired sessions and tokens out of it. */
void auth_tick(void *auth);

#endif
