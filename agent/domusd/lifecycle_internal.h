#ifndef DOMUS_DOMUSD_LIFECYCLE_INTERNAL_H
#define DOMUS_DOMUSD_LIFECYCLE_INTERNAL_H

/*
 * Shared by lifecycle.c (open, close, callbacks, ticker), lifecycle_act.c (what people ask for),
 * lifecycle_state.c (a new state, written and told), lifecycle_steps.c (what is asked of keeper and
 * what its answers and events mean) and lifecycle_reconcile.c (keeper's list compared with ours).
 * Functions here expect lifecycle->lock held unless they say otherwise.
 */
#include <pthread.h>

#include "domusd/lifecycle_rules.h"

#define LIFECYCLE_SHUTDOWN_MS  60000  /* for a guest to shut down */
#define LIFECYCLE_CREATE_MS    300000 /* for keeper to build a domain */
#define LIFECYCLE_ASK_MS       30000  /* for keeper to answer anything else */
#define LIFECYCLE_REPORTED_MAX 64

/* What is being waited for. */
enum step {
	STEP_NONE,
	STEP_CREATE, /* the answer to DOMAIN_CREATE */
	STEP_ASK,    /* the answer to DOMAIN_SHUTDOWN or _REBOOT */
	STEP_WAIT,   /* the guest's end, until deadline_ms */
	STEP_CLEAR,  /* the answer to DOMAIN_KILL */
	STEP_SWITCH  /* the answer to DOMAIN_PAUSE or _RESUME */
};

/* A domain as lifecycle knows it. */
struct life {
	struct life *next;
	struct verbs_domain id;
	struct domain_status status;  /* as in the database, unless unwritten */
	enum lifecycle_action action; /* whose operation runs, or ACTION_NONE */
	char operation[ID_SIZE];      /* "" with ACTION_NONE */
	struct actor actor;	      /* who asked for the action */
	enum step step;
	uint64_t turn;		  /* of the step: an answer of another turn comes too late */
	int64_t deadline_ms;	  /* monotonic, STEP_WAIT */
	enum ending ending;	  /* STEP_CLEAR: what then */
	char why[120];		  /* STEP_CLEAR: reason of the state to come */
	bool ended;		  /* STEP_CREATE: the guest ended before the answer came */
	struct verbs_event early; /* how */
	bool attached;		  /* the hub has the console, or was asked to get it */
	bool unsure;		  /* nobody knows what keeper did: to be compared with its list */
	/* What could not be written (full disk); the ticker tries again. */
	bool unwritten;
	enum operation_state end_state;
	struct error end_error;
};

struct lifecycle {
	struct lifecycle_services services;
	pthread_mutex_t lock;
	struct console_hub *hub;
	struct keeper_client *keeper;
	struct life *lives;
	uint64_t turn;
	/* the list of keeper, as it comes in */
	bool listing, again; /* under way; wanted once more */
	uint64_t list_turn;  /* turn when the list was asked for */
	bool closing;
	bool settled;		/* the list of this connection has been compared with ours */
	pthread_cond_t changed; /* settled became true */
	struct verbs_list_entry *list;
	size_t list_count;
	struct verbs_event *late; /* events during listing: they count after it */
	size_t late_count;
	uint64_t dom0_mib, total_mib;
	unsigned cpus;
	/* domains that run and are not defined here */
	uint32_t reported[LIFECYCLE_REPORTED_MAX];
	unsigned reported_count;
	json_t *warnings;
};

/* ---- lifecycle.c ---- */

struct life *life_find(struct lifecycle *lc, const char *name);
/* Finds or makes; NULL without memory. A new one takes the row's status. */
struct life *life_get(struct lifecycle *lc, const struct domain_row *row);

/* ---- lifecycle_state.c ---- */

/* Stopped or crashed. */
bool life_dead(const struct life *life);
/* In an open transaction: the status into its row, and the event. */
int life_write(struct lifecycle *lc, struct store_tx *tx, const struct life *life,
	       enum domain_state previous, const struct actor *actor, struct error *e);
/*
 * A new state, now and in the database. end: OPERATION_RUNNING leaves the operation as it is, any
 * other state ends it in the same transaction (and life->action); error may be NULL. domid < 0: none.
 * Tells the hub.
 */
void life_move(struct lifecycle *lc, struct life *life, enum domain_state state, int64_t domid,
	       const char *reason, enum operation_state end, const struct error *error);
/* Tries again what life_move() could not write. */
void life_write_again(struct lifecycle *lc, struct life *life);
/* Ends the operation, if there is one, in a transaction of its own, and leaves the state. error may be NULL. */
void life_end(struct lifecycle *lc, struct life *life, enum operation_state end,
	      const struct error *error);

/* ---- lifecycle_steps.c ---- */

/* Asks keeper to build it from its definition: STEP_CREATE. */
void step_create(struct lifecycle *lc, struct life *life);
/* DOMAIN_SHUTDOWN, _REBOOT (STEP_ASK), _PAUSE, _RESUME (STEP_SWITCH). */
void step_ask(struct lifecycle *lc, struct life *life, enum verb verb);
/* DOMAIN_KILL of what is there: STEP_CLEAR, then `ending`. */
void step_clear(struct lifecycle *lc, struct life *life, enum ending ending, const char *why);
/* What was pulled from one of its devices is there again: restarts it if its definition says so and nobody works on it. */
void life_device_back(struct lifecycle *lc, struct life *life, const char *device);
/* The guest's time to shut down is up. */
void step_timeout(struct lifecycle *lc, struct life *life);
/* An event, or an entry of the list that says the same. */
void life_event(struct lifecycle *lc, struct life *life, const struct verbs_event *event);
/* Asks keeper for the console of a domain that lives. */
void life_console(struct lifecycle *lc, struct life *life);

/* ---- lifecycle_reconcile.c ---- */

/* Begins to list the domains, or again when a list is under way. */
void reconcile_begin(struct lifecycle *lc);
void reconcile_abandon(struct lifecycle *lc);
/* Keeps an event until the list is there. false: no list is under way. */
bool reconcile_keep(struct lifecycle *lc, const struct verbs_event *event);

#endif
