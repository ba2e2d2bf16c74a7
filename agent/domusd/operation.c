#include "domusd/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/operation_internal.h"
#include "domusd/operation_read.h"
#include "domusd/operation_wait.h"
#include "domusd/problem.h"
#include "domusd/store_operation.h"

const char *operation_state_name(enum operation_state state)
{
	static const char *const names[] = {"pending", "running",   "cancelling", "succeeded",
					    "failed",  "cancelled", "interrupted"};

	return names[state];
}

int operation_open(struct store *store, struct journal *journal, struct operations **out,
		   struct error *e)
{
	struct operations *o = calloc(1, sizeof(*o));

	if (!o)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	o->store = store;
	o->journal = journal;
	pthread_mutex_init(&o->mutex, NULL);
	*out = o;
	return 0;
}

void operation_close(struct operations *o)
{
	if (!o)
		return;
	operation_waiters_release(o);
	for (struct live *l = o->live, *next; l; l = next) {
		next = l->next;
		live_free(l);
	}
	pthread_mutex_destroy(&o->mutex);
	free(o);
}

struct pending {
	struct operations *o;
	char id[ID_SIZE];
};

static void created(void *context, bool committed)
{
	struct pending *p = context;

	if (!committed)
		live_remove(p->o, p->id);
	free(p);
}

static void finished(void *context, bool committed)
{
	struct pending *p = context;

	if (committed) {
		live_remove(p->o, p->id);
		operation_waiters_call(p->o, p->id, 0);
	}
	free(p);
}

static int after(struct operations *o, struct store_tx *tx, const char *id,
		 void (*run)(void *context, bool committed), struct error *e)
{
	struct pending *p = malloc(sizeof(*p));

	if (!p)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	p->o = o;
	snprintf(p->id, sizeof(p->id), "%s", id);
	if (store_after(tx, run, p, e) == 0)
		return 0;
	free(p);
	return -1;
}

int operation_announce(struct operations *o, struct store_tx *tx, const char *type, const char *id,
		       const char *kind, const char *target, enum operation_state state,
		       const struct actor *actor, bool no_audit, struct error *e)
{
	char resource[32 + ID_SIZE];
	json_t *data = json_pack("{s:s, s:s, s:s}", "kind", kind, "state",
				 operation_state_name(state), "target", target);
	struct event event = {.type = type,
			      .resource = resource,
			      .actor = actor,
			      .operation = id,
			      .data = data,
			      .privilege = PRIVILEGE_READ,
			      .no_audit = no_audit};
	int result;

	snprintf(resource, sizeof(resource), "operations/%s", id);
	result = journal_append(o->journal, tx, &event, e);
	json_decref(data);
	return result;
}

int operation_create(struct operations *o, struct store_tx *tx, const char *kind,
		     const char *target, const struct actor *actor, operation_cancel cancel,
		     void *context, char id[ID_SIZE], struct error *e)
{
	struct live *live = calloc(1, sizeof(*live));
	struct operation_row row = {.id = id,
				    .kind = kind,
				    .target = target,
				    .cancellable = cancel != NULL,
				    .created_by = actor->name,
				    .request_id = actor->request_id,
				    .created = clock_wall_ms()};

	if (!live)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	id_make(id);
	*live = (struct live){.total = -1, .cancel = cancel, .context = context};
	live->warnings = json_array();
	memcpy(live->id, id, ID_SIZE);
	snprintf(live->kind, sizeof(live->kind), "%s", kind);
	snprintf(live->target, sizeof(live->target), "%s", target);
	snprintf(live->user, sizeof(live->user), "%s", actor->name);
	snprintf(live->request, sizeof(live->request), "%s", actor->request_id);
	strcpy(live->unit, "steps");
	if (store_operation_insert(tx, &row, e) < 0 || after(o, tx, id, created, e) < 0) {
		live_free(live);
		return -1;
	}
	live_add(o, live);
	return operation_announce(o, tx, "operation.created", id, kind, target, OPERATION_PENDING,
				  actor, false, e);
}

static int not_pending(struct store_tx *tx, const char *id, struct error *e)
{
	enum operation_state state = OPERATION_RUNNING;

	if (operation_state_tx(tx, id, &state, e) < 0)
		return -1;
	if (state == OPERATION_CANCELLING)
		return error_set(e, ERROR_CANCELLED, "It was cancelled before it began.");
	return error_set(e, ERROR_STATE, "The operation is not pending.");
}

