#ifndef DOMUS_KEEPER_RAILS_INTERNAL_H
#define DOMUS_KEEPER_RAILS_INTERNAL_H

#include <pthread.h>
#include <stdint.h>

#include "keeper/rails.h"

#define RAILS_SETTLE_MS                                                                            \
	2000 /* a gate that reads the old state so long after the switch is a fault */
#define RAILS_RETRY_MS 5000  /* between two attempts at a rail that is stuck */
#define RAILS_GRACE_MS 12000 /* so long after power-on an empty port may still be a slow drive */

struct rail {
	struct verbs_device device; /* as told to clients */
	bool there;		    /* in the latest scan */
	bool busy;	     /* a thread is switching it: until then it is nobody else's to judge */
	bool settled;	     /* its holder came to life: whether it lives on can be asked */
	bool ended;	     /* its holder is known to have ended: to be switched off */
	uint8_t blocked[16]; /* a fault after this domain: nobody else gets it */
	int64_t on_ms, retry_ms; /* monotonic */
};

struct rails {
	struct hardware *hardware;
	struct rails_user user;
	char *record;
	pthread_mutex_t gates;
	pthread_mutex_t lock;		 /* of all below */
	pthread_cond_t idle;		 /* a rail is no longer busy */
	struct rail *list[HARDWARE_MAX]; /* sorted by id; a busy or held rail is never freed */
	unsigned count;
	bool stopping;
	int wake;
	pthread_t thread;
	struct inventory *scratch; /* under gates */
};

int64_t rails_now_ms(void);

/* rails.c; all with lock held unless said otherwise */
struct rail *rail_find(struct rails *r, const char *id);
bool rail_switchable(const struct rail *rail);
/* On if it is held, kept or needed. */
bool rail_wanted(const struct rail *rail);
void rail_report(struct rails *r, const struct rail *rail, enum verbs_change change,
		 enum verbs_cause cause);
/*
 * Throws the switch of a rail that the caller made busy, and reads back; sets power, error, cause, reports. 0 when it reads
 * what was wanted. Without lock.
 */
int rail_switch(struct rails *r, struct rail *rail, bool on, enum verbs_cause cause,
		struct error *e);
/* Takes a fresh reading over, of the power or of contents too; reports what changed. */
void rail_update(struct rails *r, struct rail *rail, const struct verbs_device *fresh,
		 bool contents);
/*
 * Reads a device again and takes that over. *seen is what there is now: contents that have not come up yet since it was
 * switched on are not in it, though they are remembered for a while. Without lock.
 */
int rail_see(struct rails *r, const char *id, struct verbs_device *seen, struct error *e);
bool holder_is(const struct rail *rail, const struct verbs_domain *d);

/* rails_watch.c */
/* One look at everything: scan, compare, correct. Without lock. */
int rails_look(struct rails *r, enum verbs_cause cause, struct error *e);
void *rails_watch(void *rails);
void rails_wake(struct rails *r);

/* rails_record.c */
/* Writes who holds what; with lock held. A record that cannot be written is said in the log. */
void record_write(const struct rails *r);
/* Reads holders, kept and contents into the rails that there are. Anything that is not understood is left out. */
void record_read(struct rails *r);
/* One line, for the fuzz target; false when it says nothing. */
bool record_parse(const char *line, struct verbs_device *out);

#endif
