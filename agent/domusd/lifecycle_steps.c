#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domusd/clock.h"
#include "domusd/create_request.h"
#include "domusd/lifecycle_internal.h"

/* ---- asking ---- */

struct question {
	struct lifecycle *lc;
	struct verbs_domain domain;
	uint64_t turn;
};

/* The life that a question is about, or NULL when the answer comes too late for it. */
static struct life *question_life(const struct question *q)
{
	struct life *life = life_find(q->lc, q->domain.name);

	return life && life->turn == q->turn && memcmp(life->id.uuid, q->domain.uuid, 16) == 0
		       ? life
		       : NULL;
}

static struct question *question_new(struct lifecycle *lc, struct life *life, enum step step)
{
	struct question *q = malloc(sizeof(*q));

	life->step = step;
	life->turn = ++lc->turn;
	if (q)
		*q = (struct question){lc, life->id, life->turn};
	return q;
}

/*
 * keeper did not answer, or could not be asked: the operation fails now, and what became of the domain
 * is for the list to say.
 */
static void life_unsure(struct lifecycle *lc, struct life *life, const struct error *e)
{
	life->step = STEP_NONE;
	life->unsure = true;
	lc->again = true;
	life_end(lc, life, lc->closing ? OPERATION_INTERRUPTED : OPERATION_FAILED, e);
}

static void cannot_ask(struct lifecycle *lc, struct life *life, void *question)
{
	struct error e;

	free(question);
	error_set(&e, ERROR_UNAVAILABLE, "Not enough memory to ask keeper.");
	life_unsure(lc, life, &e);
}

static bool is_unsure(const struct error *e)
{
	return e && e->code == ERROR_UNAVAILABLE;
}

/* ---- start ---- */

static void created(struct lifecycle *lc, struct life *life, uint32_t domid)
{
	life->step = STEP_NONE;
	life_move(lc, life, DOMAIN_RUNNING, domid, NULL, OPERATION_SUCCEEDED, NULL);
	life_console(lc, life);
	if (life->ended) {
		life->ended = false;
		life_event(lc, life, &life->early);
	}
}

static void create_answered(void *context, const union verbs_message *answer, int fd,
			    const struct error *e)
{
	struct question *q = context;
	struct lifecycle *lc = q->lc;
	struct life *life;

	(void)fd;
	pthread_mutex_lock(&lc->lock);
	life = question_life(q);
	if (life && answer)
		created(lc, life, answer->create_response.domid);
	else if (life && is_unsure(e))
		life_unsure(lc, life, e);
	else if (life) {
		life->step = STEP_NONE;
		life_move(lc, life, DOMAIN_STOPPED, -1, e->detail, OPERATION_FAILED, e);
	}
	pthread_mutex_unlock(&lc->lock);
	free(q);
}

void step_create(struct lifecycle *lc, struct life *life)
{
	STORE_TX struct store_tx *tx = NULL;
	struct verbs_create_request request;
	struct domain_row row;
	struct question *q = question_new(lc, life, STEP_CREATE);
	struct error e;

	life->ended = false;
	if (store_begin_read(lc->services.store, &tx, &e) < 0 ||
	    store_domain_get(tx, life->id.name, &row, &e) < 0) {
		free(q);
		life->step = STEP_NONE;
		store_rollback(tx);
		tx = NULL;
		life_move(lc, life, DOMAIN_STOPPED, -1, e.detail, OPERATION_FAILED, &e);
		return;
	}
	create_request_fill(&request, &row);
	if (!q || keeper_client_ask(lc->keeper, &request, LIFECYCLE_CREATE_MS, create_answered, q,
				    &e) < 0)
		cannot_ask(lc, life, q);
}

/* ---- shutdown, reboot, pause, resume ---- */

static void switched(struct lifecycle *lc, struct life *life)
{
	enum domain_state state = life->action == ACTION_PAUSE ? DOMAIN_PAUSED : DOMAIN_RUNNING;

	life->step = STEP_NONE;
	if (life->status.state == state) /* the event was quicker */
		life_end(lc, life, OPERATION_SUCCEEDED, NULL);
	else
		life_move(lc, life, state, life->status.domid, NULL, OPERATION_SUCCEEDED, NULL);
}

