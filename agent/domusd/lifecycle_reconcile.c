#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/keeper_board.h"
#include "domusd/lifecycle_internal.h"

#define LATE_MAX 4096 /* events during one listing */

static void list_clear(struct lifecycle *lc)
{
	free(lc->list);
	free(lc->late);
	lc->list = NULL;
	lc->late = NULL;
	lc->list_count = lc->late_count = 0;
	lc->listing = false;
}

void reconcile_abandon(struct lifecycle *lc)
{
	lc->settled = false;
	list_clear(lc);
}

bool reconcile_keep(struct lifecycle *lc, const struct verbs_event *event)
{
	struct verbs_event *more;

	if (!lc->listing)
		return false;
	more = lc->late_count < LATE_MAX ? realloc(lc->late, (lc->late_count + 1) * sizeof(*more))
					 : NULL;
	if (!more) {
		lc->again = true; /* then the next list will tell */
		return true;
	}
	lc->late = more;
	lc->late[lc->late_count++] = *event;
	return true;
}

static bool same(const struct verbs_domain *a, const struct verbs_domain *b)
{
	return strcmp(a->name, b->name) == 0 && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* ---- one domain ---- */

static void apply(struct lifecycle *lc, struct life *life, const struct verbs_list_entry *entry)
{
	enum finding finding = lifecycle_finding(life->status.state, entry ? entry->state : 0);
	int64_t domid = entry ? (int64_t)entry->domid : -1;
	struct verbs_event event = {0};

	life->unsure = false;
	switch (finding) {
	case FINDING_RIGHT:
		if (life->status.domid != domid)
			life_move(lc, life, life->status.state, domid, life->status.reason,
				  OPERATION_RUNNING, NULL);
		break;
	case FINDING_RUNS:
		life_move(lc, life, DOMAIN_RUNNING, domid, NULL, OPERATION_RUNNING, NULL);
		break;
	case FINDING_PAUSED:
		life_move(lc, life, DOMAIN_PAUSED, domid, NULL, OPERATION_RUNNING, NULL);
		break;
	case FINDING_GONE:
		life_move(lc, life, DOMAIN_STOPPED, -1,
			  life->status.state == DOMAIN_STARTING ? "the start was interrupted"
								: "stopped",
			  OPERATION_RUNNING, NULL);
		break;
	case FINDING_LOST:
		life_move(lc, life, DOMAIN_STOPPED, -1,
			  "lost: it ran, and does not any more (the board restarted, or it was "
			  "destroyed from outside)",
			  OPERATION_RUNNING, NULL);
		break;
	case FINDING_ENDED:
		if (!entry)
			break; /* lifecycle_finding() finds this of what keeper listed only */
		event.domain = entry->domain;
		event.domid = entry->domid;
		event.state = entry->state;
		event.reason = entry->reason;
		life->status.domid = entry->domid;
		life_event(lc, life, &event);
		break;
	case FINDING_HALF:
		step_clear(lc, life, ENDING_STOPPED, "the start was interrupted");
		break;
	case FINDING_WAIT:
		life->unsure = true;
		lc->again = true;
		break;
	}
	if (life->status.state == DOMAIN_RUNNING || life->status.state == DOMAIN_PAUSED)
		life_console(lc, life);
}

/* One that was asked to shut down and is waited for: keeper may have missed its end. */
static void apply_waiting(struct lifecycle *lc, struct life *life,
			  const struct verbs_list_entry *entry)
{
	struct verbs_event event = {.state = entry ? entry->state : VERBS_GONE,
				    .reason = entry ? entry->reason : VERBS_REASON_NONE,
				    .domid = (uint32_t)life->status.domid,
				    .domain = life->id};

	if (event.state != VERBS_RUNNING && event.state != VERBS_BUILDING)
		life_event(lc, life, &event);
}

/* ---- domains that are not ours ---- */

static void report_event(struct lifecycle *lc, const struct verbs_list_entry *entry)
{
	STORE_TX struct store_tx *tx = NULL;
	json_t *data =
		json_pack("{s:s, s:I, s:I}", "name", entry->domain.name, "domid",
			  (json_int_t)entry->domid, "memory_mib", (json_int_t)entry->memory_mib);
	struct event event = {
		.type = "domain.unknown", .actor = &actor_system, .data = data, .no_audit = true};
	struct error e;

	if (store_begin(lc->services.store, &tx, &e) < 0 ||
	    journal_append(lc->services.journal, tx, &event, &e) < 0 || store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: %s\n", e.detail);
	json_decref(data);
}

/* A warning for as long as it runs, and one event and log line. */
static void report(struct lifecycle *lc, const struct verbs_list_entry *entry)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "The hypervisor runs a domain that is not defined here: %s (number %u, %llu MiB).",
		 *entry->domain.name ? entry->domain.name : "without a name", entry->domid,
		 (unsigned long long)entry->memory_mib);
	json_array_append_new(lc->warnings, json_string(text));
	for (unsigned i = 0; i < lc->reported_count; i++)
		if (lc->reported[i] == entry->domid)
			return;
	if (lc->reported_count == LIFECYCLE_REPORTED_MAX)
		lc->reported_count = 0;
	lc->reported[lc->reported_count++] = entry->domid;
	fprintf(stderr, "domusd: %s\n", text);
	report_event(lc, entry);
}

