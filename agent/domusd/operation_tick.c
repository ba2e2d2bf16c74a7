/* Once a second: time-outs of those who wait, progress for those who look, and what is too old to keep. */
#include "domusd/operation_internal.h"

#include <stdio.h>

#include "domusd/clock.h"
#include "domusd/store_operation.h"

#define KEPT	       1000
#define TICKS_PER_TRIM 600

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
	if (store_begin(o->store, &tx, &e) < 0 || operation_state_tx(tx, copy.id, &state, &e) < 0 ||
	    (state <= OPERATION_CANCELLING &&
	     (operation_announce(o, tx, "operation.updated", copy.id, copy.kind, copy.target, state,
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

	operation_waiters_call(o, NULL, clock_monotonic_ms());
	while (publish_one(o))
		;
	if (++o->ticks % TICKS_PER_TRIM)
		return;
	if (store_begin(o->store, &tx, &e) < 0 || store_operation_trim(tx, KEPT, &e) < 0 ||
	    store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: old operations cannot be trimmed: %s\n", e.detail);
}