static void ask_answered(void *context, const union verbs_message *answer, int fd,
			 const struct error *e)
{
	struct question *q = context;
	struct lifecycle *lc = q->lc;
	struct life *life;

	(void)fd;
	pthread_mutex_lock(&lc->lock);
	life = question_life(q);
	if (life && answer && life->step == STEP_SWITCH) {
		switched(lc, life);
	} else if (life && answer) {
		life->step = STEP_WAIT;
		life->deadline_ms = clock_monotonic_ms() + LIFECYCLE_SHUTDOWN_MS;
	} else if (life && is_unsure(e)) {
		life_unsure(lc, life, e);
	} else if (life && life->step == STEP_SWITCH) {
		life->step = STEP_NONE;
		life_end(lc, life, OPERATION_FAILED, e);
	} else if (life) { /* it could not be asked: it runs on */
		life->step = STEP_NONE;
		life_move(lc, life, DOMAIN_RUNNING, life->status.domid, NULL, OPERATION_FAILED, e);
	}
	pthread_mutex_unlock(&lc->lock);
	free(q);
}

void step_ask(struct lifecycle *lc, struct life *life, enum verb verb)
{
	bool switches = verb == VERB_DOMAIN_PAUSE || verb == VERB_DOMAIN_RESUME;
	struct question *q = question_new(lc, life, switches ? STEP_SWITCH : STEP_ASK);

	if (!q || keeper_client_ask_domain(lc->keeper, verb, &life->id, LIFECYCLE_ASK_MS,
					   ask_answered, q, NULL) < 0)
		cannot_ask(lc, life, q);
}

void step_timeout(struct lifecycle *lc, struct life *life)
{
	struct error e;

	error_set(&e, ERROR_SHUTDOWN_TIMEOUT,
		  "The guest did not %s within %d seconds; it runs on. Kill it if need be.",
		  life->action == ACTION_REBOOT ? "reboot" : "shut down",
		  LIFECYCLE_SHUTDOWN_MS / 1000);
	life->step = STEP_NONE;
	life_move(lc, life, DOMAIN_RUNNING, life->status.domid, NULL, OPERATION_FAILED, &e);
}

/* ---- the end of a domain ---- */

/* Its remains are gone. */
static void cleared(struct lifecycle *lc, struct life *life)
{
	bool reboot = life->action == ACTION_REBOOT;
	enum domain_state state = DOMAIN_STOPPED;
	struct error e = {.code = ERROR_NONE};

	life->step = STEP_NONE;
	console_hub_detach(lc->hub, life->id.name);
	life->attached = false;
	if (life->ending == ENDING_REBUILD) {
		life_move(lc, life, DOMAIN_STARTING, -1, life->why, OPERATION_RUNNING, NULL);
		step_create(lc, life);
		return;
	}
	if (life->ending == ENDING_CRASHED) {
		state = DOMAIN_CRASHED;
		error_set(&e, ERROR_STATE, "The guest crashed meanwhile.");
	} else if (reboot || life->action == ACTION_PAUSE || life->action == ACTION_RESUME ||
		   life->action == ACTION_START) {
		error_set(&e, ERROR_STATE, "The domain stopped meanwhile.");
	}
	life_move(lc, life, state, -1, life->why,
		  life->action == ACTION_NONE ? OPERATION_RUNNING
		  : e.code		      ? OPERATION_FAILED
					      : OPERATION_SUCCEEDED,
		  e.code ? &e : NULL);
}

static void clear_answered(void *context, const union verbs_message *answer, int fd,
			   const struct error *e)
{
	struct question *q = context;
	struct lifecycle *lc = q->lc;
	struct life *life;

	(void)fd;
	pthread_mutex_lock(&lc->lock);
	life = question_life(q);
	if (life && (answer || e->code == ERROR_NOT_FOUND)) {
		cleared(lc, life);
	} else if (life) {
		fprintf(stderr, "domusd: cannot clear domain %s: %s\n", life->id.name, e->detail);
		life_unsure(lc, life, e);
	}
	pthread_mutex_unlock(&lc->lock);
	free(q);
}

void step_clear(struct lifecycle *lc, struct life *life, enum ending ending, const char *why)
{
	struct question *q = question_new(lc, life, STEP_CLEAR);

	life->ending = ending;
	snprintf(life->why, sizeof(life->why), "%s", why);
	if (!q || keeper_client_ask_domain(lc->keeper, VERB_DOMAIN_KILL, &life->id,
					   LIFECYCLE_CREATE_MS, clear_answered, q, NULL) < 0)
		cannot_ask(lc, life, q);
}

static bool restarts_on_return(struct lifecycle *lc, const struct life *life)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;

	return store_begin_read(lc->services.store, &tx, NULL) == 0 &&
	       store_domain_get(tx, life->id.name, &row, NULL) == 0 &&
	       row.definition.on_pull == ON_PULL_RESTART;
}

