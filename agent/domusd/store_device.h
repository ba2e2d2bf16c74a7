#ifndef DOMUS_DOMUSD_STORE_DEVICE_H
#define DOMUS_DOMUSD_STORE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/verbs.h"
#include "domusd/store.h"
#include "domusd/store_domain.h"

/* Rows of `devices` and `domain_devices`. Errors as in store.h, and ERROR_DEVICE_UNKNOWN. */
#define DEVICE_POLICY_REASON_MAX 200 /* code points */
#define DEVICE_ABOUT_SIZE	 2048

struct device_row {
	char id[VERBS_DEVICE_MAX + 1];
	char name[96];
	char together[VERBS_DEVICE_MAX + 1]; /* of its group, or "" */
	char needed[128], note[128];
	char about[DEVICE_ABOUT_SIZE]; /* JSON object */
	enum verbs_kind kind;
	enum verbs_gate gate;
	enum verbs_power power;
	enum verbs_cause cause;
	bool present; /* keeper's inventory has it */
	bool kept;
	int64_t since; /* wall clock, ms */
	char error[160];
	char holder[VERBS_NAME_MAX + 1]; /* keeper has it on for this domain, or "" */
	/* ours: */
	bool always_on;
	char policy_reason[4 * DEVICE_POLICY_REASON_MAX + 1];
	int64_t revision;
	/* of domain_devices, read only: */
	char owner[VERBS_NAME_MAX + 1]; /* or "" */
	enum domain_state holder_state; /* of `holder` as it was read */
};

/* Nothing but its gate decides: not whether anybody needs it. */
bool device_switchable(const struct device_row *row);

int store_device_get(struct store_tx *tx, const char *id, struct device_row *row, struct error *e);
/* The same; 1, 0 when there is none, -1. */
int store_device_find(struct store_tx *tx, const char *id, struct device_row *row, struct error *e);
/* Calls take(context, row) for up to `limit` devices whose id is greater than `after`, by id, while it returns true. */
int store_device_list(struct store_tx *tx, const char *after, int limit,
		      bool (*take)(void *context, const struct device_row *row), void *context,
		      struct error *e);
/* A device that is told for the first time. */
int store_device_insert(struct store_tx *tx, const struct device_row *row, struct error *e);
/* Everything but policy, revision and owner. */
int store_device_tell(struct store_tx *tx, const struct device_row *row, struct error *e);
/* Policy; the revision grows. */
int store_device_policy(struct store_tx *tx, const char *id, bool always_on, const char *reason,
			struct error *e);
/* Its owner changed: the revision grows; fills *revision. */
int store_device_revise(struct store_tx *tx, const char *id, int64_t *revision, struct error *e);
/* With its history. */
int store_device_delete(struct store_tx *tx, const char *id, struct error *e);
/* How many devices keeper's inventory had last; -1. */
int64_t store_device_count(struct store_tx *tx, struct error *e);

/* The definition's devices, in place of those that were. */
int store_domain_devices_set(struct store_tx *tx, const struct definition *d, struct error *e);

/*
 * Rails that break the rule now: read on, switchable, and neither needed, nor always on, nor held by a domain that is
 * starting, running, paused or stopping.
 */
int store_device_violations(struct store_tx *tx,
			    void (*take)(void *context, const char *id, bool held), void *context,
			    struct error *e);
/* Devices whose policy keeper has not been told, or not yet. A held one is not let go of: its domain's end does that. */
int store_device_untold(struct store_tx *tx,
			void (*take)(void *context, const char *id, bool always_on), void *context,
			struct error *e);

#endif
