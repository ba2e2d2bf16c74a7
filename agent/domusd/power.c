#include "domusd/power.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domusd/clock.h"
#include "domusd/power_internal.h"

/* ---- what keeper tells ---- */

void power_event_domain(struct power *p, const struct verbs_device_event *event,
			char domain[VERBS_NAME_MAX + 1])
{
	STORE_TX struct store_tx *tx = NULL;
	struct device_row *row = malloc(sizeof(*row));

	memcpy(domain, event->device.holder.name, VERBS_NAME_MAX + 1);
	if (row && !*domain && event->cause == VERBS_CAUSE_END &&
	    store_begin_read(p->store, &tx, NULL) == 0 &&
	    store_device_find(tx, event->device.id, row, NULL) == 1)
		memcpy(domain, row->holder, VERBS_NAME_MAX + 1);
	free(row);
}

/* Who asked for a RAIL_SET of this device that is under way. */
static bool asker(struct power *p, const char *id, struct actor *actor)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < POWER_ASKED_MAX && !found; i++) {
		found = p->asked[i].waiting && strcmp(p->asked[i].id, id) == 0;
		if (found)
			*actor = p->asked[i].actor;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool power_event(struct power *p, const struct verbs_device_event *event, const struct actor *actor,
		 const char *operation)
{
	char domain[VERBS_NAME_MAX + 1];
	struct actor who = *actor;
	bool back = false;
	struct telling telling = {.device = &event->device,
				  .cause = event->cause,
				  .actor = &who,
				  .operation = operation,
				  .domain = domain,
				  .came = event->change == VERBS_CHANGE_CAME,
				  .back = &back};
	struct error e;
	int result;

	pthread_mutex_lock(&p->lock);
	p->again = p->listing; /* the list may be older than this */
	pthread_mutex_unlock(&p->lock);
	power_event_domain(p, event, domain);
	if (event->cause == VERBS_CAUSE_REQUEST)
		asker(p, event->device.id, &who);
	result = event->change == VERBS_CHANGE_WENT ? power_gone(p, event->device.id, &e)
						    : power_tell(p, &telling, &e);
	/* the next list tells it again */
	if (result < 0 && e.code != ERROR_DEVICE_UNKNOWN)
		fprintf(stderr, "domusd: %s: %s\n", event->device.id, e.detail);
	return result == 0 && back;
}

/* ---- RAIL_SET ---- */

struct asking {
	struct power *p;
	char id[VERBS_DEVICE_MAX + 1];
	void (*done)(void *context);
	void *context;
};

static void answered(void *context, const union verbs_message *answer, int fd,
		     const struct error *e)
{
	struct asking *a = context;
	struct power *p = a->p;
	struct telling telling = {.cause = VERBS_CAUSE_REQUEST, .domain = ""};
	struct actor actor = actor_system;
	struct error why;

	(void)fd;
	asker(p, a->id, &actor);
	telling.actor = &actor;
	if (answer) {
		telling.device = &answer->device_response.device;
		telling.domain = telling.device->holder.name;
		if (power_tell(p, &telling, &why) < 0)
			fprintf(stderr, "domusd: %s: %s\n", a->id, why.detail);
	} else {
		fprintf(stderr, "domusd: %s: %s\n", a->id, e->detail);
	}
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < POWER_ASKED_MAX; i++) {
		if (strcmp(p->asked[i].id, a->id) != 0)
			continue;
		p->asked[i].waiting = false;
		p->asked[i].retry_ms = answer ? 0 : clock_monotonic_ms() + POWER_RETRY_MS;
	}
	pthread_mutex_unlock(&p->lock);
	if (a->done)
		a->done(a->context);
	free(a);
}

/* A place for it, unless one is under way or was refused a moment ago; patient: not in the latter case. */
static bool asked_take(struct power *p, const char *id, const struct actor *actor, bool patient)
{
	struct asked *place = NULL;
	bool free_now = false;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < POWER_ASKED_MAX; i++) {
		struct asked *one = &p->asked[i];

		if (strcmp(one->id, id) == 0) {
			free_now = !one->waiting &&
				   (!patient || clock_monotonic_ms() >= one->retry_ms);
			place = one;
			break;
		}
		if (!one->waiting && (!place || one->retry_ms < place->retry_ms)) {
			place = one;
			free_now = true;
		}
	}
	free_now = free_now && p->connected;
	if (free_now) {
		snprintf(place->id, sizeof(place->id), "%s", id);
		place->actor = *actor;
		place->waiting = true;
	}
	pthread_mutex_unlock(&p->lock);
	return free_now;
}

