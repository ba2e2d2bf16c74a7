#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/lifecycle_rules.h"

/* The tables in lifecycle_rules.h, once more: S so, N not running, P paused, B busy, or the next state's number. */
static const char actions[DOMAIN_STATE_COUNT][7] = {
	/*                  start shutdown reboot kill pause resume */
	[DOMAIN_STOPPED] = "1SNSNN", [DOMAIN_STARTING] = "SBB4BB", [DOMAIN_RUNNING] = "S4442S",
	[DOMAIN_PAUSED] = "PPP4S3",  [DOMAIN_STOPPING] = "BSB4BB", [DOMAIN_CRASHED] = "1SNSNN",
};

static void actions_follow_the_table(void **state)
{
	static const char letters[] = {
		[RULE_SO] = 'S', [RULE_NOT_RUNNING] = 'N', [RULE_PAUSED] = 'P', [RULE_BUSY] = 'B'};

	(void)state;
	for (int s = 0; s < DOMAIN_STATE_COUNT; s++)
		for (int a = ACTION_START; a < ACTION_COUNT; a++) {
			enum domain_state next;
			enum rule rule = lifecycle_rule((enum domain_state)s, ACTION_NONE,
							(enum lifecycle_action)a, &next);
			char found = rule == RULE_GO ? (char)('0' + (int)next) : letters[rule];

			if (found != actions[s][a - 1])
				fail_msg("%s while %s: %c instead of %c",
					 lifecycle_action_name((enum lifecycle_action)a),
					 domain_state_name((enum domain_state)s), found,
					 actions[s][a - 1]);
		}
}

static void only_kill_overtakes_a_running_operation(void **state)
{
	enum domain_state next;

	(void)state;
	assert_int_equal(lifecycle_rule(DOMAIN_STARTING, ACTION_START, ACTION_KILL, &next),
			 RULE_GO);
	assert_int_equal(lifecycle_rule(DOMAIN_STOPPING, ACTION_SHUTDOWN, ACTION_KILL, &next),
			 RULE_GO);
	assert_int_equal(lifecycle_rule(DOMAIN_STOPPING, ACTION_KILL, ACTION_KILL, &next), RULE_SO);
	assert_int_equal(lifecycle_rule(DOMAIN_STOPPING, ACTION_REBOOT, ACTION_SHUTDOWN, &next),
			 RULE_BUSY);
	assert_int_equal(lifecycle_rule(DOMAIN_RUNNING, ACTION_PAUSE, ACTION_SHUTDOWN, &next),
			 RULE_BUSY);
	assert_int_equal(lifecycle_rule(DOMAIN_PAUSED, ACTION_RESUME, ACTION_PAUSE, &next),
			 RULE_BUSY);
}

static void endings(void **state)
{
	(void)state;
	assert_int_equal(lifecycle_ending(VERBS_SHUTDOWN, VERBS_REASON_POWEROFF, ACTION_NONE),
			 ENDING_STOPPED);
	assert_int_equal(lifecycle_ending(VERBS_SHUTDOWN, VERBS_REASON_REBOOT, ACTION_NONE),
			 ENDING_REBUILD);
	assert_int_equal(lifecycle_ending(VERBS_SHUTDOWN, VERBS_REASON_REBOOT, ACTION_SHUTDOWN),
			 ENDING_STOPPED);
	assert_int_equal(lifecycle_ending(VERBS_SHUTDOWN, VERBS_REASON_WATCHDOG, ACTION_NONE),
			 ENDING_CRASHED);
	assert_int_equal(lifecycle_ending(VERBS_CRASHED, VERBS_REASON_CRASH, ACTION_NONE),
			 ENDING_CRASHED);
	assert_int_equal(lifecycle_ending(VERBS_CRASHED, VERBS_REASON_CRASH, ACTION_KILL),
			 ENDING_STOPPED);
}

static void findings(void **state)
{
	(void)state;
	assert_int_equal(lifecycle_finding(DOMAIN_STOPPED, 0), FINDING_RIGHT);
	assert_int_equal(lifecycle_finding(DOMAIN_CRASHED, 0), FINDING_RIGHT);
	assert_int_equal(lifecycle_finding(DOMAIN_RUNNING, 0), FINDING_LOST);
	assert_int_equal(lifecycle_finding(DOMAIN_STARTING, 0), FINDING_GONE);
	assert_int_equal(lifecycle_finding(DOMAIN_STARTING, VERBS_RUNNING), FINDING_RUNS);
	assert_int_equal(lifecycle_finding(DOMAIN_STARTING, VERBS_PAUSED), FINDING_HALF);
	assert_int_equal(lifecycle_finding(DOMAIN_STARTING, VERBS_BUILDING), FINDING_WAIT);
	assert_int_equal(lifecycle_finding(DOMAIN_RUNNING, VERBS_RUNNING), FINDING_RIGHT);
	assert_int_equal(lifecycle_finding(DOMAIN_RUNNING, VERBS_CRASHED), FINDING_ENDED);
	assert_int_equal(lifecycle_finding(DOMAIN_PAUSED, VERBS_PAUSED), FINDING_RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_follow_the_table),
		cmocka_unit_test(only_kill_overtakes_a_running_operation),
		cmocka_unit_test(endings),
		cmocka_unit_test(findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
