/* Operations as openapi.yaml shows them. */
#include "domusd/operation_read.h"

#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/operation_internal.h"
#include "domusd/store_operation.h"

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

static void take_state(void *context, const struct operation_row *row)
{
	*(enum operation_state *)context = row->state;
}

int operation_state_tx(struct store_tx *tx, const char *id, enum operation_state *state,
		       struct error *e)
{
	return store_operation_read(tx, id, take_state, state, e);
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

void operation_counts(struct operations *o, int64_t counts[OPERATION_INTERRUPTED + 1])
{
	STORE_TX struct store_tx *tx = NULL;

	memset(counts, 0, sizeof(counts[0]) * (OPERATION_INTERRUPTED + 1));
	if (store_begin_read(o->store, &tx, NULL) == 0)
		store_operation_counts(tx, counts, NULL);
}