/* ---- the whole list ---- */

static void complete(struct lifecycle *lc)
{
	struct verbs_list_entry *list = lc->list;
	struct verbs_event *late = lc->late;
	size_t count = lc->list_count, late_count = lc->late_count;

	json_array_clear(lc->warnings);
	lc->list = NULL; /* ours now: what follows may begin a new list */
	lc->late = NULL;
	list_clear(lc);
	for (struct life *life = lc->lives; life; life = life->next) {
		const struct verbs_list_entry *entry = NULL;

		for (size_t i = 0; i < count && !entry; i++)
			if (list[i].ours && same(&list[i].domain, &life->id))
				entry = &list[i];
		if (life->turn > lc->list_turn) /* acted on since: this list says nothing */
			lc->again = lc->again || life->unsure;
		else if (life->step == STEP_WAIT)
			apply_waiting(lc, life, entry);
		else if (life->step == STEP_NONE || life->unsure)
			apply(lc, life, entry);
	}
	for (size_t i = 0; i < count; i++) {
		const struct life *life = life_find(lc, list[i].domain.name);

		if (list[i].domid == 0)
			lc->dom0_mib = list[i].memory_mib;
		else if (!list[i].ours || !life || !same(&list[i].domain, &life->id))
			report(lc, &list[i]);
	}
	for (size_t i = 0; i < late_count; i++) {
		struct life *life = life_find(lc, late[i].domain.name);

		if (life && same(&late[i].domain, &life->id))
			life_event(lc, life, &late[i]);
	}
	free(list);
	free(late);
	lc->settled = true;
	pthread_cond_broadcast(&lc->changed);
}

static void list_next(struct lifecycle *lc, uint32_t first);

static void listed(void *context, const union verbs_message *answer, int fd, const struct error *e)
{
	struct lifecycle *lc = context;
	const struct verbs_list_response *page;
	struct verbs_list_entry *more;

	(void)fd;
	pthread_mutex_lock(&lc->lock);
	if (!answer || !lc->listing) {
		if (!answer && lc->listing)
			fprintf(stderr, "domusd: cannot list the domains: %s\n", e->detail);
		lc->again = !lc->closing && keeper_client_connected(lc->keeper);
		list_clear(lc);
		pthread_mutex_unlock(&lc->lock);
		return;
	}
	page = &answer->list_response;
	more = realloc(lc->list, (lc->list_count + page->count + 1) * sizeof(*more));
	if (more) {
		memcpy(more + lc->list_count, page->entries, page->count * sizeof(*more));
		lc->list = more;
		lc->list_count += page->count;
	}
	if (!more) {
		lc->again = true;
		list_clear(lc);
	} else if (page->next) {
		list_next(lc, page->next);
	} else {
		complete(lc);
	}
	pthread_mutex_unlock(&lc->lock);
}

static void list_next(struct lifecycle *lc, uint32_t first)
{
	struct verbs_list_request request;

	verbs_start(&request, sizeof(request), VERB_DOMAIN_LIST, 0);
	request.first = first;
	if (keeper_client_ask(lc->keeper, &request, LIFECYCLE_ASK_MS, listed, lc, NULL) < 0) {
		lc->again = true;
		list_clear(lc);
	}
}

static void board(void *context, const struct verbs_board_response *b, const struct error *e)
{
	struct lifecycle *lc = context;

	(void)e;
	if (!b)
		return;
	pthread_mutex_lock(&lc->lock);
	lc->total_mib = b->total_mib;
	lc->cpus = b->cpu_count;
	pthread_mutex_unlock(&lc->lock);
}

/* The board's answer may come at once, when keeper cannot be asked; it takes no lock then. */
void reconcile_begin(struct lifecycle *lc)
{
	lc->again = lc->listing;
	if (lc->listing || !keeper_client_connected(lc->keeper))
		return;
	lc->listing = true;
	lc->list_turn = lc->turn;
	if (lc->total_mib == 0)
		keeper_client_board(lc->keeper, board, lc);
	list_next(lc, 0);
}
