#include "domusd/journal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "domusd/clock.h"
#include "domusd/store_journal.h"

#define EVENTS_KEPT 10000
#define AUDIT_KEPT  100000
#define READ_AT_ONCE                                                                               \
	64 /* events a read transaction fetches: the reader's mutex is not held for long */

struct journal {
	struct store *store;
	pthread_mutex_t
		mutex; /* listeners; run() is called with it held, so it must not call back */
	struct journal_listener *listeners;
	atomic_llong newest, oldest;
};

int journal_open(struct store *store, struct journal **out, struct error *e)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	STORE_TX struct store_tx *tx = NULL;
	int64_t oldest, newest;

	if (!journal)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	journal->store = store;
	pthread_mutex_init(&journal->mutex, NULL);
	if (store_begin_read(store, &tx, e) < 0 ||
	    store_event_bounds(tx, &oldest, &newest, e) < 0) {
		free(journal);
		return -1;
	}
	atomic_store(&journal->newest, newest);
	atomic_store(&journal->oldest, oldest);
	*out = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	pthread_mutex_destroy(&journal->mutex);
	free(journal);
}

struct appended {
	struct journal *journal;
	int64_t seq;
};

static void after(void *context, bool committed)
{
	struct appended *appended = context;
	struct journal *journal = appended->journal;
	long long seq = appended->seq;
	long long newest = atomic_load(&journal->newest);
	long long none = 0;

	free(appended);
	if (!committed)
		return;
	/* Two transactions may end here out of order: newest only grows. */
	while (newest < seq && !atomic_compare_exchange_weak(&journal->newest, &newest, seq))
		;
	atomic_compare_exchange_strong(&journal->oldest, &none, seq);
	pthread_mutex_lock(&journal->mutex);
	for (struct journal_listener *l = journal->listeners; l; l = l->next)
		l->run(l->context);
	pthread_mutex_unlock(&journal->mutex);
}

int journal_append(struct journal *journal, struct store_tx *tx, const struct event *event,
		   struct error *e)
{
	char *data = event->data ? json_dumps(event->data, JSON_COMPACT) : NULL;
	int64_t now = clock_wall_ms();
	struct appended *appended = malloc(sizeof(*appended));
	int64_t seq = 0;
	int result = -1;

	if (!appended || (event->data && !data))
		error_set(e, ERROR_INTERNAL, "Out of memory.");
	else
		result = store_event_insert(tx, event, data, now, &seq, e);
	if (result == 0 && !event->no_audit)
		result = store_audit_insert(tx, event->actor, event->type, event->resource, "ok",
					    event->operation, seq, now, e);
	free(data);
	if (result == 0) {
		*appended = (struct appended){journal, seq};
		result = store_after(tx, after, appended, e);
	}
	if (result != 0)
		free(appended);
	return result;
}

int audit_append(struct store_tx *tx, const struct actor *actor, const char *action,
		 const char *resource, const char *outcome, struct error *e)
{
	return store_audit_insert(tx, actor, action, resource, outcome, NULL, 0, clock_wall_ms(),
				  e);
}

void journal_listen(struct journal *journal, struct journal_listener *listener)
{
	pthread_mutex_lock(&journal->mutex);
	listener->next = journal->listeners;
	listener->previous = &journal->listeners;
	if (listener->next)
		listener->next->previous = &listener->next;
	journal->listeners = listener;
	pthread_mutex_unlock(&journal->mutex);
}

void journal_unlisten(struct journal *journal, struct journal_listener *listener)
{
	pthread_mutex_lock(&journal->mutex);
	*listener->previous = listener->next;
	if (listener->next)
		listener->next->previous = listener->previous;
	pthread_mutex_unlock(&journal->mutex);
}

int64_t journal_newest(struct journal *journal)
{
	return atomic_load(&journal->newest);
}

int64_t journal_oldest(struct journal *journal)
{
	return atomic_load(&journal->oldest);
}

struct reading {
	bool (*take)(void *context, int64_t seq, const char *json);
	void *context;
	int64_t last;
	int count;
	bool stop, failed;
};

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static bool take_row(void *context, const struct event_row *row)
{
	struct reading *r = context;
	char time[CLOCK_TEXT_SIZE];
	json_t *object =
		json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:o, s:o}", "seq", (json_int_t)row->seq,
			  "time", clock_format(row->time, time), "type", row->type, "resource",
			  string_or_null(row->resource), "revision",
			  row->revision ? json_integer(row->revision) : json_null(), "actor",
			  row->actor, "operation", string_or_null(row->operation), "data",
			  row->data ? json_loads(row->data, 0, NULL) : json_null());
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text) {
		r->failed = true;
		return false;
	}
	r->count++;
	r->stop = !r->take(r->context, row->seq, text);
	if (!r->stop)
		r->last = row->seq;
	free(text);
	return !r->stop;
}

int64_t journal_read(struct journal *journal, int64_t from, enum privilege privilege,
		     bool (*take)(void *context, int64_t seq, const char *json), void *context,
		     struct error *e)
{
	struct reading r = {.take = take, .context = context, .last = from};
	int64_t newest;

	do {
		STORE_TX struct store_tx *tx = NULL;

		/* Read before the snapshot: whatever is committed up to it is in the snapshot. */
		newest = journal_newest(journal);
		r.count = 0;
		if (store_begin_read(journal->store, &tx, e) < 0 ||
		    store_event_read(tx, r.last, privilege, READ_AT_ONCE, take_row, &r, e) < 0)
			return -1;
		if (r.failed)
			return error_set(e, ERROR_INTERNAL, "Out of memory.");
	} while (!r.stop && r.count == READ_AT_ONCE);
	/* Events that he may not see are looked at too. */
	return !r.stop && newest > r.last ? newest : r.last;
}

void journal_trim(void *context)
{
	struct journal *journal = context;
	int64_t oldest = journal_newest(journal) - EVENTS_KEPT + 1;
	STORE_TX struct store_tx *tx = NULL;
	struct error e;

	if (oldest <= journal_oldest(journal))
		return;
	if (store_begin(journal->store, &tx, &e) < 0 ||
	    store_journal_trim(tx, oldest, AUDIT_KEPT, &e) < 0 || store_commit(&tx, &e) < 0)
		fprintf(stderr, "domusd: the journal cannot be trimmed: %s\n", e.detail);
	else
		atomic_store(&journal->oldest, oldest);
}
