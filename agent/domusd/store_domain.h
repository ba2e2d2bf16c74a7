#ifndef DOMUS_DOMUSD_STORE_DOMAIN_H
#define DOMUS_DOMUSD_STORE_DOMAIN_H

#include <jansson.h>
#include <stdint.h>

#include "domusd/definition.h"
#include "domusd/store.h"

/* Rows of `domains` and of what they refer to. Errors as in store.h, and ERROR_DOMAIN_UNKNOWN, ERROR_DOMAIN_EXISTS. */
enum domain_state {
	DOMAIN_STOPPED,
	DOMAIN_STARTING,
	DOMAIN_RUNNING,
	DOMAIN_PAUSED,
	DOMAIN_STOPPING,
	DOMAIN_CRASHED,
	DOMAIN_STATE_COUNT
};

#define DOMAIN_REASON_SIZE 200

struct domain_status {
	enum domain_state state;
	int64_t since; /* wall clock, ms */
	int64_t domid; /* -1: it does not live */
	char reason[DOMAIN_REASON_SIZE]; /* why, for a person; or "" */
};

struct domain_row {
	struct verbs_domain id; /* name and uuid */
	struct definition definition;
	int64_t revision, created, updated;
	struct domain_status status;
};

/* "stopped", … as in openapi.yaml. */
const char *domain_state_name(enum domain_state state);

int store_domain_get(struct store_tx *tx, const char *name, struct domain_row *row,
		     struct error *e);
/* Name, uuid and status without the definition, which is large; definition.name is filled. */
int store_domain_status(struct store_tx *tx, const char *name, struct domain_row *row,
			struct error *e);
/* Calls take(context, row) for up to `limit` domains whose name is greater than `after`, by name. How many, or -1. */
int store_domain_list(struct store_tx *tx, const char *after, int limit,
		      void (*take)(void *context, const struct domain_row *row), void *context,
		      struct error *e);
/* New: state stopped. row->id.uuid, definition and created must be set. */
int store_domain_insert(struct store_tx *tx, const struct domain_row *row, struct error *e);
/* Another definition: the revision grows by one; fills *revision. */
int store_domain_update(struct store_tx *tx, const struct definition *definition, int64_t now,
			int64_t *revision, struct error *e);
int store_domain_delete(struct store_tx *tx, const char *name, struct error *e);
int store_domain_set_status(struct store_tx *tx, const char *name,
			    const struct domain_status *status, struct error *e);

/* Whether another domain has the MAC address: 1 and its name, 0, or -1 and *e. */
int store_domain_mac_user(struct store_tx *tx, const char *mac, const char *but, char user[41],
			  struct error *e);
/* Names of the domains on a network: new array, or NULL and *e. */
json_t *store_network_users(struct store_tx *tx, const char *network, struct error *e);
/* For metrics: how many domains are in each state. 0 or -1. */
int store_domain_counts(struct store_tx *tx, int64_t counts[DOMAIN_STATE_COUNT], struct error *e);

#endif
