#ifndef DOMUS_DOMUSD_STORE_OPERATION_H
#define DOMUS_DOMUSD_STORE_OPERATION_H

#include "domusd/operation.h"

/* A row of operations. Strings are borrowed from the caller or, in store_operation_read(), live until take() returns. */
struct operation_row {
	int64_t seq;
	const char *id, *kind, *target;
	enum operation_state state;
	int64_t done, total; /* total < 0: not known */
	const char *unit, *step;
	bool cancellable;
	const char *created_by, *request_id;
	int64_t created, started, finished;    /* 0: not yet */
	const char *error, *warnings, *result; /* JSON; error and result may be NULL */
};

int store_operation_insert(struct store_tx *tx, const struct operation_row *row, struct error *e);
/* Moves from one of the states in the bit mask `from` to `state`: 1, or 0 when it was in none of them (or is not there). */
int store_operation_start(struct store_tx *tx, const char *id, unsigned from,
			  enum operation_state state, int64_t started, struct error *e);
int store_operation_finish(struct store_tx *tx, unsigned from, const struct operation_row *row,
			   struct error *e);
/* The row of id: 1 and take() was called, 0 not there, -1. */
int store_operation_read(struct store_tx *tx, const char *id,
			 void (*take)(void *context, const struct operation_row *row),
			 void *context, struct error *e);
/* Newest first, below `before` (0: all). */
int store_operation_list(struct store_tx *tx, int64_t before, int limit,
			 void (*take)(void *context, const struct operation_row *row),
			 void *context, struct error *e);
/* Those that have not ended. */
int store_operation_unfinished(struct store_tx *tx,
			       void (*take)(void *context, const struct operation_row *row),
			       void *context, struct error *e);
int store_operation_trim(struct store_tx *tx, int64_t keep, struct error *e);
int store_operation_counts(struct store_tx *tx, int64_t counts[OPERATION_INTERRUPTED + 1],
			   struct error *e);

#endif
