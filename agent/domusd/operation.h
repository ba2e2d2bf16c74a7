#ifndef DOMUS_DOMUSD_OPERATION_H
#define DOMUS_DOMUSD_OPERATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "domusd/actor.h"
#include "domusd/id.h"
#include "domusd/journal.h"
#include "domusd/store.h"

/*
 * Operations: work that outlives its request. Each is a row, so it survives us; at start-up
 *whatever had not ended becomes `interrupted`. Creation is an event too, before anything else about
 *it.
 *
 *	from        to
 *	pending     running, cancelling, succeeded, failed, cancelled, interrupted
 *	running     cancelling, succeeded, failed, cancelled, interrupted
 *	cancelling  cancelled, succeeded, failed, interrupted
 *	the others are final
 *
 * This header is for those who start, do and end work; operation_read.h and operation_wait.h for those
 * who show it.
 */
enum operation_state {
	OPERATION_PENDING,
	OPERATION_RUNNING,
	OPERATION_CANCELLING,
	OPERATION_SUCCEEDED,
	OPERATION_FAILED,
	OPERATION_CANCELLED,
	OPERATION_INTERRUPTED,
};

struct operations;

int operation_open(struct store *store, struct journal *journal, struct operations **out,
		   struct error *e);
void operation_close(struct operations *operations);
/* Start-up: what was pending, running or cancelling becomes interrupted, with an error. Returns how
 * many, or -1. */
int operation_interrupt_all(struct operations *operations, struct error *e);

/* What may be asked to end early: called once, when somebody cancels, from the thread that asked,
 * with no lock held and after the state `cancelling` is on disk. It only tells the worker; the
 * worker then calls operation_finish(). */
typedef void (*operation_cancel)(void *context, const char *id);

/*
 * Writes a new operation (pending) with its event and audit record in the transaction. `kind` is
 * one of openapi.yaml
 * ("domain.start"), target "domains/web". cancel may be NULL: not cancellable. Fills id.
 */
int operation_create(struct operations *operations, struct store_tx *tx, const char *kind,
		     const char *target, const struct actor *actor, operation_cancel cancel,
		     void *context, char id[ID_SIZE], struct error *e);

/* pending → running. No transaction may be open in this thread. ERROR_CANCELLED when somebody was faster: the worker then ends
 * it as cancelled. */
int operation_start(struct operations *operations, const char *id, struct error *e);
/* From a worker, as often as it likes: kept in memory, with an operation.updated event once a
 * second at most (written by operation_tick). total < 0: not known. unit "steps" or "bytes"; step
 * is copied (80 bytes). Never fails. */
void operation_progress(struct operations *operations, const char *id, int64_t done, int64_t total,
			const char *unit, const char *step);
/* One more line in `warnings`, kept with the end of the operation. At most 16. */
void operation_warn(struct operations *operations, const char *id, const char *text);
/* Whether somebody asked to cancel it: what a worker without a callback looks at. */
bool operation_cancel_requested(struct operations *operations, const char *id);
/*
 * Ends it in the transaction, together with whatever its success means for other rows. state is a
 * final one; error is needed for failed, and for others taken when not NULL; result is an object or
 * NULL, both borrowed. After the commit everybody who waits is answered. Ending twice is
 * ERROR_STATE.
 */
int operation_finish(struct operations *operations, struct store_tx *tx, const char *id,
		     enum operation_state state, const struct error *error, const json_t *result,
		     struct error *e);
/* The same in a transaction of its own; for where nothing else is to be written. */
int operation_end(struct operations *operations, const char *id, enum operation_state state,
		  const struct error *error, const json_t *result, struct error *e);

/* For DELETE: pending or running → cancelling, then calls the callback.
 * ERROR_NOT_CANCELLABLE otherwise. */
int operation_cancel_request(struct operations *operations, const char *id,
			     const struct actor *actor, struct error *e);

/* For the ticker, once a second: time-outs, progress events, retention (finished ones: the newest
 * 1,000). */
void operation_tick(void *operations);

/* "pending", … as in openapi.yaml. */
const char *operation_state_name(enum operation_state state);

#endif
