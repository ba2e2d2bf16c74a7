#ifndef DOMUS_DOMUSD_LIFECYCLE_H
#define DOMUS_DOMUSD_LIFECYCLE_H

#include <jansson.h>

#include "common/error.h"
#include "domusd/actor.h"
#include "domusd/console_hub.h"
#include "domusd/journal.h"
#include "domusd/keeper_client.h"
#include "domusd/operation.h"
#include "domusd/power.h"
#include "domusd/store.h"
#include "domusd/store_domain.h"

/*
 * What domains do: actions from people, events and answers from keeper, and one true state for each
 * domain, in the database and told as `domain.state`. docs/lifecycle.md has the picture; the tables
 * of truth are in lifecycle_rules.h.
 *
 * Lock order: lifecycle's lock, then the store's, then those of keeper_client and console_hub (which
 * are held for a moment only and never while calling us).
 */
struct lifecycle;

struct lifecycle_services {
	struct store *store;
	struct journal *journal;
	struct operations *operations;
	struct power *power; /* gets what keeper says of devices */
	const char *keeper_socket;
	int console_dir; /* for console logs; borrowed, stays open */
};

/*
 * Reads the domains and starts the console hub and the keeper's client, which are returned in *hub
 * and *keeper for others to use; lifecycle_close() frees them. 0 or -1 and *e.
 */
int lifecycle_open(const struct lifecycle_services *services, struct lifecycle **out,
		   struct console_hub **hub, struct keeper_client **keeper, struct error *e);
/* After HTTP has ended. Domains run on. NULL is fine. */
void lifecycle_close(struct lifecycle *lifecycle);
/* For the ticker, once a second: time limits, consoles that were lost, what could not be written. */
void lifecycle_tick(void *lifecycle);

/* Whether keeper is there and what it runs is known. NULL: false. */
bool lifecycle_settled(struct lifecycle *lifecycle);
/* Waits for that; for start-up. */
void lifecycle_wait(struct lifecycle *lifecycle, int timeout_ms);

enum lifecycle_action {
	ACTION_NONE,
	ACTION_START,
	ACTION_SHUTDOWN,
	ACTION_REBOOT,
	ACTION_KILL,
	ACTION_PAUSE,
	ACTION_RESUME,
	ACTION_COUNT
};

/*
 * Begins an action. 1: an operation was written and `reply` was called to commit *tx and answer with
 * the operation (new reference); if it did commit, the work goes on by itself. 0: it is so already,
 * nothing was done and reply not called. -1: *e (ERROR_DOMAIN_UNKNOWN, _NOT_RUNNING, _PAUSED,
 * ERROR_STATE, ERROR_BUSY, ERROR_UNAVAILABLE).
 */
int lifecycle_act(struct lifecycle *lifecycle, const char *name, enum lifecycle_action action,
		  const struct actor *actor,
		  void (*reply)(void *context, struct store_tx **tx, json_t *operation),
		  void *context, struct error *e);

/* In the transaction that deletes a domain: ERROR_DOMAIN_RUNNING unless it is stopped or crashed. */
int lifecycle_may_delete(const struct domain_row *row, struct error *e);
/* After the commit of a deletion. */
void lifecycle_forget(struct lifecycle *lifecycle, const char *name);

/* The board's memory in MiB (all, and what Dom0 keeps) and CPUs; false while nobody has told yet. */
bool lifecycle_board(struct lifecycle *lifecycle, uint64_t *total_mib, uint64_t *dom0_mib,
		     unsigned *cpus);
/* What an administrator should know: domains that run and are not defined here. New array of strings. */
json_t *lifecycle_warnings(struct lifecycle *lifecycle);

#endif
