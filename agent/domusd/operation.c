#include "domusd/operation.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/problem.h"
#include "domusd/store_operation.h"

#define KEPT	       1000
#define WARNINGS_MAX   16
#define UNFINISHED     (1u << OPERATION_PENDING | 1u << OPERATION_RUNNING | 1u << OPERATION_CANCELLING)
#define TICKS_PER_TRIM 600

/* What is only in memory of an operation that has not ended. */
struct live {
	struct live *next;
	char id[ID_SIZE];
	char kind[32], target[64], user[40], request[24];
	int64_t done, total;
	char unit[8], step[80];
	json_t *warnings;
	operation_cancel cancel;
	void *context;
	bool cancel_requested, dirty;
};

struct waiter {
	struct waiter *next;
	char id[ID_SIZE];
	int64_t due_ms;
	void (*done)(void *context);
	void *context;
};

/* The mutex is never held while a transaction begins or a callback runs, so it may be taken inside a transaction. */
struct operations {
	struct store *store;
	struct journal *journal;
	pthread_mutex_t mutex;
	struct live *live;
	struct waiter *waiters;
	bool released;
	unsigned ticks;
};

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

static void live_free(struct live *live)
{
	json_decref(live->warnings);
	free(live);
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

static struct live *live_find(struct operations *o, const char *id)
{
	struct live *l = o->live;

	while (l && strcmp(l->id, id))
		l = l->next;
	return l;
}

static void live_remove(struct operations *o, const char *id)
{
	struct live *found = NULL;

	pthread_mutex_lock(&o->mutex);
	for (struct live **p = &o->live; *p; p = &(*p)->next) {
		if (strcmp((*p)->id, id))
			continue;
		found = *p;
		*p = found->next;
		break;
	}
	pthread_mutex_unlock(&o->mutex);
	if (found)
		live_free(found);
}

/* Calls the waiters of id (NULL: of every operation), or those whose time is up. */
static void waiters_call(struct operations *o, const char *id, int64_t now_ms)
{
	struct waiter *calls = NULL;

	pthread_mutex_lock(&o->mutex);
	for (struct waiter **p = &o->waiters, *w; (w = *p);) {
		if (now_ms ? w->due_ms > now_ms : id && strcmp(w->id, id)) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->next = calls;
		calls = w;
	}
	pthread_mutex_unlock(&o->mutex);
	for (struct waiter *w = calls, *next; w; w = next) {
		next = w->next;
		w->done(w->context);
		free(w);
	}
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
		waiters_call(p->o, p->id, 0);
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

static int announce(struct operations *o, struct store_tx *tx, const char *type, const char *id,
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
	pthread_mutex_lock(&o->mutex);
	live->next = o->live;
	o->live = live;
	pthread_mutex_unlock(&o->mutex);
	return announce(o, tx, "operation.created", id, kind, target, OPERATION_PENDING, actor,
			false, e);
}

/* A snapshot, with a copy of the warnings that the caller frees; false when it has ended. */
static bool live_copy(struct operations *o, const char *id, struct live *copy)
{
	struct live *l;

	pthread_mutex_lock(&o->mutex);
	l = live_find(o, id);
	if (l) {
		*copy = *l;
		copy->warnings = json_copy(l->warnings);
	}
	pthread_mutex_unlock(&o->mutex);
	return l != NULL;
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
		return error_set(e, ERROR_STATE, "The operation is not pending.");
	if (changed < 0 || announce(o, tx, "operation.updated", id, live.kind, live.target,
				    OPERATION_RUNNING, &actor_system, true, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

void operation_progress(struct operations *o, const char *id, int64_t done, int64_t total,
			const char *unit, const char *step)
{
	struct live *l;

	pthread_mutex_lock(&o->mutex);
	l = live_find(o, id);
	if (l) {
		l->done = done;
		l->total = total;
		snprintf(l->unit, sizeof(l->unit), "%s", unit);
		snprintf(l->step, sizeof(l->step), "%s", step);
		l->dirty = true;
	}
	pthread_mutex_unlock(&o->mutex);
}

void operation_warn(struct operations *o, const char *id, const char *text)
{
	struct live *l;

	pthread_mutex_lock(&o->mutex);
	l = live_find(o, id);
	if (l && json_array_size(l->warnings) < WARNINGS_MAX)
		json_array_append_new(l->warnings, json_string(text));
	pthread_mutex_unlock(&o->mutex);
}

bool operation_cancel_requested(struct operations *o, const char *id)
{
	struct live *l;
	bool requested;

	pthread_mutex_lock(&o->mutex);
	l = live_find(o, id);
	requested = l && l->cancel_requested;
	pthread_mutex_unlock(&o->mutex);
	return requested;
}

static char *error_text(const struct error *error, const char *id, const char *request_id)
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
	problem = error_text(error, id, live.request);
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
	return announce(o, tx, "operation.updated", id, live.kind, live.target, state,
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
	    announce(o, tx, "operation.updated", id, live.kind, live.target, OPERATION_CANCELLING,
		     actor, false, e) < 0 ||
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

static json_t *time_or_null(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	return ms ? json_string(clock_format(ms, text)) : json_null();
}

static json_t *parse_or_null(const char *text)
{
	json_t *value = text ? json_loads(text, 0, NULL) : NULL;

	return value ? value : json_null();
}

struct collecting {
	struct operations *o;
	json_t *object; /* of the last row */
	json_t *array;	/* or all of them */
	int64_t last;
};

static void collect(void *context, const struct operation_row *row)
{
	struct collecting *c = context;
	struct live live = {.done = row->done, .total = row->total};
	json_t *warnings = NULL, *progress;

	snprintf(live.unit, sizeof(live.unit), "%s", row->unit);
	snprintf(live.step, sizeof(live.step), "%s", row->step);
	if (row->state <= OPERATION_CANCELLING) {
		struct live *l;

		pthread_mutex_lock(&c->o->mutex);
		l = live_find(c->o, row->id);
		if (l) {
			live = *l;
			warnings = json_copy(l->warnings);
		}
		pthread_mutex_unlock(&c->o->mutex);
	}
	progress = json_pack("{s:I, s:o, s:s, s:s}", "done", (json_int_t)live.done, "total",
			     live.total < 0 ? json_null() : json_integer(live.total), "unit",
			     live.unit, "step", live.step);
	c->object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
			      "id", row->id, "kind", row->kind, "target", row->target, "state",
			      operation_state_name(row->state), "progress", progress, "cancellable",
			      row->cancellable && row->state <= OPERATION_RUNNING, "created_by",
			      row->created_by, "created", time_or_null(row->created), "started",
			      time_or_null(row->started), "finished", time_or_null(row->finished),
			      "error", parse_or_null(row->error), "warnings",
			      warnings ? warnings : parse_or_null(row->warnings), "result",
			      parse_or_null(row->result));
	if (c->array)
		json_array_append_new(c->array, c->object);
	c->last = row->seq;
}

json_t *operation_json_tx(struct operations *o, struct store_tx *tx, const char *id,
			  struct error *e)
{
	struct collecting c = {.o = o};
	int found = store_operation_read(tx, id, collect, &c, e);

	if (found == 0)
		error_set(e, ERROR_OPERATION_UNKNOWN, "There is no such operation.");
	else if (found > 0 && !c.object)
		error_set(e, ERROR_INTERNAL, "Out of memory.");
	return c.object;
}

json_t *operation_json(struct operations *o, const char *id, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	return store_begin_read(o->store, &tx, e) < 0 ? NULL : operation_json_tx(o, tx, id, e);
}

json_t *operation_list(struct operations *o, int64_t before, int limit, int64_t *next,
		       struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct collecting c = {.o = o, .array = json_array()};
	int count;

	/* One more than asked tells whether there is a next page. */
	if (!c.array || store_begin_read(o->store, &tx, e) < 0 ||
	    (count = store_operation_list(tx, before, limit + 1, collect, &c, e)) < 0) {
		json_decref(c.array);
		return NULL;
	}
	*next = 0;
	if (count > limit) {
		*next = c.last +
			1; /* the next page is what is below it: it begins with the surplus one */
		json_array_remove(c.array, (size_t)limit);
	}
	return c.array;
}

/* Whether it was put among those who wait: not when the operation has ended or everybody is let go. */
static bool waiter_add(struct operations *o, struct waiter *w)
{
	bool waits;

	pthread_mutex_lock(&o->mutex);
	/* An operation leaves the live ones after its end is committed and before its waiters are called. */
	waits = live_find(o, w->id) && !o->released;
	if (waits) {
		w->next = o->waiters;
		o->waiters = w;
	}
	pthread_mutex_unlock(&o->mutex);
	return waits;
}

int operation_wait(struct operations *o, const char *id, int timeout_ms,
		   void (*done)(void *context), void *context, struct error *e)
{
	struct waiter *w = calloc(1, sizeof(*w));
	json_t *known;

	if (!w)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	snprintf(w->id, sizeof(w->id), "%s", id);
	w->due_ms = clock_monotonic_ms() + timeout_ms;
	w->done = done;
	w->context = context;
	if (timeout_ms > 0 && waiter_add(o, w))
		return 0;
	free(w);
	known = operation_json(o, id, e);
	if (!known)
		return -1;
	json_decref(known);
	done(context);
	return 0;
}

void operation_waiters_release(struct operations *o)
{
	pthread_mutex_lock(&o->mutex);
	o->released = true;
	pthread_mutex_unlock(&o->mutex);
	waiters_call(o, NULL, 0);
}

static void take_state(void *context, const struct operation_row *row)
{
	*(enum operation_state *)context = row->state;
}

/* One event for an operation whose progress moved. Returns false when there was none. */
static bool publish_one(struct operations *o)
{
	STORE_TX struct store_tx *tx = NULL;
	enum operation_state state = OPERATION_SUCCEEDED;
	struct live copy, *l;
	struct error e;

	pthread_mutex_lock(&o->mutex);
	for (l = o->live; l && !l->dirty; l = l->next)
		;
	if (l) {
		l->dirty = false;
		copy = *l;
	}
	pthread_mutex_unlock(&o->mutex);
	if (!l)
		return false;
	/* Within the transaction it cannot end; if it has ended already, its last event is the last. */
	if (store_begin(o->store, &tx, &e) < 0 ||
	    store_operation_read(tx, copy.id, take_state, &state, &e) < 0 ||
	    (state <= OPERATION_CANCELLING &&
	     (announce(o, tx, "operation.updated", copy.id, copy.kind, copy.target, state,
		       &actor_system, true, &e) < 0 ||
	      store_commit(&tx, &e) < 0)))
		fprintf(stderr, "domusd: progress of operation %s: %s\n", copy.id, e.detail);
	return true;
}

void operation_tick(void *context)
{
	struct operations *o = context;
	STORE_TX struct store_tx *tx = NULL;
	struct error e;

	waiters_call(o, NULL, clock_monotonic_ms());
	while (publish_one(o))
		;
	if (++o->ticks % TICKS_PER_TRIM)
		return;
	if (store_begin(o->store, &tx, &e) < 0 || store_operation_trim(tx, KEPT, &e) < 0 ||
	    store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: old operations cannot be trimmed: %s\n", e.detail);
}

struct unfinished {
	char id[ID_SIZE], kind[32], target[64];
};

struct interrupting {
	struct unfinished *list;
	size_t count;
	bool no_memory;
};

static void remember(void *context, const struct operation_row *row)
{
	struct interrupting *i = context;
	struct unfinished *list = realloc(i->list, (i->count + 1) * sizeof(*list));

	if (!list) {
		i->no_memory = true;
		return;
	}
	i->list = list;
	list += i->count++;
	snprintf(list->id, sizeof(list->id), "%s", row->id);
	snprintf(list->kind, sizeof(list->kind), "%s", row->kind);
	snprintf(list->target, sizeof(list->target), "%s", row->target);
}

static int interrupt_one(struct operations *o, struct store_tx *tx, const struct unfinished *one,
			 struct error *e)
{
	struct error why;
	struct operation_row row = {.id = one->id,
				    .state = OPERATION_INTERRUPTED,
				    .total = -1,
				    .unit = "steps",
				    .step = "",
				    .finished = clock_wall_ms(),
				    .warnings = "[]"};
	char *problem;
	int result;

	error_set(&why, ERROR_INTERRUPTED,
		  "The appliance restarted while this was running; look at its target's state.");
	problem = error_text(&why, one->id, "");
	row.error = problem;
	result = store_operation_finish(tx, UNFINISHED, &row, e);
	free(problem);
	return result < 0 ? -1
			  : announce(o, tx, "operation.updated", one->id, one->kind, one->target,
				     OPERATION_INTERRUPTED, &actor_system, true, e);
}

int operation_interrupt_all(struct operations *o, struct error *e)
{
	struct interrupting list = {0};
	int result = -1;

	/* A transaction each: the number of hooks of one is limited. */
	{
		STORE_TX struct store_tx *tx = NULL;

		if (store_begin_read(o->store, &tx, e) == 0)
			result = store_operation_unfinished(tx, remember, &list, e);
	}
	if (result >= 0 && list.no_memory)
		result = error_set(e, ERROR_INTERNAL, "Out of memory.");
	for (size_t i = 0; i < list.count && result >= 0; i++) {
		STORE_TX struct store_tx *tx = NULL;

		if (store_begin(o->store, &tx, e) < 0 ||
		    interrupt_one(o, tx, &list.list[i], e) < 0 || store_commit(&tx, e) < 0)
			result = -1;
	}
	free(list.list);
	return result < 0 ? -1 : (int)list.count;
}

void operation_counts(struct operations *o, int64_t counts[OPERATION_INTERRUPTED + 1])
{
	STORE_TX struct store_tx *tx = NULL;

	memset(counts, 0, sizeof(counts[0]) * (OPERATION_INTERRUPTED + 1));
	if (store_begin_read(o->store, &tx, NULL) == 0)
		store_operation_counts(tx, counts, NULL);
}
