/* Start-up: nothing goes on that ran when the one before us ended. */
#include "domusd/operation_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "domusd/clock.h"
#include "domusd/store_operation.h"

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
	problem = operation_error_text(&why, one->id, "");
	row.error = problem;
	result = store_operation_finish(tx, UNFINISHED, &row, e);
	free(problem);
	return result < 0 ? -1
			  : operation_announce(o, tx, "operation.updated", one->id, one->kind,
					       one->target, OPERATION_INTERRUPTED, &actor_system,
					       true, e);
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
