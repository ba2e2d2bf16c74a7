/* A domain's state: in memory, in the database and told, or kept until the database can take it. */
#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/lifecycle_internal.h"

bool life_dead(const struct life *life)
{
	return life->status.state == DOMAIN_STOPPED || life->status.state == DOMAIN_CRASHED;
}

int life_write(struct lifecycle *lc, struct store_tx *tx, const struct life *life,
	       enum domain_state previous, const struct actor *actor, struct error *e)
{
	char resource[64];
	struct event event = {.type = "domain.state",
			      .resource = resource,
			      .actor = actor,
			      .operation = *life->operation ? life->operation : NULL,
			      .no_audit = true};
	json_t *data = json_pack("{s:s, s:s, s:s?}", "state", domain_state_name(life->status.state),
				 "previous", domain_state_name(previous), "reason",
				 *life->status.reason ? life->status.reason : NULL);
	int result;

	snprintf(resource, sizeof(resource), "domains/%s", life->id.name);
	event.data = data;
	result = store_domain_set_status(tx, life->id.name, &life->status, e);
	if (result == 0)
		result = journal_append(lc->services.journal, tx, &event, e);
	json_decref(data);
	return result;
}

/* One transaction: status, event, end of the operation. */
static int write_all(struct lifecycle *lc, struct life *life, enum domain_state previous,
		     struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	const struct error *why = life->end_error.code ? &life->end_error : NULL;

	if (store_begin(lc->services.store, &tx, e) < 0 ||
	    life_write(lc, tx, life, previous, &actor_system, e) < 0)
		return -1;
	if (life->end_state != OPERATION_RUNNING && *life->operation &&
	    operation_finish(lc->services.operations, tx, life->operation, life->end_state, why,
			     NULL, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

static void written(struct life *life)
{
	life->unwritten = false;
	if (life->end_state != OPERATION_RUNNING) {
		life->action = ACTION_NONE;
		life->operation[0] = '\0';
	}
}

void life_move(struct lifecycle *lc, struct life *life, enum domain_state state, int64_t domid,
	       const char *reason, enum operation_state end, const struct error *error)
{
	enum domain_state previous = life->status.state;
	struct error e;

	life->status.state = state;
	life->status.domid = domid;
	life->status.since = clock_wall_ms();
	snprintf(life->status.reason, sizeof(life->status.reason), "%s", reason ? reason : "");
	life->end_state = end;
	memset(&life->end_error, 0, sizeof(life->end_error));
	if (error)
		life->end_error = *error;
	if (state != previous)
		console_hub_state(lc->hub, life->id.name, domain_state_name(state));
	if (life_dead(life)) {
		console_hub_detach(lc->hub, life->id.name);
		life->attached = false;
	}
	if (write_all(lc, life, previous, &e) == 0) {
		written(life);
		return;
	}
	fprintf(stderr, "domusd: domain %s is %s, but that cannot be written: %s\n", life->id.name,
		domain_state_name(state), e.detail);
	life->unwritten = true;
}

void life_write_again(struct lifecycle *lc, struct life *life)
{
	struct error e;

	/* These two errors: the domain was deleted or the operation has ended meanwhile, so there is nothing to write. */
	if (write_all(lc, life, life->status.state, &e) == 0 || e.code == ERROR_DOMAIN_UNKNOWN ||
	    e.code == ERROR_STATE)
		written(life);
}

void life_end(struct lifecycle *lc, struct life *life, enum operation_state end,
	      const struct error *error)
{
	if (life->action == ACTION_NONE)
		return;
	operation_end(lc->services.operations, life->operation, end, error, NULL, NULL);
	life->action = ACTION_NONE;
	life->operation[0] = '\0';
}
