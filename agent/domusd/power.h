#ifndef DOMUS_DOMUSD_POWER_H
#define DOMUS_DOMUSD_POWER_H

#include <jansson.h>

#include "common/error.h"
#include "domusd/actor.h"
#include "domusd/journal.h"
#include "domusd/keeper_client.h"
#include "domusd/store.h"
#include "domusd/store_device.h"

/*
 * What keeper says of the board's devices, made true in the database: rows, history, events, audit, alerts; the policy,
 * told to keeper until it has it; and the rule of docs/power.md, checked against what is in the database. keeper throws
 * the switches.
 *
 * Lock: power's own is a leaf and never held while the store or keeper is called.
 */
struct power;

int power_open(struct store *store, struct journal *journal, struct power **out, struct error *e);
/* After the keeper's client has ended. NULL is fine. */
void power_close(struct power *power);

/* ---- from the keeper's client's thread ---- */

void power_connected(struct power *power, struct keeper_client *keeper);
void power_disconnected(struct power *power);
/*
 * Writes what changed. actor and operation (NULL: none): who made the event's domain start or end. True: what had been pulled
 * from under the device's holder is there again.
 */
bool power_event(struct power *power, const struct verbs_device_event *event,
		 const struct actor *actor, const char *operation);
/* The domain that the event is about: its device's holder, or who held it until now; "" without. */
void power_event_domain(struct power *power, const struct verbs_device_event *event,
			char domain[VERBS_NAME_MAX + 1]);

/* For the ticker, once a second. */
void power_tick(void *power);

/* ---- for the API ---- */

/*
 * keeper is there, what it lists is in the database, and there was a moment since when no rail was on without an owner.
 * NULL: false.
 */
bool power_settled(struct power *power);
/* Waits for keeper's list; for start-up. */
void power_wait(struct power *power, int timeout_ms);
/* keeper is there: what the database says of a rail holds now. */
bool power_live(struct power *power);

/*
 * After a policy was committed: tells keeper, then calls done(context), at once when there is nothing to tell or nobody
 * to tell it to, else from another thread when the rail was switched and read back, or was not.
 */
void power_policy_apply(struct power *power, const char *id, const struct actor *actor,
			void (*done)(void *context), void *context);

/* What a rail should be: ON, OFF, or UNKNOWN for one that nothing switches, or the hypervisor by itself. */
enum verbs_power device_wanted(const struct device_row *row);
/* As openapi.yaml's Device. live as power_live(). New reference, NULL without memory. */
json_t *device_json(const struct device_row *row, bool live);

/* How often a rail was found on without an owner, since domusd started. */
uint64_t power_violations(struct power *power);

#endif
