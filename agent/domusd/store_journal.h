#ifndef DOMUS_DOMUSD_STORE_JOURNAL_H
#define DOMUS_DOMUSD_STORE_JOURNAL_H

#include "domusd/journal.h"

/* Rows of events and audit. data is JSON text or NULL. Returns 0 and the sequence number, or -1. */
int store_event_insert(struct store_tx *tx, const struct event *event, const char *data,
		       int64_t now, int64_t *seq, struct error *e);
int store_audit_insert(struct store_tx *tx, const struct actor *actor, const char *action,
		       const char *resource, const char *outcome, const char *operation,
		       int64_t event, int64_t now, struct error *e);

struct event_row {
	int64_t seq, time, revision;				/* revision 0: none */
	const char *type, *resource, *actor, *operation, *data; /* NULL where SQL says NULL */
};
/* Up to `limit` events after `after` that privilege may see, to take() until it returns false. */
int store_event_read(struct store_tx *tx, int64_t after, enum privilege privilege, int limit,
		     bool (*take)(void *context, const struct event_row *row), void *context,
		     struct error *e);
/* Oldest kept and newest ever (0: none). */
int store_event_bounds(struct store_tx *tx, int64_t *oldest, int64_t *newest, struct error *e);
/* Deletes events below `oldest`, audit records beyond the newest `audit_keep`. */
int store_journal_trim(struct store_tx *tx, int64_t oldest, int64_t audit_keep, struct error *e);

#endif
