#include "core/watchdog.h"
#include "core/page.h"
#include "core/time.h"
#include "core/unit.h"
#include "lib/errno.h"
#include "lib/print.h"

struct watchdog {
	struct lock lock;
	bool used[WATCHDOGS];
	struct timer timer[WATCHDOGS];
};

static void fire(void *arg)
{
	struct domain *d = arg;

	log_warning("the watchdog of domain %u was not served in time", d->id);
	domain_shutdown(d, SHUT_WATCHDOG);
}

static void start(struct domain *d, unsigned i, uint32_t seconds)
{
	d->watchdogs->used[i] = true;
	timer_set(&d->watchdogs->timer[i], cpu_counter() + seconds * time_frequency);
}

int watchdog_set(struct domain *d, uint32_t id, uint32_t seconds)
{
	struct watchdog *w = d->watchdogs;
	unsigned i = 0;

	if (id > WATCHDOGS)
		return -EINVAL;
	LOCK_SCOPE(&w->lock);
	if (id == 0) {
		while (i < WATCHDOGS && w->used[i])
			i++;
		if (i == WATCHDOGS)
			return -ENOSPC;
		start(d, i, seconds);
		return (int)i + 1;
	}
	if (!w->used[id - 1])
		return -EINVAL;
	if (seconds != 0) {
		start(d, id - 1, seconds);
	} else {
		timer_cancel(&w->timer[id - 1]);
		w->used[id - 1] = false;
	}
	return 0;
}

static int watchdog_domain_create(struct domain *d)
{
	d->watchdogs = heap_pages(0);
	if (d->watchdogs == NULL)
		return -ENOMEM;
	lock_init(&d->watchdogs->lock, LOCK_WATCHDOG);
	for (unsigned i = 0; i < WATCHDOGS; i++)
		d->watchdogs->timer[i] = (struct timer){.fire = fire, .arg = d};
	return 0;
}

/* Its vCPUs are off for good: nobody sets them again. */
static int watchdog_domain_relinquish(struct domain *d)
{
	for (unsigned i = 0; d->watchdogs != NULL && i < WATCHDOGS; i++)
		timer_cancel(&d->watchdogs->timer[i]);
	return 0;
}

static void watchdog_domain_destroy(struct domain *d)
{
	if (d->watchdogs != NULL)
		heap_free(d->watchdogs, 0);
	d->watchdogs = NULL;
}

UNIT(watchdog_unit) = {
	.name = "watchdog",
	.domain_create = watchdog_domain_create,
	.domain_relinquish = watchdog_domain_relinquish,
	.domain_destroy = watchdog_domain_destroy,
};
