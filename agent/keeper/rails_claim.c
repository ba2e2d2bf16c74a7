/* A domain's devices: taken before it is built, given back when it ends. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keeper/rails_internal.h"

#define CONTENT_WAIT_MS                                                                            \
	20000 /* a USB drive takes three seconds to show up, on a slow machine more */
#define CONTENT_NAP_NS 50000000

static bool claims(const struct verbs_create_request *request, const char *id)
{
	for (uint32_t i = 0; i < request->device_count; i++) {
		if (strcmp(request->devices[i], id) == 0)
			return true;
	}
	return false;
}

/* Is anything that has to move with this rail left behind? Locked. */
static int group_check(struct rails *r, const struct rail *rail,
		       const struct verbs_create_request *request, const char *pointer,
		       struct error *e)
{
	if (!rail->device.group[0])
		return 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct verbs_device *d = &r->list[i]->device;

		if (strcmp(d->group, rail->device.group) == 0 && !claims(request, d->id))
			return error_set_at(e, ERROR_DEVICE_GROUP, pointer,
					    "%s moves together with %s: %s", rail->device.name,
					    d->name, rail->device.group_reason);
	}
	return 0;
}

/* May the domain have this device? Waits for a rail that is being switched. Locked. */
static int claim_check(struct rails *r, const struct verbs_create_request *request, uint32_t n,
		       struct error *e)
{
	static const uint8_t nobody[16];
	struct rail *rail;
	char pointer[32];

	snprintf(pointer, sizeof(pointer), "/devices/%u", n);
	while ((rail = rail_find(r, request->devices[n])) && (rail->busy || rail->ended)) {
		rails_wake(r);
		pthread_cond_wait(&r->idle, &r->lock);
	}
	if (!rail)
		return error_set_at(e, ERROR_DEVICE_UNKNOWN, pointer, "The board has no device %s.",
				    request->devices[n]);
	if (rail->device.needed[0])
		return error_set_at(e, ERROR_DEVICE_NEEDED, pointer, "%s stays the appliance's: %s",
				    rail->device.name, rail->device.needed);
	if (!rail_switchable(rail))
		return error_set_at(e, ERROR_RAIL_UNSUPPORTED, pointer,
				    "%s cannot be given to a domain: %s", rail->device.name,
				    rail->device.note[0] ? rail->device.note
							 : "it is not there any more");
	if (rail->device.holder.name[0])
		return error_set_at(e, ERROR_DEVICE_IN_USE, pointer, "%s is on for the domain %s.",
				    rail->device.name, rail->device.holder.name);
	/* switched on for somebody else, it did not go off: what it does is not known */
	if (rail->device.power == VERBS_POWER_FAULT &&
	    memcmp(rail->blocked, nobody, sizeof(nobody)) != 0 &&
	    memcmp(rail->blocked, request->domain.uuid, sizeof(nobody)) != 0)
		return error_set_at(e, ERROR_RAIL_FAULT, pointer, "%s", rail->device.error);
	return group_check(r, rail, request, pointer, e);
}

/* Switches the claimed devices on, in order; -1 at the first that does not come on. */
static int claim_switch(struct rails *r, const struct verbs_create_request *request,
			struct error *e)
{
	for (uint32_t i = 0; i < request->device_count; i++) {
		struct rail *rail;
		int result;

		pthread_mutex_lock(&r->lock);
		rail = rail_find(r, request->devices[i]); /* held and busy: it is there */
		pthread_mutex_unlock(&r->lock);
		result = rail_switch(r, rail, true, VERBS_CAUSE_START, e);
		if (result < 0) {
			if (e)
				snprintf(e->pointer, sizeof(e->pointer), "/devices/%u", i);
			return -1;
		}
	}
	return 0;
}

static void claim_idle(struct rails *r, const struct verbs_create_request *request)
{
	pthread_mutex_lock(&r->lock);
	for (uint32_t i = 0; i < request->device_count; i++)
		rail_find(r, request->devices[i])->busy = false;
	pthread_cond_broadcast(&r->idle);
	pthread_mutex_unlock(&r->lock);
}

/* Checks everything, then takes everything: two domains never get half each. Locked; the waits of claim_check() let others
 * in, so it begins again until a whole pass found nothing to wait for. */
static int claim_take(struct rails *r, const struct verbs_create_request *request, struct error *e)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < r->count; i++) {
			if (holder_is(r->list[i], &request->domain) && !r->list[i]->ended)
				return error_set(e, ERROR_DOMAIN_EXISTS,
						 "The domain %s has devices already.",
						 request->domain.name);
		}
		for (uint32_t i = 0; i < request->device_count; i++) {
			const struct rail *rail = rail_find(r, request->devices[i]);

			again |= rail && (rail->busy || rail->ended);
			if (claim_check(r, request, i, e) < 0)
				return -1;
		}
	}
	for (uint32_t i = 0; i < request->device_count; i++) {
		struct rail *rail = rail_find(r, request->devices[i]);

		rail->device.holder = request->domain;
		rail->busy = true;
		rail->settled = rail->ended = false;
	}
	record_write(r);
	return 0;
}

