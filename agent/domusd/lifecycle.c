#include "domusd/lifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domusd/clock.h"
#include "domusd/lifecycle_internal.h"

struct life *life_find(struct lifecycle *lc, const char *name)
{
	struct life *life = lc->lives;

	while (life && strcmp(life->id.name, name) != 0)
		life = life->next;
	return life;
}

static void life_remove(struct lifecycle *lc, struct life *life)
{
	struct life **link = &lc->lives;

	while (*link != life)
		link = &(*link)->next;
	*link = life->next;
	free(life);
}

struct life *life_get(struct lifecycle *lc, const struct domain_row *row)
{
	struct life *life = life_find(lc, row->id.name);

	if (life && memcmp(life->id.uuid, row->id.uuid, sizeof(row->id.uuid)) != 0) {
		life_remove(lc, life); /* one of the same name that was deleted */
		life = NULL;
	}
	if (life)
		return life;
	life = calloc(1, sizeof(*life));
	if (!life)
		return NULL;
	life->id = row->id;
	life->status = row->status;
	life->next = lc->lives;
	lc->lives = life;
	return life;
}

/* ---- what others ask ---- */

bool lifecycle_settled(struct lifecycle *lc)
{
	bool settled = false;

	if (!lc)
		return false;
	pthread_mutex_lock(&lc->lock);
	settled = lc->settled;
	pthread_mutex_unlock(&lc->lock);
	return settled;
}

void lifecycle_wait(struct lifecycle *lc, int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	pthread_mutex_lock(&lc->lock);
	while (!lc->settled && pthread_cond_timedwait(&lc->changed, &lc->lock, &until) == 0)
		;
	pthread_mutex_unlock(&lc->lock);
}

int lifecycle_may_delete(const struct domain_row *row, struct error *e)
{
	if (row->status.state == DOMAIN_STOPPED || row->status.state == DOMAIN_CRASHED)
		return 0;
	return error_set(e, ERROR_DOMAIN_RUNNING, "The domain is %s; stop it first.",
			 domain_state_name(row->status.state));
}

void lifecycle_forget(struct lifecycle *lc, const char *name)
{
	struct life *life;

	pthread_mutex_lock(&lc->lock);
	life = life_find(lc, name);
	if (life)
		life_remove(lc, life);
	console_hub_remove(lc->hub, name);
	pthread_mutex_unlock(&lc->lock);
}

bool lifecycle_board(struct lifecycle *lc, uint64_t *total_mib, uint64_t *dom0_mib, unsigned *cpus)
{
	bool known;

	pthread_mutex_lock(&lc->lock);
	*total_mib = lc->total_mib;
	*dom0_mib = lc->dom0_mib;
	*cpus = lc->cpus;
	known = lc->total_mib > 0;
	pthread_mutex_unlock(&lc->lock);
	return known;
}

json_t *lifecycle_warnings(struct lifecycle *lc)
{
	json_t *copy;

	pthread_mutex_lock(&lc->lock);
	copy = json_copy(lc->warnings);
	pthread_mutex_unlock(&lc->lock);
	return copy;
}

/* ---- callbacks and time ---- */

static void on_connected(void *user)
{
	struct lifecycle *lc = user;

	pthread_mutex_lock(&lc->lock);
	reconcile_begin(lc);
	pthread_mutex_unlock(&lc->lock);
	power_connected(lc->services.power, lc->keeper);
}

static void on_disconnected(void *user)
{
	struct lifecycle *lc = user;

	pthread_mutex_lock(&lc->lock);
	reconcile_abandon(lc);
	pthread_mutex_unlock(&lc->lock);
	power_disconnected(lc->services.power);
}

/* What was pulled is plugged in again. The domain still has what was there before, so it is made anew if it wants what is there now. */
static void device_back(struct lifecycle *lc, const struct verbs_device_event *event)
{
	struct life *life;

	pthread_mutex_lock(&lc->lock);
	life = life_find(lc, event->device.holder.name);
	if (life && memcmp(life->id.uuid, event->device.holder.uuid, sizeof(life->id.uuid)) == 0)
		life_device_back(lc, life, event->device.name);
	pthread_mutex_unlock(&lc->lock);
}

