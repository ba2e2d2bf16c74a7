/* The thread that holds every rail to the rule, whatever happened to it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/rails_internal.h"

#define TICK_MS	   1000
#define BURST_MS   250
#define FULL_TICKS 10
#define PORT_TURNS 8

void rails_wake(struct rails *r)
{
	uint64_t one = 1;

	/* fails only when the counter is full, and then the thread is awake already */
	if (write(r->wake, &one, sizeof(one)) < 0)
		return;
}

/* What describes a device and may change under it; the rest is ours. */
static void describe(struct verbs_device *d, const struct verbs_device *fresh)
{
	memcpy(d->group, fresh->group, sizeof(d->group));
	memcpy(d->name, fresh->name, sizeof(d->name));
	memcpy(d->group_reason, fresh->group_reason, sizeof(d->group_reason));
	memcpy(d->needed, fresh->needed, sizeof(d->needed));
	memcpy(d->note, fresh->note, sizeof(d->note));
	d->mmio_base = fresh->mmio_base;
	d->mmio_size = fresh->mmio_size;
	d->irq = fresh->irq;
	d->cluster = fresh->cluster;
	d->gate = fresh->gate;
}

/* Locked. NULL: out of memory or space, so it is not seen this time. */
static struct rail *rail_add(struct rails *r, const struct verbs_device *fresh)
{
	struct rail *rail = r->count < HARDWARE_MAX ? calloc(1, sizeof(*rail)) : NULL;
	unsigned at = r->count;

	if (!rail)
		return NULL;
	memcpy(rail->device.id, fresh->id, sizeof(rail->device.id));
	rail->device.kind = fresh->kind;
	/* power 0: never read, so the first reading is no change */
	for (; at > 0 && strcmp(r->list[at - 1]->device.id, fresh->id) > 0; at--)
		r->list[at] = r->list[at - 1];
	r->list[at] = rail;
	r->count++;
	return rail;
}

/* A device that the scan did not find: forgotten, unless a domain counts on it or a thread is at it. Locked. */
static void rail_missing(struct rails *r, unsigned *at)
{
	struct rail *rail = r->list[*at];
	struct verbs_device gone = rail->device;

	if (rail->busy)
		return;
	if (rail->device.holder.name[0]) {
		if (!rail->there)
			return;
		rail->there = false;
		gone.power = VERBS_POWER_UNKNOWN;
		snprintf(gone.error, sizeof(gone.error), "%s is not there any more.", gone.name);
		rail_update(r, rail, &gone, false);
		return;
	}
	rail->there = false;
	rail_report(r, rail, VERBS_CHANGE_WENT, VERBS_CAUSE_FOUND);
	free(rail);
	r->count--;
	memmove(&r->list[*at], &r->list[*at + 1], (r->count - *at) * sizeof(struct rail *));
	--*at;
}

/* The scan's result, taken over. Locked; gates held since the scan, so that no switch came between. */
static void scan_merge(struct rails *r, bool first)
{
	for (unsigned i = 0; i < r->scratch->count; i++) {
		const struct verbs_device *fresh = &r->scratch->devices[i];
		struct rail *rail = rail_find(r, fresh->id);
		bool came = !rail;

		if (came)
			rail = rail_add(r, fresh);
		if (!rail)
			continue;
		rail->there = true;
		describe(&rail->device, fresh);
		if (!rail->busy)
			rail_update(r, rail, fresh, true);
		if (came && !first)
			rail_report(r, rail, VERBS_CHANGE_CAME, VERBS_CAUSE_FOUND);
	}
	for (unsigned i = 0; i < r->count; i++) {
		bool found = false;

		for (unsigned k = 0; k < r->scratch->count && !found; k++)
			found = strcmp(r->scratch->devices[k].id, r->list[i]->device.id) == 0;
		if (!found)
			rail_missing(r, &i);
	}
}

/* Asks about each holder that lived whether it still does. */
static void holders_ask(struct rails *r)
{
	struct verbs_domain asked[HARDWARE_MAX];
	unsigned count = 0;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count; i++) {
		const struct rail *rail = r->list[i];
		bool known = !rail->device.holder.name[0] || !rail->settled || rail->ended;

		for (unsigned k = 0; k < count && !known; k++)
			known = holder_is(rail, &asked[k]);
		if (!known)
			asked[count++] = rail->device.holder;
	}
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < count; i++) {
		if (r->user.alive(r->user.alive_context, &asked[i]) == 0)
			rails_ended(r, &asked[i]);
	}
}

/* The next holder that has ended. */
static bool ended_next(struct rails *r, struct verbs_domain *d)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count && !found; i++) {
		found = r->list[i]->device.holder.name[0] && r->list[i]->ended;
		if (found)
			*d = r->list[i]->device.holder;
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}

