#ifndef DOMUS_DOMUSD_PLAN_H
#define DOMUS_DOMUSD_PLAN_H

#include <jansson.h>

#include "common/error.h"
#include "domusd/definition.h"
#include "domusd/journal.h"
#include "domusd/store.h"

/*
 * Plans: what giving devices to other owners would do, said before it is done. A plan is computed anew from what was asked
 * whenever it is looked at; its fingerprint covers all that it depends on, so a plan that is applied is the plan that was
 * shown, or it is refused. plan.c makes plans, plan_apply.c carries them out, plan_token.c keeps those that were shown.
 */
#define PLAN_ASKED_MAX	 16
#define PLAN_MOVES_MAX	 64 /* with what moves along */
#define PLAN_DOMAINS_MAX 32
#define PLAN_DIGEST	 32

struct plan_asked {
	unsigned count;
	struct {
		char device[VERBS_DEVICE_MAX + 1];
		char owner[VERBS_NAME_MAX + 1]; /* "": nobody */
	} list[PLAN_ASKED_MAX];
};

struct plan_domain {
	struct definition before, after;
	int64_t revision;
	bool lives, must_stop;
	json_t *gains, *loses;
	const char *state;
};

struct plan {
	json_t *moves, *loses_power, *conflicts; /* as openapi.yaml's Plan */
	unsigned domain_count;
	struct plan_domain *domains[PLAN_DOMAINS_MAX];
	unsigned char digest[PLAN_DIGEST];
};

/* Parses and checks the body of POST /assignments/plan. */
int plan_parse(const json_t *body, struct plan_asked *asked, struct error *e);
/* What it would do. ERROR_FIELD… with a pointer when it names what is not there; what only stands in the way is a conflict
 * in the plan. Free it with plan_free(). */
int plan_make(struct store_tx *tx, const struct plan_asked *asked, struct plan **out,
	      struct error *e);
void plan_free(struct plan *plan);
/* Nothing stands in its way and no domain has to stop first. */
bool plan_applicable(const struct plan *plan);
/* openapi.yaml's Plan, without token and expires. New reference. */
json_t *plan_json(const struct plan *plan);
/* In a write transaction: the new definitions, with their revisions, events and audit records. */
int plan_apply(struct plan *plan, struct journal *journal, struct store_tx *tx,
	       const struct actor *actor, struct error *e);

/* ---- tokens: in memory, at most 64, for five minutes, each good for one use ---- */

#define PLAN_TOKEN_SIZE 40
#define PLAN_LIFE_MS	300000

/* Keeps what was asked and the fingerprint; fills the token. The oldest one goes when there are too many. */
void plan_keep(const struct plan_asked *asked, const struct plan *plan,
	       char token[PLAN_TOKEN_SIZE]);
/*
 * Inside a write transaction: makes the token's plan anew. ERROR_PLAN_GONE (unknown, used, too late), ERROR_PLAN_STALE
 * (not the same any more), ERROR_PLAN_CONFLICT (not applicable). The token is used up when the transaction commits.
 */
int plan_take(struct store_tx *tx, const char *token, struct plan **out, struct error *e);

#endif
