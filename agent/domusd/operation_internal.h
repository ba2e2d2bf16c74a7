#ifndef DOMUS_DOMUSD_OPERATION_INTERNAL_H
#define DOMUS_DOMUSD_OPERATION_INTERNAL_H

/* Shared by operation.c (an operation's life), operation_live.c, operation_wait.c, operation_read.c, operation_interrupt.c and
 * operation_tick.c. */
#include <pthread.h>

#include "domusd/operation.h"

/* The states that are not final, as a mask for store_operation. */
#define UNFINISHED (1u << OPERATION_PENDING | 1u << OPERATION_RUNNING | 1u << OPERATION_CANCELLING)

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

/* With the mutex held; NULL when it has ended. */
struct live *live_find(struct operations *o, const char *id);
/* Takes the live one. */
void live_add(struct operations *o, struct live *live);
void live_remove(struct operations *o, const char *id);
/* A snapshot, with a copy of the warnings that the caller frees; false when it has ended. */
bool live_copy(struct operations *o, const char *id, struct live *copy);
void live_free(struct live *live);

/* Calls the waiters of id (NULL: of every operation), or with now_ms those whose time is up. */
void operation_waiters_call(struct operations *o, const char *id, int64_t now_ms);

/* The event of an operation in the transaction, with its audit record unless no_audit. */
int operation_announce(struct operations *o, struct store_tx *tx, const char *type, const char *id,
		       const char *kind, const char *target, enum operation_state state,
		       const struct actor *actor, bool no_audit, struct error *e);
/* Its state as the transaction sees it; *state stays when there is no such operation. -1 on failure. */
int operation_state_tx(struct store_tx *tx, const char *id, enum operation_state *state,
		       struct error *e);
/* The error as the JSON of a problem, to be freed; NULL for none, or without memory. */
char *operation_error_text(const struct error *error, const char *id, const char *request_id);

#endif
