#ifndef DOMUS_DOMUSD_JOURNAL_H
#define DOMUS_DOMUSD_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "domusd/actor.h"
#include "domusd/store.h"

/*
 * The journal: what happened, in order, kept in the database (the newest 10,000 events), sent to
 * everyone who listens. An event is written in the transaction of the change it tells of, together
 * with an audit record; after the commit the listeners are woken. Sequence numbers grow, are never
 * given twice (AUTOINCREMENT), and may have gaps.
 */
struct journal;

struct event {
	const char *type;	   /* one of openapi.yaml's Event.type: "domain.updated" */
	const char *resource;	   /* path below /api/v1/: "domains/web"; or NULL */
	int64_t revision;	   /* of the resource after the change; 0: none */
	const struct actor *actor; /* never NULL; &actor_system for ourselves */
	const char *operation;	   /* id, or NULL */
	const json_t *data;	   /* small object without secrets, or NULL; borrowed */
	enum privilege privilege;  /* who may see it; PRIVILEGE_NONE counts as PRIVILEGE_READ */
	bool no_audit; /* true for what nobody did: states reported by the keeper, progress */
};

int journal_open(struct store *store, struct journal **out, struct error *e);
/* After the last listener has gone. NULL is fine. */
void journal_close(struct journal *journal);

/* Writes the event, and unless event->no_audit an audit record of it, in the open transaction. */
int journal_append(struct journal *journal, struct store_tx *tx, const struct event *event,
		   struct error *e);

/*
 * An audit record without an event: refused logins and claims, denied requests. `action` is a
 * dotted name
 * ("authn.login_fail"), `resource` may be NULL, `outcome` is "ok" or an error code. No secrets.
 */
int audit_append(struct store_tx *tx, const struct actor *actor, const char *action,
		 const char *resource, const char *outcome, struct error *e);

/* Calls run(context) after every commit that appended something, from whatever thread committed.
 * Must not block. */
struct journal_listener {
	void (*run)(void *context);
	void *context;
	struct journal_listener *next, **previous; /* the journal's */
};
void journal_listen(struct journal *journal, struct journal_listener *listener);
/* When it returns, run() is not running and will not be called again. */
void journal_unlisten(struct journal *journal, struct journal_listener *listener);

/* The newest sequence number committed so far, 0 when there is none; the oldest that is still kept.
 * No database access. */
int64_t journal_newest(struct journal *journal);
int64_t journal_oldest(struct journal *journal);

/*
 * The next events after sequence number `after` that `privilege` may see, in order, each as one
 * line of JSON (Event of openapi.yaml). Calls take(context, seq, json text) until that returns
 * false or none is left. Returns the last sequence number looked at (at least `after`), or -1.
 */
int64_t journal_read(struct journal *journal, int64_t after, enum privilege privilege,
		     bool (*take)(void *context, int64_t seq, const char *json), void *context,
		     struct error *e);

/* Drops what is past retention; for the ticker. */
void journal_trim(void *journal);

#endif
