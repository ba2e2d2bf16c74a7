#ifndef DOMUS_DOMUSD_POWER_INTERNAL_H
#define DOMUS_DOMUSD_POWER_INTERNAL_H

/*
 * Shared by power.c (connection, events, policy), power_list.c (keeper's list), power_tell.c (one device into the database)
 * and power_check.c.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "domusd/power.h"

#define POWER_DEVICES_MAX 1024 /* more than keeper ever lists (its HARDWARE_MAX is 512) */
#define POWER_LIST_MS	  5000 /* between two looks at keeper's whole list */
#define POWER_GRACE_MS	  3000 /* keeper corrects within two seconds */
#define POWER_ASK_MS	  30000
#define POWER_RETRY_MS	  5000
#define POWER_ASKED_MAX	  32
#define POWER_SUSPECTS	  64

/* A RAIL_SET that is under way, or was not long ago. */
struct asked {
	char id[VERBS_DEVICE_MAX + 1];
	struct actor actor;
	bool waiting;
	int64_t retry_ms; /* monotonic: not sooner again */
};

/* A rail that breaks the rule, for how long. */
struct suspect {
	char id[VERBS_DEVICE_MAX + 1];
	int64_t since_ms; /* monotonic */
	bool seen, told;
};

struct power {
	struct store *store;
	struct journal *journal;
	atomic_ullong violations;
	pthread_mutex_t lock; /* of all below */
	struct keeper_client *keeper;
	pthread_cond_t changed; /* settled became true */
	bool connected, settled;
	bool clean;	     /* since it settled, there was a moment when nothing broke the rule */
	bool listing, again; /* a list is under way; something changed meanwhile */
	int64_t listed_ms;   /* monotonic, the end of the last one */
	char (*ids)[VERBS_DEVICE_MAX + 1];
	unsigned count; /* of the list so far */
	struct asked asked[POWER_ASKED_MAX];
	struct suspect suspects[POWER_SUSPECTS];
};

/* ---- power_tell.c; no lock held ---- */

struct telling {
	const struct verbs_device *device;
	enum verbs_cause cause;
	const struct actor *actor;
	const char *operation; /* or NULL */
	const char *domain;    /* or "" */
	bool came;	       /* not there before, and the board was */
	bool *back; /* set: what had been pulled from under its holder is there again. Or NULL */
};
/* One transaction with everything that follows from it; nothing when nothing changed. */
int power_tell(struct power *p, const struct telling *telling, struct error *e);
/* A device that keeper does not list any more. */
int power_gone(struct power *p, const char *id, struct error *e);
/* A rule was broken for too long: event, audit, alert. */
int power_violation(struct power *p, const char *id, struct error *e);

/* ---- power_list.c ---- */

/* Begins to list the devices, unless a list is under way or keeper is not there. No lock held. */
void power_list(struct power *p);

/* ---- power.c ---- */

/* Asks keeper for what the policy says; done may be NULL. false: not asked. */
bool power_ask(struct power *p, const char *id, bool on, const struct actor *actor,
	       void (*done)(void *context), void *context);

/* ---- power_check.c ---- */

/* Tells keeper the policies that it does not have; takes up what breaks the rule. */
void power_check(struct power *p);
/* Nothing breaks the rule now. */
bool power_clean(struct power *p);

#endif
