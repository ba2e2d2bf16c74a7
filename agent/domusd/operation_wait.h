#ifndef DOMUS_DOMUSD_OPERATION_WAIT_H
#define DOMUS_DOMUSD_OPERATION_WAIT_H

#include "domusd/operation.h"

/* Waiting for the end of an operation without a thread: for a request that is deferred. */

/*
 * Calls done(context) once, from another thread or at once from this one, when the operation has
 * reached a final state, timeout_ms have passed, or operation_waiters_release() was called. 0, or
 * ERROR_OPERATION_UNKNOWN (done is not called).
 */
int operation_wait(struct operations *operations, const char *id, int timeout_ms,
		   void (*done)(void *context), void *context, struct error *e);
/* At shutdown: lets everybody go, now and in the future. */
void operation_waiters_release(struct operations *operations);

#endif
