#include "domusd/lifecycle_rules.h"

static const char *const action_names[ACTION_COUNT] = {"none", "start", "shutdown", "reboot",
						       "kill", "pause", "resume"};

const char *lifecycle_action_name(enum lifecycle_action action)
{
	return action_names[action];
}

static enum rule go(enum domain_state *next, enum domain_state state)
{
	*next = state;
	return RULE_GO;
}

static enum rule rule_dead(enum lifecycle_action action, enum domain_state *next)
{
	if (action == ACTION_START)
		return go(next, DOMAIN_STARTING);
	return action == ACTION_SHUTDOWN || action == ACTION_KILL ? RULE_SO : RULE_NOT_RUNNING;
}

static enum rule rule_running(enum lifecycle_action running, enum lifecycle_action action,
			      enum domain_state *next)
{
	if (action == ACTION_START || (action == ACTION_RESUME && running == ACTION_NONE))
		return RULE_SO;
	if (running != ACTION_NONE)
		return running == action ? RULE_SO : RULE_BUSY;
	return go(next, action == ACTION_PAUSE ? DOMAIN_RUNNING : DOMAIN_STOPPING);
}

static enum rule rule_paused(enum lifecycle_action running, enum lifecycle_action action,
			     enum domain_state *next)
{
	if (running != ACTION_NONE)
		return running == action ? RULE_SO : RULE_BUSY;
	if (action == ACTION_PAUSE)
		return RULE_SO;
	return action == ACTION_RESUME ? go(next, DOMAIN_PAUSED) : RULE_PAUSED;
}

enum rule lifecycle_rule(enum domain_state state, enum lifecycle_action running,
			 enum lifecycle_action action, enum domain_state *next)
{
	*next = state;
	if (state == DOMAIN_STOPPED || state == DOMAIN_CRASHED)
		return rule_dead(action, next);
	if (action == ACTION_KILL)
		return running == ACTION_KILL ? RULE_SO : go(next, DOMAIN_STOPPING);
	if (state == DOMAIN_RUNNING)
		return rule_running(running, action, next);
	if (state == DOMAIN_PAUSED)
		return rule_paused(running, action, next);
	if (state == DOMAIN_STARTING)
		return action == ACTION_START ? RULE_SO : RULE_BUSY;
	/* stopping */
	return action == ACTION_SHUTDOWN && running != ACTION_REBOOT ? RULE_SO : RULE_BUSY;
}

enum ending lifecycle_ending(enum verbs_state state, enum verbs_reason reason,
			     enum lifecycle_action running)
{
	if (running == ACTION_KILL)
		return ENDING_STOPPED;
	if (state == VERBS_CRASHED || reason == VERBS_REASON_CRASH ||
	    reason == VERBS_REASON_WATCHDOG)
		return ENDING_CRASHED;
	if (reason == VERBS_REASON_REBOOT && running != ACTION_SHUTDOWN)
		return ENDING_REBUILD;
	return ENDING_STOPPED;
}

bool restart_decide(const struct definition *definition, enum ending ending)
{
	(void)definition;
	(void)ending;
	return false;
}

enum finding lifecycle_finding(enum domain_state state, unsigned entry)
{
	bool alive = state == DOMAIN_RUNNING || state == DOMAIN_PAUSED;

	switch (entry) {
	case 0:
		if (state == DOMAIN_STOPPED || state == DOMAIN_CRASHED)
			return FINDING_RIGHT;
		return alive ? FINDING_LOST : FINDING_GONE;
	case VERBS_RUNNING:
		return state == DOMAIN_RUNNING ? FINDING_RIGHT : FINDING_RUNS;
	case VERBS_PAUSED:
		if (state == DOMAIN_STARTING)
			return FINDING_HALF;
		return state == DOMAIN_PAUSED ? FINDING_RIGHT : FINDING_PAUSED;
	case VERBS_SHUTDOWN:
	case VERBS_CRASHED:
		return FINDING_ENDED;
	default:
		return FINDING_WAIT;
	}
}
