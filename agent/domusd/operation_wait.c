/* Whoever waits for the end of an operation. */
#include "domusd/operation_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/operation_internal.h"
#include "domusd/operation_read.h"

void operation_waiters_call(struct operations *o, const char *id, int64_t now_ms)
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
	operation_waiters_call(o, NULL, 0);
}
