/* The rule of docs/power.md, asked of the database again and again. */
#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/power_internal.h"

struct due {
	char id[VERBS_DEVICE_MAX + 1];
	bool on;
};

struct dues {
	unsigned count;
	struct due list[POWER_ASKED_MAX];
};

static void due_add(void *context, const char *id, bool on)
{
	struct dues *d = context;

	if (d->count == POWER_ASKED_MAX)
		return; /* the next check has it */
	snprintf(d->list[d->count].id, sizeof(d->list[0].id), "%s", id);
	d->list[d->count++].on = on;
}

/* ---- rails that break the rule ---- */

static void suspect_seen(struct power *p, const char *id)
{
	struct suspect *place = NULL;

	for (unsigned i = 0; i < POWER_SUSPECTS; i++) {
		struct suspect *s = &p->suspects[i];

		if (strcmp(s->id, id) == 0) {
			s->seen = true;
			return;
		}
		if (!place && !s->id[0])
			place = s;
	}
	if (!place)
		return;
	*place = (struct suspect){.since_ms = clock_monotonic_ms(), .seen = true};
	snprintf(place->id, sizeof(place->id), "%s", id);
}

/* Those that have been at it for too long and are not reported yet. */
static void suspects_due(struct power *p, struct dues *late)
{
	int64_t now = clock_monotonic_ms();

	for (unsigned i = 0; i < POWER_SUSPECTS; i++) {
		struct suspect *s = &p->suspects[i];

		if (!s->seen) {
			s->id[0] = '\0';
			continue;
		}
		if (s->told || now - s->since_ms < POWER_GRACE_MS)
			continue;
		s->told = true;
		due_add(late, s->id, false);
	}
}

static int look(struct power *p, struct dues *late, struct dues *untold)
{
	STORE_TX struct store_tx *tx = NULL;
	struct dues found = {0};

	if (store_begin_read(p->store, &tx, NULL) < 0 ||
	    store_device_untold(tx, due_add, untold, NULL) < 0 ||
	    store_device_violations(tx, due_add, &found, NULL) < 0)
		return -1;
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < POWER_SUSPECTS; i++)
		p->suspects[i].seen = false;
	for (unsigned i = 0; i < found.count; i++)
		suspect_seen(p, found.list[i].id);
	suspects_due(p, late);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

void power_check(struct power *p)
{
	struct dues late = {0}, untold = {0};
	struct error e;

	if (!power_live(p) || look(p, &late, &untold) < 0)
		return;
	for (unsigned i = 0; i < untold.count; i++)
		power_ask(p, untold.list[i].id, untold.list[i].on, &actor_system, NULL, NULL);
	for (unsigned i = 0; i < late.count; i++) {
		atomic_fetch_add(&p->violations, 1);
		fprintf(stderr, "domusd: %s is on without an owner\n", late.list[i].id);
		if (power_violation(p, late.list[i].id, &e) < 0)
			fprintf(stderr, "domusd: %s\n", e.detail);
		/* refused while a domain holds it: then keeper switches it off when it has seen that domain's end */
		power_ask(p, late.list[i].id, false, &actor_system, NULL, NULL);
	}
}

static void count_one(void *context, const char *id, bool held)
{
	(void)id, (void)held;
	++*(unsigned *)context;
}

bool power_clean(struct power *p)
{
	STORE_TX struct store_tx *tx = NULL;
	unsigned count = 0;

	return store_begin_read(p->store, &tx, NULL) == 0 &&
	       store_device_violations(tx, count_one, &count, NULL) == 0 && count == 0;
}
