#include "domusd/auth_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/auth_code.h"
#include "domusd/auth_internal.h"
#include "domusd/clock.h"

#define AUTH_TRIES	5  /* in a row, for a name, an address, the claim code */
#define AUTH_TRY_BACK_S 12 /* each comes back after that */

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
	auth_use_init(&auth->uses);
	ratelimit_init(&auth->claims, AUTH_TRIES, AUTH_TRY_BACK_S);
	ratelimit_init(&auth->names, AUTH_TRIES, AUTH_TRY_BACK_S);
	ratelimit_init(&auth->addresses, AUTH_TRIES, AUTH_TRY_BACK_S);
	if (store_begin_read(store, &tx, e) < 0 || (users = store_user_count(tx, e)) < 0 ||
	    (!users && auth_code_load(state_fd, auth->code, e) < 0) ||
	    auth_worker_start(auth_job_run, auth, &auth->worker, e) < 0) {
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
	auth_use_destroy(&auth->uses);
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

void auth_tick(void *context)
{
	struct auth *auth = context;
	STORE_TX struct store_tx *tx = NULL;
	struct auth_use uses[AUTH_USES_MAX];
	int64_t now = clock_wall_ms();
	struct error e;
	int count, result;

	count = auth_use_copy(&auth->uses, uses);
	result = store_begin(auth->store, &tx, &e);
	for (int i = 0; i < count && result >= 0; i++)
		result = store_credential_used(tx, uses[i].session, uses[i].id, uses[i].used, &e);
	if (result < 0 ||
	    store_session_expire(tx, now, now - AUTH_IDLE_MS, AUTH_SESSIONS_KEPT, &e) < 0 ||
	    store_token_expire(tx, now - 30 * AUTH_DAY_MS, &e) < 0 || store_commit(&tx, &e) < 0) {
		fprintf(stderr, "domusd: sessions cannot be kept up to date: %s\n", e.detail);
		return;
	}
	auth_use_forget(&auth->uses, uses, count);
}
