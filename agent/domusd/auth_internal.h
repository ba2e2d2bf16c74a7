#ifndef DOMUS_DOMUSD_AUTH_INTERNAL_H
#define DOMUS_DOMUSD_AUTH_INTERNAL_H

/* Shared by auth_service.c, auth_login.c, auth_credential.c and auth_token.c. */
#include <pthread.h>
#include <stdatomic.h>

#include "domusd/auth_service.h"
#include "domusd/auth_use.h"
#include "domusd/auth_worker.h"
#include "domusd/ratelimit.h"
#include "domusd/store_auth.h"

#define AUTH_SESSIONS_KEPT 64 /* of a user */

struct auth {
	struct store *store;
	struct journal *journal;
	int state_fd;
	atomic_bool claimed;
	char code[AUTH_CODE_SIZE]; /* does not change */
	struct ratelimit claims, names, addresses;
	struct auth_worker *worker;
	struct auth_uses uses;
};

/* The worker's job: a claim or a log-in, with its hash. */
void auth_job_run(void *context, struct auth_job *job);
void auth_secret_hash(const char *secret, unsigned char hash[STORE_SECRET_SIZE]);
/* What a row tells without its secret. */
void auth_grant_fill(struct auth_grant *grant, const struct credential_row *row);
/* Makes a token of `days` in the transaction; its secret is in the grant and nowhere else. */
int auth_token_insert(struct auth *auth, struct store_tx *tx, int64_t user_id, const char *user,
		      enum privilege privilege, const char *name, int days,
		      const struct actor *actor, struct auth_grant *grant, struct error *e);

#endif