int rails_claim(struct rails *r, const struct verbs_create_request *request, struct error *e)
{
	int result;

	if (!request->device_count)
		return 0;
	pthread_mutex_lock(&r->lock);
	result = claim_take(r, request, e);
	pthread_mutex_unlock(&r->lock);
	if (result < 0)
		return -1;
	result = claim_switch(r, request, e);
	claim_idle(r, request);
	if (result < 0)
		rails_release(r, &request->domain);
	return result;
}

void rails_settle(struct rails *r, const struct verbs_domain *d)
{
	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count; i++) {
		if (holder_is(r->list[i], d))
			r->list[i]->settled = true;
	}
	pthread_mutex_unlock(&r->lock);
	rails_wake(r); /* it may have ended already */
}

/* The holder lets go of a rail that is busy with us: off unless the policy keeps it, then free. Without lock. */
static void rail_let_go(struct rails *r, struct rail *rail)
{
	bool off = !rail->device.kept && rail_switchable(rail);
	uint8_t uuid[16];

	memcpy(uuid, rail->device.holder.uuid, sizeof(uuid));
	if (off)
		rail_switch(r, rail, false, VERBS_CAUSE_END, NULL);
	pthread_mutex_lock(&r->lock);
	memset(&rail->device.holder, 0, sizeof(rail->device.holder));
	if (rail->device.power == VERBS_POWER_FAULT)
		memcpy(rail->blocked, uuid, sizeof(uuid));
	rail->busy = rail->settled = rail->ended = false;
	rail_report(r, rail, VERBS_CHANGE_POWER, VERBS_CAUSE_END);
	record_write(r);
	pthread_cond_broadcast(&r->idle);
	pthread_mutex_unlock(&r->lock);
}

/* A rail of d's to let go of, made busy; NULL: none is left. Waits for one that somebody else is switching. */
static struct rail *held_take(struct rails *r, const struct verbs_domain *d)
{
	struct rail *found = NULL, *busy;

	pthread_mutex_lock(&r->lock);
	do {
		busy = NULL;
		/* the last that was switched on goes first */
		for (unsigned i = r->count; i > 0 && !found; i--) {
			if (!holder_is(r->list[i - 1], d))
				continue;
			if (r->list[i - 1]->busy)
				busy = r->list[i - 1];
			else
				found = r->list[i - 1];
		}
		if (!found && busy)
			pthread_cond_wait(&r->idle, &r->lock);
	} while (!found && busy);
	if (found)
		found->busy = true;
	pthread_mutex_unlock(&r->lock);
	return found;
}

void rails_release(struct rails *r, const struct verbs_domain *d)
{
	for (struct rail *rail; (rail = held_take(r, d));)
		rail_let_go(r, rail);
}

void rails_ended(struct rails *r, const struct verbs_domain *d)
{
	bool any = false;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->count; i++) {
		/* a claim that is not settled yet is its creator's to release */
		if (holder_is(r->list[i], d) && r->list[i]->settled)
			any = r->list[i]->ended = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (any)
		rails_wake(r);
}

/* Waits for a content of this kind with a node; one that is remembered from the last time does not count. */
static int content_wait(struct rails *r, const char *id, enum verbs_content_kind kind,
			char node[32], const char *pointer, struct error *e)
{
	static const struct timespec nap = {.tv_nsec = CONTENT_NAP_NS};
	int64_t until = rails_now_ms() + CONTENT_WAIT_MS;
	struct verbs_device d;

	do {
		if (rail_see(r, id, &d, e) < 0)
			return -1;
		for (unsigned i = 0; i < d.content_count && i < VERBS_CONTENT_MAX; i++) {
			if (d.power == VERBS_POWER_ON && d.contents[i].kind == kind &&
			    d.contents[i].node[0]) {
				memcpy(node, d.contents[i].node, sizeof(d.contents[i].node));
				return 0;
			}
		}
		nanosleep(&nap, NULL);
	} while (rails_now_ms() < until);
	return error_set_at(e, ERROR_REFERENCE, pointer, "There is no %s in %s.",
			    kind == VERBS_CONTENT_DISK ? "disk" : "network interface", d.name);
}

int rails_disk(struct rails *r, const char *id, bool readonly, const char *pointer, struct error *e)
{
	char node[32];
	int fd;

	if (content_wait(r, id, VERBS_CONTENT_DISK, node, pointer, e) < 0)
		return -1;
	pthread_mutex_lock(&r->gates);
	fd = r->hardware->disk_open(r->hardware, node, readonly, e);
	pthread_mutex_unlock(&r->gates);
	if (fd < 0 && e)
		snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	return fd;
}

int rails_uplink(struct rails *r, const char *id, char bridge[VERBS_BRIDGE_MAX + 1],
		 const char *pointer, struct error *e)
{
	char node[32];
	int result;

	if (content_wait(r, id, VERBS_CONTENT_NIC, node, pointer, e) < 0)
		return -1;
	pthread_mutex_lock(&r->gates);
	result = r->hardware->uplink_make(r->hardware, node, bridge, e);
	pthread_mutex_unlock(&r->gates);
	if (result < 0 && e)
		snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	return result;
}