void life_device_back(struct lifecycle *lc, struct life *life, const char *device)
{
	char why[120];

	if (life->action != ACTION_NONE || life->step != STEP_NONE ||
	    (life->status.state != DOMAIN_RUNNING && life->status.state != DOMAIN_PAUSED) ||
	    !restarts_on_return(lc, life))
		return;
	snprintf(why, sizeof(why), "what was pulled from %.60s is there again", device);
	life_move(lc, life, DOMAIN_STOPPING, life->status.domid, why, OPERATION_RUNNING, NULL);
	step_clear(lc, life, ENDING_REBUILD, why);
}

/* ---- events ---- */

static void ended(struct lifecycle *lc, struct life *life, const struct verbs_event *event)
{
	enum ending ending = lifecycle_ending(event->state, event->reason, life->action);
	static const char *const why[] = {
		[VERBS_REASON_POWEROFF] = "the guest powered off",
		[VERBS_REASON_REBOOT] = "the guest rebooted",
		[VERBS_REASON_SUSPEND] = "the guest suspended itself",
		[VERBS_REASON_CRASH] = "the guest crashed",
		[VERBS_REASON_WATCHDOG] = "the watchdog ran out",
	};
	const char *text = event->reason < sizeof(why) / sizeof(*why) ? why[event->reason] : NULL;

	if (!text)
		text = ending == ENDING_CRASHED ? "the guest crashed" : "the guest ended";
	if (life->status.state != DOMAIN_STOPPING)
		life_move(lc, life, DOMAIN_STOPPING, life->status.domid, text, OPERATION_RUNNING,
			  NULL);
	step_clear(lc, life, ending, text);
}

/* Destroyed, and not because we asked. */
static void gone(struct lifecycle *lc, struct life *life)
{
	if (life_dead(life))
		return;
	life->turn = ++lc->turn; /* an answer that is under way comes too late */
	life->ending = ENDING_STOPPED;
	snprintf(life->why, sizeof(life->why), "destroyed from outside");
	cleared(lc, life);
}

void life_event(struct lifecycle *lc, struct life *life, const struct verbs_event *event)
{
	enum domain_state state = life->status.state;

	if (life->step == STEP_CLEAR) /* its answer says all */
		return;
	if (life->step == STEP_CREATE) {
		/* of the new one, before the answer; an event of the one before cannot come here:
		 * it was cleared */
		if (event->state == VERBS_SHUTDOWN || event->state == VERBS_CRASHED) {
			life->early = *event;
			life->ended = true;
		}
		return;
	}
	if (life->status.domid >= 0 && event->domid != (uint32_t)life->status.domid &&
	    !life_dead(life))
		return; /* of an earlier life */
	if (event->state == VERBS_SHUTDOWN || event->state == VERBS_CRASHED) {
		ended(lc, life, event);
	} else if (event->state == VERBS_GONE) {
		gone(lc, life);
	} else if (life->step == STEP_NONE && life->action == ACTION_NONE) {
		/* somebody else (xl) paused or resumed it, or a start that nobody waits for is done */
		if (event->state == VERBS_PAUSED && state == DOMAIN_RUNNING)
			life_move(lc, life, DOMAIN_PAUSED, event->domid, "paused from outside",
				  OPERATION_RUNNING, NULL);
		else if (event->state == VERBS_RUNNING && state != DOMAIN_RUNNING) {
			life_move(lc, life, DOMAIN_RUNNING, event->domid, NULL, OPERATION_RUNNING,
				  NULL);
			life_console(lc, life);
		}
	}
}

/* ---- the console ---- */

static void console_answered(void *context, const union verbs_message *answer, int fd,
			     const struct error *e)
{
	struct question *q = context;
	struct lifecycle *lc = q->lc;
	struct life *life;

	(void)e;
	pthread_mutex_lock(&lc->lock);
	life = life_find(lc, q->domain.name);
	if (life && memcmp(life->id.uuid, q->domain.uuid, 16) != 0)
		life = NULL;
	if (answer && fd >= 0) {
		if (life && !life_dead(life))
			console_hub_attach(lc->hub, q->domain.name, fd);
		else
			close(fd);
	} else if (life) {
		life->attached = false; /* the ticker tries again */
	}
	pthread_mutex_unlock(&lc->lock);
	free(q);
}

void life_console(struct lifecycle *lc, struct life *life)
{
	struct question *q = malloc(sizeof(*q));

	if (life->attached || !q || !keeper_client_connected(lc->keeper)) {
		free(q);
		return;
	}
	*q = (struct question){lc, life->id, 0};
	life->attached = true;
	if (keeper_client_ask_domain(lc->keeper, VERB_CONSOLE_OPEN, &life->id, LIFECYCLE_ASK_MS,
				     console_answered, q, NULL) < 0) {
		life->attached = false;
		free(q);
	}
}
