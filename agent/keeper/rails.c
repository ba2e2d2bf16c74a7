#include "keeper/rails_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NAP_NS 20000000

int64_t rails_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct verbs_device *inventory_add(struct inventory *i, const char *id, enum verbs_kind kind)
{
	struct verbs_device *d;

	if (i->count == HARDWARE_MAX || !verbs_device_valid(id))
		return NULL;
	for (unsigned k = 0; k < i->count; k++) {
		if (strcmp(i->devices[k].id, id) == 0)
			return NULL;
	}
	d = &i->devices[i->count++];
	memset(d, 0, sizeof(*d));
	snprintf(d->id, sizeof(d->id), "%s", id);
	d->kind = (uint16_t)kind;
	d->gate = VERBS_GATE_NONE;
	d->power = VERBS_POWER_UNKNOWN;
	d->cluster = UINT32_MAX;
	return d;
}

struct rail *rail_find(struct rails *r, const char *id)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (strcmp(r->list[i]->device.id, id) == 0)
			return r->list[i];
	}
	return NULL;
}

bool rail_switchable(const struct rail *rail)
{
	return rail->there && rail->device.gate != VERBS_GATE_NONE &&
	       rail->device.gate != VERBS_GATE_HYPERVISOR && !rail->device.needed[0];
}

bool rail_wanted(const struct rail *rail)
{
	return (rail->device.holder.name[0] && !rail->ended) || rail->device.kept ||
	       rail->device.needed[0];
}

bool holder_is(const struct rail *rail, const struct verbs_domain *d)
{
	return rail->device.holder.name[0] &&
	       memcmp(rail->device.holder.uuid, d->uuid, sizeof(d->uuid)) == 0;
}

void rail_report(struct rails *r, const struct rail *rail, enum verbs_change change,
		 enum verbs_cause cause)
{
	struct verbs_device_event v;

	verbs_start(&v, sizeof(v), VERB_EVENT_DEVICE, 0);
	v.time_ns = realtime_ns();
	v.change = (uint16_t)change;
	v.cause = (uint16_t)cause;
	v.device = rail->device;
	r->user.event(r->user.event_context, &v);
}

static void power_set(struct rail *rail, enum verbs_power power, enum verbs_cause cause,
		      const char *error)
{
	struct verbs_device *d = &rail->device;

	if (d->power != power || d->since_ns == 0) {
		d->power = (uint16_t)power;
		d->cause = (uint16_t)cause;
		d->since_ns = realtime_ns();
	}
	snprintf(d->error, sizeof(d->error), "%.127s", error);
}

void rail_update(struct rails *r, struct rail *rail, const struct verbs_device *fresh,
		 bool contents)
{
	struct verbs_device *d = &rail->device;
	bool empty = fresh->content_count == 0 && rails_now_ms() - rail->on_ms < RAILS_GRACE_MS;
	uint16_t before = d->power;

	/* a rail that is stuck stays a fault until it reads what is wanted of it */
	if (d->power == VERBS_POWER_FAULT && rail_switchable(rail) &&
	    fresh->power != (rail_wanted(rail) ? VERBS_POWER_ON : VERBS_POWER_OFF))
		before = VERBS_POWER_FAULT;
	else
		power_set(rail, fresh->power, d->since_ns ? VERBS_CAUSE_FOUND : VERBS_CAUSE_NONE,
			  fresh->error);
	if (d->power != before && before)
		rail_report(r, rail, VERBS_CHANGE_POWER, VERBS_CAUSE_FOUND);
	if (!contents || fresh->power != VERBS_POWER_ON || (empty && d->content_count))
		return;
	if (d->contents_known && d->content_count == fresh->content_count &&
	    memcmp(d->contents, fresh->contents, sizeof(d->contents)) == 0)
		return;
	memcpy(d->contents, fresh->contents, sizeof(d->contents));
	d->content_count = fresh->content_count;
	if (d->contents_known || d->content_count) {
		d->contents_known = 1;
		if (before) {
			rail_report(r, rail, VERBS_CHANGE_CONTENTS, VERBS_CAUSE_FOUND);
			record_write(r);
		}
	}
	d->contents_known = 1;
}