bool power_ask(struct power *p, const char *id, bool on, const struct actor *actor,
	       void (*done)(void *context), void *context)
{
	struct verbs_rail_request request;
	struct asking *a = malloc(sizeof(*a));

	if (!a || !asked_take(p, id, actor, !done)) {
		free(a);
		return false;
	}
	*a = (struct asking){.p = p, .done = done, .context = context};
	snprintf(a->id, sizeof(a->id), "%s", id);
	verbs_start(&request, sizeof(request), VERB_RAIL_SET, 0);
	snprintf(request.id, sizeof(request.id), "%s", id);
	request.on = on;
	if (keeper_client_ask(p->keeper, &request, POWER_ASK_MS, answered, a, NULL) == 0)
		return true;
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < POWER_ASKED_MAX; i++)
		if (strcmp(p->asked[i].id, id) == 0)
			p->asked[i].waiting = false;
	pthread_mutex_unlock(&p->lock);
	free(a);
	return false;
}

void power_policy_apply(struct power *p, const char *id, const struct actor *actor,
			void (*done)(void *context), void *context)
{
	struct device_row *row = malloc(sizeof(*row));
	bool ask = false, on = false;

	if (row) {
		STORE_TX struct store_tx *tx = NULL;

		ask = store_begin_read(p->store, &tx, NULL) == 0 &&
		      store_device_find(tx, id, row, NULL) == 1 && device_switchable(row) &&
		      !*row->needed && (row->always_on || !*row->holder);
		on = ask && row->always_on;
	}
	free(row);
	if (!ask || !power_ask(p, id, on, actor, done, context))
		done(context);
}

/* ---- connection ---- */

void power_connected(struct power *p, struct keeper_client *keeper)
{
	pthread_mutex_lock(&p->lock);
	p->keeper = keeper;
	p->connected = true;
	p->settled = p->clean = false;
	memset(p->asked, 0, sizeof(p->asked));
	pthread_mutex_unlock(&p->lock);
	power_list(p);
}

void power_disconnected(struct power *p)
{
	pthread_mutex_lock(&p->lock);
	p->connected = p->settled = p->clean = false;
	pthread_mutex_unlock(&p->lock);
}

void power_tick(void *context)
{
	struct power *p = context;
	bool due;

	pthread_mutex_lock(&p->lock);
	due = p->connected && !p->listing && clock_monotonic_ms() - p->listed_ms >= POWER_LIST_MS;
	pthread_mutex_unlock(&p->lock);
	if (due)
		power_list(p);
	else
		power_check(p);
}

bool power_live(struct power *p)
{
	bool live;

	if (!p)
		return false;
	pthread_mutex_lock(&p->lock);
	live = p->connected && p->settled;
	pthread_mutex_unlock(&p->lock);
	return live;
}

void power_wait(struct power *p, int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	pthread_mutex_lock(&p->lock);
	while (!p->settled && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0)
		;
	pthread_mutex_unlock(&p->lock);
}

bool power_settled(struct power *p)
{
	bool clean, live = power_live(p);

	if (!live)
		return false;
	pthread_mutex_lock(&p->lock);
	clean = p->clean;
	pthread_mutex_unlock(&p->lock);
	if (clean || !power_clean(p))
		return clean;
	pthread_mutex_lock(&p->lock);
	p->clean = p->settled;
	clean = p->clean;
	pthread_mutex_unlock(&p->lock);
	return clean;
}

uint64_t power_violations(struct power *p)
{
	return atomic_load(&p->violations);
}

int power_open(struct store *store, struct journal *journal, struct power **out, struct error *e)
{
	struct power *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	p->store = store;
	p->journal = journal;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	return 0;
}

void power_close(struct power *p)
{
	if (!p)
		return;
	free(p->ids);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