/* Of a rail: whoever made its domain start or end is the one who switched it, and his operation says what went wrong. */
static void on_device(void *user, const struct verbs_device_event *event)
{
	struct lifecycle *lc = user;
	char domain[VERBS_NAME_MAX + 1], operation[ID_SIZE] = "", text[200];
	struct actor actor = actor_system;
	struct life *life;

	power_event_domain(lc->services.power, event, domain);
	pthread_mutex_lock(&lc->lock);
	life = life_find(lc, domain);
	if (life && life->action != ACTION_NONE) {
		actor = life->actor;
		memcpy(operation, life->operation, sizeof(operation));
	}
	pthread_mutex_unlock(&lc->lock);
	if (*operation && event->cause == VERBS_CAUSE_END &&
	    event->device.power == VERBS_POWER_FAULT) {
		snprintf(text, sizeof(text), "%s: %s", event->device.id, event->device.error);
		operation_warn(lc->services.operations, operation, text);
	}
	if (power_event(lc->services.power, event, &actor, *operation ? operation : NULL))
		device_back(lc, event);
}

static void on_event(void *user, const struct verbs_event *event)
{
	struct lifecycle *lc = user;
	struct life *life;

	pthread_mutex_lock(&lc->lock);
	if (!reconcile_keep(lc, event)) {
		life = life_find(lc, event->domain.name);
		if (life && memcmp(life->id.uuid, event->domain.uuid, 16) == 0)
			life_event(lc, life, event);
	}
	pthread_mutex_unlock(&lc->lock);
}

static void on_lost(void *user, const char *domain)
{
	struct lifecycle *lc = user;
	struct life *life;

	pthread_mutex_lock(&lc->lock);
	life = life_find(lc, domain);
	if (life)
		life->attached = false; /* the ticker asks for it again, if the domain lives */
	pthread_mutex_unlock(&lc->lock);
}

static bool alive(const struct life *life)
{
	return life->status.state == DOMAIN_RUNNING || life->status.state == DOMAIN_PAUSED;
}

void lifecycle_tick(void *context)
{
	struct lifecycle *lc = context;
	int64_t now = clock_monotonic_ms();

	pthread_mutex_lock(&lc->lock);
	for (struct life *life = lc->lives; life; life = life->next) {
		if (life->unwritten)
			life_write_again(lc, life);
		if (life->step == STEP_WAIT && now >= life->deadline_ms)
			step_timeout(lc, life);
		if (alive(life) && !life->attached)
			life_console(lc, life);
	}
	if (lc->again && !lc->listing)
		reconcile_begin(lc);
	pthread_mutex_unlock(&lc->lock);
}

/* ---- open and close ---- */

static void load_one(void *context, const struct domain_row *row)
{
	struct lifecycle *lc = context;

	if (life_get(lc, row))
		console_hub_state(lc->hub, row->id.name, domain_state_name(row->status.state));
}

static int load(struct lifecycle *lc, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (store_begin_read(lc->services.store, &tx, e) < 0)
		return -1;
	return store_domain_list(tx, "", INT32_MAX, load_one, lc, e) < 0 ? -1 : 0;
}

int lifecycle_open(const struct lifecycle_services *services, struct lifecycle **out,
		   struct console_hub **hub, struct keeper_client **keeper, struct error *e)
{
	struct lifecycle *lc = calloc(1, sizeof(*lc));
	struct console_hub_owner hub_owner = {on_lost, lc};
	struct keeper_client_owner keeper_owner = {on_connected, on_disconnected, on_event,
						   on_device, lc};
	int result;

	*out = lc;
	if (!lc)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	lc->services = *services;
	lc->warnings = json_array();
	pthread_mutex_init(&lc->lock, NULL);
	pthread_cond_init(&lc->changed, NULL);
	lc->hub = console_hub_new(services->console_dir, &hub_owner, e);
	result = lc->hub ? load(lc, e) : -1;
	pthread_mutex_lock(&lc->lock); /* callbacks wait until lc->keeper is set */
	if (result == 0)
		result = keeper_client_open(services->keeper_socket, &keeper_owner, &lc->keeper, e);
	pthread_mutex_unlock(&lc->lock);
	*hub = lc->hub;
	*keeper = lc->keeper;
	if (result == 0)
		return 0;
	lifecycle_close(lc);
	*out = NULL;
	*hub = NULL;
	*keeper = NULL;
	return -1;
}

void lifecycle_close(struct lifecycle *lc)
{
	if (!lc)
		return;
	pthread_mutex_lock(&lc->lock);
	lc->closing = true;
	pthread_mutex_unlock(&lc->lock);
	keeper_client_close(lc->keeper);
	console_hub_free(lc->hub);
	reconcile_abandon(lc);
	while (lc->lives)
		life_remove(lc, lc->lives);
	json_decref(lc->warnings);
	pthread_cond_destroy(&lc->changed);
	pthread_mutex_destroy(&lc->lock);
	free(lc);
}
