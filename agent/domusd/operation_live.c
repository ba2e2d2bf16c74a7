/* What is only in memory of an operation that has not ended: its progress, its warnings, who may be asked to cancel it. */
#include "domusd/operation_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARNINGS_MAX 16

void live_free(struct live *live)
{
	json_decref(live->warnings);
	free(live);
}

struct live *live_find(struct operations *o, const char *id)
{
	struct live *l = o->live;

	while (l && strcmp(l->id, id))
		l = l->next;
	return l;
}

void live_add(struct operations *o, struct live *live)
{
	pthread_mutex_lock(&o->mutex);
	live->next = o->live;
	o->live = live;
	pthread_mutex_unlock(&o->mutex);
}

void live_remove(struct operations *o, const char *id)
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

bool live_copy(struct operations *o, const char *id, struct live *copy)
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