/* Waits until the gate reads what it was told; a gate may be late, not forever. Without lock. */
static void gate_settle(struct rails *r, struct verbs_device *d, enum verbs_power wanted)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	int64_t until = rails_now_ms() + RAILS_SETTLE_MS;

	for (;;) {
		pthread_mutex_lock(&r->gates);
		r->hardware->read(r->hardware, d, false);
		pthread_mutex_unlock(&r->gates);
		if (d->power == wanted || rails_now_ms() >= until)
			return;
		nanosleep(&nap, NULL);
	}
}

static int switch_failed(const struct verbs_device *d, bool on, const struct error *why,
			 struct error *e)
{
	return error_set(e, ERROR_RAIL_FAULT, "%s was switched %s and reads %s%s%s", d->name,
			 on ? "on" : "off", verbs_power_name(d->power), why->detail[0] ? ": " : ".",
			 why->detail);
}

int rail_switch(struct rails *r, struct rail *rail, bool on, enum verbs_cause cause,
		struct error *e)
{
	enum verbs_power wanted = on ? VERBS_POWER_ON : VERBS_POWER_OFF;
	struct verbs_device d;
	struct error why = {0}, failed = {0};
	bool again; /* another attempt at a rail that is stuck: nothing new to tell */

	pthread_mutex_lock(&r->lock);
	d = rail->device;
	pthread_mutex_unlock(&r->lock);
	d.error[0] = '\0';
	pthread_mutex_lock(&r->gates);
	r->hardware->read(r->hardware, &d, false);
	if (d.power != wanted || d.error[0]) /* one that complains is told again */
		r->hardware->set(r->hardware, &d, on, &why);
	pthread_mutex_unlock(&r->gates);
	gate_settle(r, &d, wanted);

	pthread_mutex_lock(&r->lock);
	if (on)
		rail->on_ms = rails_now_ms();
	again = cause == VERBS_CAUSE_CORRECT && rail->device.power == VERBS_POWER_FAULT &&
		d.power != wanted;
	if (d.power == wanted) {
		power_set(rail, wanted, cause, "");
		memset(rail->blocked, 0, sizeof(rail->blocked));
	} else {
		switch_failed(&d, on, &why, &failed);
		power_set(rail, VERBS_POWER_FAULT, cause, failed.detail);
		rail->retry_ms = rails_now_ms() + RAILS_RETRY_MS;
	}
	/* at its end, the event says too that the domain holds it no longer: rail_let_go() */
	if (!again && cause != VERBS_CAUSE_END)
		rail_report(r, rail, VERBS_CHANGE_POWER, cause);
	pthread_mutex_unlock(&r->lock);
	if (!again)
		fprintf(stderr, "keeper: %s %s (%s): %s\n", d.id, on ? "on" : "off",
			verbs_cause_name(cause), d.power == wanted ? "done" : failed.detail);
	if (d.power == wanted)
		return 0;
	if (e)
		*e = failed;
	return -1;
}

int rails_open(struct hardware *h, const char *record, const struct rails_user *user,
	       struct rails **out, struct error *e)
{
	struct rails *r = calloc(1, sizeof(*r));
	int failed;

	if (!r)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	*out = r;
	r->hardware = h;
	r->user = *user;
	r->record = record ? strdup(record) : NULL;
	r->scratch = calloc(1, sizeof(*r->scratch));
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&r->gates, NULL);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->idle, NULL);
	if (!r->scratch || (record && !r->record) || r->wake < 0)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	if (rails_look(r, VERBS_CAUSE_BOOT, e) < 0)
		return -1;
	failed = pthread_create(&r->thread, NULL, rails_watch, r);
	if (failed)
		return error_set_errno(e, ERROR_INTERNAL, failed, "Cannot start a thread.");
	return 0;
}

