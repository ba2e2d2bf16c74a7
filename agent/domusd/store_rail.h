#ifndef DOMUS_DOMUSD_STORE_RAIL_H
#define DOMUS_DOMUSD_STORE_RAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "domusd/store.h"

/* Rows of `rail_history` and `alerts`: what happened to rails, and what is wrong now. Both are bounded. */
#define RAIL_HISTORY_KEPT 200  /* for each device */
#define ALERTS_KEPT	  1000 /* cleared ones */

/* Strings are borrowed; in reading they live until take() returns. */
struct rail_record {
	int64_t seq, time;
	const char *previous, *power, *cause;
	const char *domain, *operation, *error; /* or NULL */
	const char *actor;
};

/* Drops what is past RAIL_HISTORY_KEPT too. */
int store_rail_record(struct store_tx *tx, const char *device, const struct rail_record *record,
		      struct error *e);
/* Newest first, below `before` (0: all). */
int store_rail_history(struct store_tx *tx, const char *device, int64_t before, int limit,
		       void (*take)(void *context, const struct rail_record *record), void *context,
		       struct error *e);

struct alert {
	int64_t seq, raised, cleared; /* cleared 0: it is so now */
	const char *code, *resource, *detail;
};

/* 1 it is new, 0 it was so already (its detail is replaced), -1. */
int store_alert_raise(struct store_tx *tx, const char *code, const char *resource,
		      const char *detail, int64_t now, struct error *e);
/* 1 it was so, 0 it was not, -1. */
int store_alert_clear(struct store_tx *tx, const char *code, const char *resource, int64_t now,
		      struct error *e);
/* 1 it is so now, 0, -1. */
int store_alert_open(struct store_tx *tx, const char *code, const char *resource, struct error *e);
/* Newest first, below `before` (0: all); of those that are so now, or of all. */
int store_alert_list(struct store_tx *tx, bool open, int64_t before, int limit,
		     void (*take)(void *context, const struct alert *alert), void *context,
		     struct error *e);

#endif
