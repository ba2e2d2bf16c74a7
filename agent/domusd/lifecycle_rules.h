#ifndef DOMUS_DOMUSD_LIFECYCLE_RULES_H
#define DOMUS_DOMUSD_LIFECYCLE_RULES_H

/* What may happen to a domain, as pure functions. */
#include "domusd/definition.h"
#include "domusd/lifecycle.h"

/*
 * Actions. "so": already so, 200. Anything else that is not a new state is a 409.
 *
 *	           start     shutdown   reboot     kill      pause    resume
 *	stopped    starting  so         not running so       not running not running
 *	crashed    starting  so         not running so       not running not running
 *	starting   so        busy       busy       stopping  busy     busy
 *	running    so        stopping   stopping   stopping  running  so
 *	paused     paused    paused     paused     stopping  so       paused
 *	stopping   busy      so (1)     busy       stopping (2) busy  busy
 *
 * (1) unless it stops in order to reboot: busy. (2) so when it is being killed already.
 * "pause" and "resume" keep their state until keeper has answered. While an operation of a domain
 * runs, every other one but kill is busy; kill takes its place and cancels it.
 */
enum rule {
	RULE_GO,	  /* begin; the new state is in *next */
	RULE_SO,	  /* already so */
	RULE_NOT_RUNNING, /* 409 domain.not_running */
	RULE_PAUSED,	  /* 409 domain.paused */
	RULE_BUSY	  /* 409 domain.busy */
};
/* running: the action whose operation runs, or ACTION_NONE. */
enum rule lifecycle_rule(enum domain_state state, enum lifecycle_action running,
			 enum lifecycle_action action, enum domain_state *next);

/* "start", … as in the paths and in "domain.start". */
const char *lifecycle_action_name(enum lifecycle_action action);

/* What follows when a guest has ended and its remains are gone. */
enum ending {
	ENDING_STOPPED,
	ENDING_CRASHED,
	ENDING_REBUILD /* it asked for a reboot: made again from its definition */
};
/*
 * A guest ended by itself, for `reason`, while `running` was under way. A shutdown that the guest
 * answers by rebooting is a shutdown; a kill always ends in stopped.
 */
enum ending lifecycle_ending(enum verbs_state state, enum verbs_reason reason,
			     enum lifecycle_action running);

/*
 * Whether a domain that ended by itself is started again. The seam for restart policies, which are
 * not there yet: no domain is, whatever its policy says. A guest's own reboot is not a matter of
 * policy.
 */
bool restart_decide(const struct definition *definition, enum ending ending);

/* Start-up and a new connection to keeper: what keeper's list says about a domain that nobody works on. */
enum finding {
	FINDING_RIGHT,	 /* as the database says */
	FINDING_RUNS,	 /* state running */
	FINDING_PAUSED,	 /* state paused */
	FINDING_GONE,	 /* it is not there: stopped */
	FINDING_LOST,	 /* it is not there and nobody had stopped it: stopped, reason lost */
	FINDING_ENDED,	 /* it ended while we were away: clear its remains */
	FINDING_HALF,	 /* half made by a start that nobody waits for: clear it */
	FINDING_WAIT	 /* being built or destroyed right now: look again */
};
/*
 * entry 0: not in the list.
 *
 *	           absent  running  paused  shutdown, crashed  building
 *	stopped    right   runs     paused  ended              wait
 *	crashed    right   runs     paused  ended              wait
 *	starting   gone    runs     half    ended              wait
 *	running    lost    right    paused  ended              wait
 *	paused     lost    runs     right   ended              wait
 *	stopping   gone    runs     paused  ended              wait
 */
enum finding lifecycle_finding(enum domain_state state, unsigned entry);

#endif
