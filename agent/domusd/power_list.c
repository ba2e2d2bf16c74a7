/* keeper's list of the board's devices, a page at a time: each as it is now, and those that are gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/power_internal.h"

static void list_end(struct power *p, bool whole)
{
	pthread_mutex_lock(&p->lock);
	free(p->ids);
	p->ids = NULL;
	p->listing = false;
	p->listed_ms = clock_monotonic_ms();
	if (p->again || !whole)
		p->listed_ms -= POWER_LIST_MS; /* the ticker's next look asks again */
	pthread_mutex_unlock(&p->lock);
}

struct absent {
	struct power *p;
	unsigned count;
	char ids[64][VERBS_DEVICE_MAX + 1]; /* those that are more go with the next list */
};

static bool absent_one(void *context, const struct device_row *row)
{
	struct absent *a = context;
	bool listed = !row->present;

	for (unsigned i = 0; i < a->p->count && !listed; i++)
		listed = strcmp(a->p->ids[i], row->id) == 0;
	if (!listed)
		memcpy(a->ids[a->count++], row->id, sizeof(row->id));
	return a->count < 64;
}

static void absent_all(struct power *p)
{
	struct absent a = {.p = p};
	struct error e;

	{
		STORE_TX struct store_tx *tx = NULL;

		if (store_begin_read(p->store, &tx, &e) < 0 ||
		    store_device_list(tx, "", POWER_DEVICES_MAX, absent_one, &a, &e) < 0)
			return;
	}
	for (unsigned i = 0; i < a.count; i++)
		if (power_gone(p, a.ids[i], &e) < 0)
			fprintf(stderr, "domusd: %s: %s\n", a.ids[i], e.detail);
}

static bool board_known(struct power *p)
{
	STORE_TX struct store_tx *tx = NULL;

	return store_begin_read(p->store, &tx, NULL) == 0 && store_device_count(tx, NULL) > 0;
}

/* false: it is too much, or cannot be written. */
static bool list_take(struct power *p, const struct verbs_device *d, bool known)
{
	struct telling telling = {.device = d,
				  .cause = d->cause,
				  .actor = &actor_system,
				  .domain = d->holder.name,
				  .came = known};
	struct error e;

	if (p->count == POWER_DEVICES_MAX)
		return false;
	memcpy(p->ids[p->count++], d->id, sizeof(d->id));
	if (power_tell(p, &telling, &e) == 0)
		return true;
	fprintf(stderr, "domusd: %s: %s\n", d->id, e.detail);
	return false;
}

static void list_next(struct power *p, const char *after);

static void list_complete(struct power *p)
{
	absent_all(p);
	list_end(p, true);
	pthread_mutex_lock(&p->lock);
	p->settled = p->settled || p->connected;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	power_check(p);
}

static void listed(void *context, const union verbs_message *answer, int fd, const struct error *e)
{
	struct power *p = context;
	const struct verbs_devices_response *page = answer ? &answer->devices_response : NULL;
	bool known, good = page != NULL;

	(void)fd;
	if (!page)
		fprintf(stderr, "domusd: cannot list the devices: %s\n", e->detail);
	/* p->ids and p->count are the list's own: only one is under way, on this thread */
	known = good && p->count == 0 ? board_known(p) : good;
	for (uint32_t i = 0; good && i < page->count; i++)
		good = list_take(p, &page->devices[i], known);
	if (!good)
		list_end(p, false);
	else if (page->more && page->count)
		list_next(p, page->devices[page->count - 1].id);
	else
		list_complete(p);
}

static void list_next(struct power *p, const char *after)
{
	struct verbs_devices_request request;
	struct error e;

	verbs_start(&request, sizeof(request), VERB_DEVICE_LIST, 0);
	snprintf(request.after, sizeof(request.after), "%s", after);
	if (keeper_client_ask(p->keeper, &request, POWER_ASK_MS, listed, p, &e) < 0) {
		fprintf(stderr, "domusd: cannot list the devices: %s\n", e.detail);
		list_end(p, false);
	}
}

void power_list(struct power *p)
{
	bool begin;

	pthread_mutex_lock(&p->lock);
	begin = p->connected && !p->listing;
	if (begin) {
		p->ids = calloc(POWER_DEVICES_MAX, sizeof(*p->ids));
		p->count = 0;
		p->again = false;
		begin = p->listing = p->ids != NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (begin)
		list_next(p, "");
}