void rails_close(struct rails *r)
{
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_mutex_unlock(&r->lock);
	rails_wake(r);
	pthread_join(r->thread, NULL);
	for (unsigned i = 0; i < r->count; i++)
		free(r->list[i]);
	close(r->wake);
	free(r->scratch);
	free(r->record);
	pthread_cond_destroy(&r->idle);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->gates);
	free(r);
}

int rails_list(struct rails *r, const char *after, struct verbs_devices_response *out,
	       struct error *e)
{
	(void)e;
	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count; i++) {
		const struct verbs_device *d = &r->list[i]->device;

		if (after[0] && strcmp(d->id, after) <= 0)
			continue;
		if (out->count == VERBS_DEVICE_PAGE) {
			out->more = 1;
			break;
		}
		out->devices[out->count++] = *d;
	}
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int unknown(const char *id, struct error *e)
{
	return error_set(e, ERROR_DEVICE_UNKNOWN, "The board has no device %s.", id);
}

int rail_see(struct rails *r, const char *id, struct verbs_device *seen, struct error *e)
{
	struct rail *rail;
	bool there;

	pthread_mutex_lock(&r->lock);
	rail = rail_find(r, id);
	there = rail != NULL;
	if (there)
		*seen = rail->device;
	pthread_mutex_unlock(&r->lock);
	if (!there)
		return unknown(id, e);
	pthread_mutex_lock(&r->gates);
	r->hardware->read(r->hardware, seen, true);
	pthread_mutex_unlock(&r->gates);
	pthread_mutex_lock(&r->lock);
	rail = rail_find(r, id);
	if (rail && !rail->busy)
		rail_update(r, rail, seen, true);
	pthread_mutex_unlock(&r->lock);
	return rail ? 0 : unknown(id, e);
}

int rails_read(struct rails *r, const char *id, struct verbs_device *out, struct error *e)
{
	struct verbs_device seen;
	const struct rail *rail;

	if (rail_see(r, id, &seen, e) < 0)
		return -1;
	pthread_mutex_lock(&r->lock);
	rail = rail_find(r, id);
	if (rail)
		*out = rail->device;
	pthread_mutex_unlock(&r->lock);
	return rail ? 0 : unknown(id, e);
}

static int refuse_unswitchable(const struct rail *rail, const char *pointer, struct error *e)
{
	const struct verbs_device *d = &rail->device;

	if (d->needed[0])
		return error_set_at(e, ERROR_DEVICE_NEEDED, pointer, "%s stays the appliance's: %s",
				    d->name, d->needed);
	return error_set_at(e, ERROR_RAIL_UNSUPPORTED, pointer, "%s cannot be switched: %s",
			    d->name, d->note[0] ? d->note : "it is not there any more");
}

int rails_set(struct rails *r, const char *id, bool on, struct verbs_device *out, struct error *e)
{
	struct rail *rail;
	int result;

	pthread_mutex_lock(&r->lock);
	while ((rail = rail_find(r, id)) && rail->busy)
		pthread_cond_wait(&r->idle, &r->lock);
	if (!rail)
		result = unknown(id, e);
	else if (!rail_switchable(rail))
		result = refuse_unswitchable(rail, "", e);
	else if (!on && rail->device.holder.name[0])
		result = error_set(e, ERROR_DEVICE_IN_USE, "%s is on for the domain %s.",
				   rail->device.name, rail->device.holder.name);
	else
		result = 0;
	if (result < 0) {
		pthread_mutex_unlock(&r->lock);
		return -1;
	}
	rail->busy = true;
	rail->device.kept = on;
	record_write(r);
	pthread_mutex_unlock(&r->lock);
	result = rail_switch(r, rail, on, VERBS_CAUSE_REQUEST, e);
	pthread_mutex_lock(&r->lock);
	rail->busy = false;
	*out = rail->device;
	pthread_cond_broadcast(&r->idle);
	pthread_mutex_unlock(&r->lock);
	return result;
}