/* The next rail that is on and should not be, made busy. */
static struct rail *violation_next(struct rails *r)
{
	int64_t now = rails_now_ms();
	struct rail *found = NULL;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count && !found; i++) {
		struct rail *rail = r->list[i];

		if (!rail->busy && rail_switchable(rail) && !rail_wanted(rail) &&
		    !rail->device.holder.name[0] && rail->device.power != VERBS_POWER_OFF &&
		    rail->device.power != VERBS_POWER_UNKNOWN && now >= rail->retry_ms)
			found = rail;
	}
	if (found)
		found->busy = true;
	pthread_mutex_unlock(&r->lock);
	return found;
}

static void correct(struct rails *r, enum verbs_cause cause)
{
	struct verbs_domain d;
	struct rail *rail;

	while (ended_next(r, &d))
		rails_release(r, &d);
	while ((rail = violation_next(r))) {
		rail_switch(r, rail, false, cause, NULL);
		pthread_mutex_lock(&r->lock);
		rail->busy = false;
		pthread_cond_broadcast(&r->idle);
		pthread_mutex_unlock(&r->lock);
	}
}

int rails_look(struct rails *r, enum verbs_cause cause, struct error *e)
{
	int result;

	pthread_mutex_lock(&r->gates);
	r->scratch->count = 0;
	result = r->hardware->scan(r->hardware, r->scratch, e);
	if (result == 0) {
		pthread_mutex_lock(&r->lock);
		scan_merge(r, cause == VERBS_CAUSE_BOOT);
		if (cause == VERBS_CAUSE_BOOT) {
			record_read(r);
			record_write(r);
		}
		pthread_mutex_unlock(&r->lock);
	}
	pthread_mutex_unlock(&r->gates);
	if (result < 0)
		return -1;
	holders_ask(r);
	correct(r, cause);
	return 0;
}

/*
 * Each switch is read, nothing more; true when one has another position than before. To read a port is a question to its
 * hub, so they take turns: what comes up in a port makes a uevent anyway.
 */
static bool switches_read(struct rails *r, unsigned tick)
{
	bool changed = false;

	for (unsigned i = 0; i < HARDWARE_MAX; i++) {
		struct verbs_device d = {0};
		struct rail *rail;

		pthread_mutex_lock(&r->gates);
		pthread_mutex_lock(&r->lock);
		rail = i < r->count ? r->list[i] : NULL;
		if (rail && !rail->busy &&
		    (rail_switchable(rail) || rail->device.gate == VERBS_GATE_HYPERVISOR) &&
		    (rail->device.gate != VERBS_GATE_PORT || (tick + i) % PORT_TURNS == 0))
			d = rail->device;
		pthread_mutex_unlock(&r->lock);
		if (d.id[0])
			r->hardware->read(r->hardware, &d, false);
		pthread_mutex_lock(&r->lock);
		/* found again by its id; gates are held, so nobody switched it since */
		rail = d.id[0] ? rail_find(r, d.id) : NULL;
		if (rail && !rail->busy) {
			changed |= d.power != rail->device.power;
			rail_update(r, rail, &d, false);
		}
		pthread_mutex_unlock(&r->lock);
		pthread_mutex_unlock(&r->gates);
		if (i >= r->count)
			break;
	}
	return changed;
}

/* A look at everything when the kernel tells of something new, and now and then; in between at the switches alone. */
static void look(struct rails *r, bool everything, unsigned tick)
{
	struct error e = {0};

	if (!everything && !switches_read(r, tick)) {
		holders_ask(r);
		correct(r, VERBS_CAUSE_CORRECT);
	} else if (rails_look(r, VERBS_CAUSE_CORRECT, &e) < 0) {
		fprintf(stderr, "keeper: %s\n", e.detail);
	}
}

void *rails_watch(void *rails)
{
	struct rails *r = rails;
	struct pollfd p[2] = {{.fd = r->wake, .events = POLLIN},
			      {.fd = r->hardware->changed, .events = POLLIN}};
	bool stopping = false, everything = true;
	unsigned ticks = 0;

	while (!stopping) {
		uint64_t count;

		/* the end of a domain does not wait for a look at everything */
		correct(r, VERBS_CAUSE_CORRECT);
		look(r, everything, ticks);
		pthread_mutex_lock(&r->lock);
		stopping = r->stopping;
		pthread_mutex_unlock(&r->lock);
		/* a board without uevents is small, and simulated */
		everything = r->hardware->changed < 0 || ++ticks % FULL_TICKS == 0;
		if (stopping || poll(p, 2, TICK_MS) <= 0)
			continue;
		everything |= p[1].revents & POLLIN;
		/* one look for a burst of uevents; the end of a domain does not wait */
		if (!(p[0].revents & POLLIN))
			poll(p, 1, BURST_MS);
		if ((p[0].revents & POLLIN) && read(r->wake, &count, sizeof(count)) < 0)
			continue;
	}
	return NULL;
}