int operation_start(struct operations *o, const char *id, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct live live;
	int changed;

	if (!live_copy(o, id, &live))
		return error_set(e, ERROR_OPERATION_UNKNOWN, "There is no such operation.");
	json_decref(live.warnings);
	if (store_begin(o->store, &tx, e) < 0)
		return -1;
	changed = store_operation_start(tx, id, 1u << OPERATION_PENDING, OPERATION_RUNNING,
					clock_wall_ms(), e);
	if (changed == 0)
		return not_pending(tx, id, e);
	if (changed < 0 ||
	    operation_announce(o, tx, "operation.updated", id, live.kind, live.target,
			       OPERATION_RUNNING, &actor_system, true, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

char *operation_error_text(const struct error *error, const char *id, const char *request_id)
{
	char instance[64];
	json_t *problem;
	char *text;

	if (!error)
		return NULL;
	snprintf(instance, sizeof(instance), "/api/v1/operations/%s", id);
	problem = problem_json(error, instance, *request_id ? request_id : "no-request");
	text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;
	json_decref(problem);
	return text;
}

int operation_finish(struct operations *o, struct store_tx *tx, const char *id,
		     enum operation_state state, const struct error *error, const json_t *result,
		     struct error *e)
{
	struct live live;
	char *warnings, *result_text, *problem;
	int changed = -1;

	if (!live_copy(o, id, &live))
		return error_set(e, ERROR_STATE, "The operation has ended.");
	warnings = json_dumps(live.warnings, JSON_COMPACT);
	json_decref(live.warnings);
	result_text = result ? json_dumps(result, JSON_COMPACT) : NULL;
	problem = operation_error_text(error, id, live.request);
	if (warnings && (!result || result_text) && (!error || problem)) {
		struct operation_row row = {.id = id,
					    .state = state,
					    .done = live.done,
					    .total = live.total,
					    .unit = live.unit,
					    .step = live.step,
					    .finished = clock_wall_ms(),
					    .error = problem,
					    .warnings = warnings,
					    .result = result_text};

		changed = store_operation_finish(tx, UNFINISHED, &row, e);
		if (changed == 0)
			changed = error_set(e, ERROR_STATE, "The operation has ended.");
	} else {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
	}
	free(warnings);
	free(result_text);
	free(problem);
	if (changed < 0 || after(o, tx, id, finished, e) < 0)
		return -1;
	return operation_announce(o, tx, "operation.updated", id, live.kind, live.target, state,
				  &actor_system, true, e);
}

int operation_end(struct operations *o, const char *id, enum operation_state state,
		  const struct error *error, const json_t *result, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin(o->store, &tx, e) < 0 ||
	    operation_finish(o, tx, id, state, error, result, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

static int not_cancellable(struct error *e)
{
	return error_set(e, ERROR_NOT_CANCELLABLE,
			 "The operation has ended or cannot be cancelled.");
}

int operation_cancel_request(struct operations *o, const char *id, const struct actor *actor,
			     struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct live live, *l;
	int changed;

	if (!live_copy(o, id, &live)) {
		json_t *known = operation_json(o, id, e);

		json_decref(known);
		return known ? not_cancellable(e) : -1;
	}
	json_decref(live.warnings);
	if (!live.cancel)
		return not_cancellable(e);
	if (store_begin(o->store, &tx, e) < 0)
		return -1;
	changed = store_operation_start(tx, id, 1u << OPERATION_PENDING | 1u << OPERATION_RUNNING,
					OPERATION_CANCELLING, clock_wall_ms(), e);
	if (changed == 0)
		return not_cancellable(e);
	if (changed < 0 ||
	    operation_announce(o, tx, "operation.updated", id, live.kind, live.target,
			       OPERATION_CANCELLING, actor, false, e) < 0 ||
	    store_commit(&tx, e) < 0)
		return -1;
	pthread_mutex_lock(&o->mutex);
	l = live_find(o, id);
	if (l)
		l->cancel_requested = true;
	pthread_mutex_unlock(&o->mutex);
	if (l)
		live.cancel(live.context, id);
	return 0;
}
