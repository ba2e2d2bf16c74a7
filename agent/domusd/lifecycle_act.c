/* What people ask for: the rule, the operation, the new state, and the first step of the work. */
#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/lifecycle_internal.h"
#include "domusd/operation_read.h"

static int rule_error(enum rule rule, const struct life *life, struct error *e)
{
	const char *state = domain_state_name(life->status.state);

	if (rule == RULE_NOT_RUNNING)
		return error_set(e, ERROR_DOMAIN_NOT_RUNNING, "The domain is %s.", state);
	if (rule == RULE_PAUSED)
		return error_set(e, ERROR_DOMAIN_PAUSED, "The domain is paused; resume it first.");
	if (life->action != ACTION_NONE)
		return error_set(e, ERROR_BUSY, "The operation domain.%s is in progress.",
				 lifecycle_action_name(life->action));
	return error_set(e, ERROR_BUSY, "The domain is %s.", state);
}

/* The operation that a kill takes the place of. */
static int cancel_running(struct lifecycle *lc, struct store_tx *tx, struct life *life,
			  struct error *e)
{
	struct error why;

	if (life->action == ACTION_NONE)
		return 0;
	error_set(&why, ERROR_CANCELLED, "The domain was killed.");
	return operation_finish(lc->services.operations, tx, life->operation, OPERATION_CANCELLED,
				&why, NULL, e);
}

static void committed_flag(void *context, bool committed)
{
	*(bool *)context = committed;
}

/* Somebody cancels the operation of a shutdown or reboot: the guest was asked and cannot be unasked, but nobody waits for
 * it any more. Its state is running again until it ends. Called without a lock. */
static void on_cancel(void *context, const char *id)
{
	struct lifecycle *lc = context;
	struct error why;

	error_set(&why, ERROR_CANCELLED,
		  "It was cancelled; the guest may still do what it was asked.");
	pthread_mutex_lock(&lc->lock);
	for (struct life *life = lc->lives; life; life = life->next) {
		if (strcmp(life->operation, id) != 0 ||
		    (life->step != STEP_ASK && life->step != STEP_WAIT))
			continue;
		life->step = STEP_NONE;
		life->turn = ++lc->turn;
		life_move(lc, life, DOMAIN_RUNNING, life->status.domid, NULL, OPERATION_CANCELLED,
			  &why);
	}
	pthread_mutex_unlock(&lc->lock);
}

/* The first step of an action whose operation is on disk. */
static void action_go(struct lifecycle *lc, struct life *life, enum lifecycle_action action,
		      const struct actor *actor, const char *operation)
{
	static const enum verb verbs[ACTION_COUNT] = {
		[ACTION_SHUTDOWN] = VERB_DOMAIN_SHUTDOWN,
		[ACTION_REBOOT] = VERB_DOMAIN_REBOOT,
		[ACTION_PAUSE] = VERB_DOMAIN_PAUSE,
		[ACTION_RESUME] = VERB_DOMAIN_RESUME,
	};

	life->action = action;
	life->actor = *actor;
	memcpy(life->operation, operation, ID_SIZE);
	console_hub_state(lc->hub, life->id.name, domain_state_name(life->status.state));
	operation_start(lc->services.operations, operation, NULL);
	if (action == ACTION_START)
		step_create(lc, life);
	else if (action == ACTION_KILL)
		step_clear(lc, life, ENDING_STOPPED, "killed");
	else
		step_ask(lc, life, verbs[action]);
}

/* Writes operation and new state in *tx, lets reply() commit, and goes on if it did. */
static int action_begin(struct lifecycle *lc, struct store_tx **tx, struct life *life,
			enum lifecycle_action action, enum domain_state next,
			const struct actor *actor,
			void (*reply)(void *context, struct store_tx **tx, json_t *operation),
			void *context, struct error *e)
{
	struct operations *operations = lc->services.operations;
	bool waits = action == ACTION_SHUTDOWN || action == ACTION_REBOOT;
	struct life after = *life;
	char kind[32], target[64], operation[ID_SIZE];
	bool committed = false;
	json_t *json;

	snprintf(kind, sizeof(kind), "domain.%s", lifecycle_action_name(action));
	snprintf(target, sizeof(target), "domains/%s", life->id.name);
	if (cancel_running(lc, *tx, life, e) < 0 ||
	    operation_create(operations, *tx, kind, target, actor, waits ? on_cancel : NULL, lc,
			     operation, e) < 0)
		return -1;
	if (next != life->status.state) {
		after.status.state = next;
		after.status.since = clock_wall_ms();
		after.status.reason[0] = '\0';
		memcpy(after.operation, operation, ID_SIZE);
		if (life_write(lc, *tx, &after, life->status.state, actor, e) < 0)
			return -1;
	}
	json = operation_json_tx(operations, *tx, operation, e);
	if (!json || store_after(*tx, committed_flag, &committed, e) < 0) {
		json_decref(json);
		return -1;
	}
	reply(context, tx, json);
	if (committed) {
		life->status = after.status;
		action_go(lc, life, action, actor, operation);
	}
	return 1;
}

static int act_locked(struct lifecycle *lc, const char *name, enum lifecycle_action action,
		      const struct actor *actor,
		      void (*reply)(void *context, struct store_tx **tx, json_t *operation),
		      void *context, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;
	struct life *life;
	enum domain_state next;
	enum rule rule;

	if (store_begin(lc->services.store, &tx, e) < 0 ||
	    store_domain_status(tx, name, &row, e) < 0)
		return -1;
	life = life_get(lc, &row);
	if (!life)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	if (!lc->settled) { /* nobody knows what it does now */
		error_set(e, ERROR_UNAVAILABLE, "The keeper is not there; try again in a moment.");
		e->retry_after = 2;
		return -1;
	}
	rule = lifecycle_rule(life->status.state, life->action, action, &next);
	if (rule == RULE_SO)
		return 0;
	if (rule != RULE_GO)
		return rule_error(rule, life, e);
	return action_begin(lc, &tx, life, action, next, actor, reply, context, e);
}

int lifecycle_act(struct lifecycle *lc, const char *name, enum lifecycle_action action,
		  const struct actor *actor,
		  void (*reply)(void *context, struct store_tx **tx, json_t *operation),
		  void *context, struct error *e)
{
	int result;

	pthread_mutex_lock(&lc->lock);
	result = act_locked(lc, name, action, actor, reply, context, e);
	pthread_mutex_unlock(&lc->lock);
	return result;
}
