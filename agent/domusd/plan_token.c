/* The plans that were shown and may be applied. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/id.h"
#include "domusd/plan.h"

#define KEPT 64

struct kept {
	char token[PLAN_TOKEN_SIZE];
	int64_t until_ms; /* monotonic */
	bool used;
	struct plan_asked asked;
	unsigned char digest[PLAN_DIGEST];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct kept plans[KEPT];
static unsigned next;

void plan_keep(const struct plan_asked *asked, const struct plan *plan, char token[PLAN_TOKEN_SIZE])
{
	struct kept *k;

	id_secret(token, 24);
	pthread_mutex_lock(&lock);
	k = &plans[next++ % KEPT];
	memcpy(k->token, token, PLAN_TOKEN_SIZE);
	k->until_ms = clock_monotonic_ms() + PLAN_LIFE_MS;
	k->used = false;
	k->asked = *asked;
	memcpy(k->digest, plan->digest, PLAN_DIGEST);
	pthread_mutex_unlock(&lock);
}

/* With the lock held. NULL: unknown, used or too late. */
static struct kept *find(const char *token)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (*plans[i].token && strcmp(plans[i].token, token) == 0)
			return plans[i].used || clock_monotonic_ms() >= plans[i].until_ms
				       ? NULL
				       : &plans[i];
	return NULL;
}

static void committed(void *context, bool yes)
{
	char *token = context;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; yes && i < KEPT; i++)
		if (strcmp(plans[i].token, token) == 0)
			plans[i].used = true;
	pthread_mutex_unlock(&lock);
	free(token);
}

int plan_take(struct store_tx *tx, const char *token, struct plan **out, struct error *e)
{
	struct kept *k, copy;
	char *used;

	pthread_mutex_lock(&lock);
	k = find(token);
	if (k)
		copy = *k;
	pthread_mutex_unlock(&lock);
	if (!k)
		return error_set(e, ERROR_PLAN_GONE,
				 "There is no such plan, it was applied, or it is older than five "
				 "minutes. Make a new one.");
	if (plan_make(tx, &copy.asked, out, e) < 0)
		return e->code == ERROR_INTERNAL || e->code == ERROR_STORAGE
			       ? -1
			       : error_set(e, ERROR_PLAN_STALE,
					   "A device or domain of the plan is gone.");
	if (memcmp(copy.digest, (*out)->digest, PLAN_DIGEST) != 0) {
		plan_free(*out);
		return error_set(e, ERROR_PLAN_STALE,
				 "Something that the plan depends on has changed. Make a new one.");
	}
	if (!plan_applicable(*out)) {
		plan_free(*out);
		return error_set(e, ERROR_PLAN_CONFLICT,
				 "Something stands in the way; the plan says what.");
	}
	used = strdup(token);
	if (used && store_after(tx, committed, used, e) == 0)
		return 0;
	free(used);
	plan_free(*out);
	return used ? -1 : error_set(e, ERROR_INTERNAL, "Out of memory.");
}
