/* Plans, their tokens and assignments, on a database of their own and with a clock of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/assignment.h"
#include "domusd/clock.h"
#include "domusd/plan.h"
#include "domusd/store_device.h"
#include "domusd/store_internal.h"

#define SLOT   "pcie-00.01.0"
#define NIC    "pcie-00.02.0"
#define GPU    "platform-53100000.gpu"
#define SCREEN "platform-56180000.display"
#define CARD   "platform-5b010000.mmc"
#define CORE   "cpu-3"

static char folder[32];
static struct store *store;
static struct journal *journal;
static struct error e;
static int64_t now_ms = 1000;

/* The clock of this program: agent/domusd/clock.c is not linked. */
int64_t clock_wall_ms(void)
{
	return 1000;
}
int64_t clock_monotonic_ms(void)
{
	return now_ms;
}
const char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
	snprintf(text, CLOCK_TEXT_SIZE, "%lld", (long long)wall_ms);
	return text;
}
const char *clock_format_http(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
	return clock_format(wall_ms, text);
}

static void device_add(const char *id, enum verbs_gate gate, const char *group, const char *needed)
{
	STORE_TX struct store_tx *tx = NULL;
	struct device_row row = {
		.kind = VERBS_KIND_PCIE, .gate = gate, .present = true, .power = VERBS_POWER_OFF};

	snprintf(row.id, sizeof(row.id), "%s", id);
	snprintf(row.name, sizeof(row.name), "Device %s", id);
	snprintf(row.together, sizeof(row.together), "%s", group);
	snprintf(row.needed, sizeof(row.needed), "%s", needed);
	strcpy(row.about, "{\"group_reason\":\"They share a stream.\",\"contents\":[]}");
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_device_insert(tx, &row, &e), 0);
	assert_int_equal(store_commit(&tx, &e), 0);
}

/* Changes what keeper tells of a device. */
static void told(const char *id, enum verbs_power power, const char *holder, bool present)
{
	STORE_TX struct store_tx *tx = NULL;
	struct device_row row;

	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_device_get(tx, id, &row, &e), 0);
	row.power = power;
	row.present = present;
	snprintf(row.holder, sizeof(row.holder), "%s", holder);
	assert_int_equal(store_device_tell(tx, &row, &e), 0);
	assert_int_equal(store_commit(&tx, &e), 0);
}

static void definition_fill(struct definition *d, const char *name, const char *one,
			    const char *two)
{
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", name);
	strcpy(d->kernel, "kernel");
	d->vcpus = 1;
	d->memory_mib = 64;
	d->cpu.weight = 256;
	d->restart.window_s = 60;
	for (const char *id = one; id; id = id == one ? two : NULL)
		snprintf(d->devices[d->device_count++], sizeof(d->devices[0]), "%s", id);
}

static void domain_add(const char *name, const char *one, const char *two)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row *row = calloc(1, sizeof(*row));

	definition_fill(&row->definition, name, one, two);
	memcpy(row->id.name, row->definition.name, sizeof(row->id.name));
	row->id.uuid[0] = (uint8_t)name[0];
	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_domain_insert(tx, row, &e), 0);
	assert_int_equal(store_commit(&tx, &e), 0);
	free(row);
}

static void domain_state(const char *name, enum domain_state state)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_status status = {.state = state, .domid = state == DOMAIN_RUNNING ? 7 : -1};

	assert_int_equal(store_begin(store, &tx, &e), 0);
	assert_int_equal(store_domain_set_status(tx, name, &status, &e), 0);
	assert_int_equal(store_commit(&tx, &e), 0);
}

static int setup(void **state)
{
	char path[64];

	(void)state;
	strcpy(folder, "/tmp/plan-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	{
		STORE_TX struct store_tx *tx = NULL;

		assert_int_equal(store_begin(store, &tx, &e), 0);
		assert_true(store_run(tx,
				      "INSERT INTO images (id, name, kind, size, sha256, created) "
				      "VALUES ('kernel', 'k', 'kernel', 1, '', 0)",
				      &e, "") >= 0);
		assert_int_equal(store_commit(&tx, &e), 0);
	}
	device_add(SLOT, VERBS_GATE_SLOT, "", "");
	device_add(NIC, VERBS_GATE_SLOT, "", "");
	device_add(GPU, VERBS_GATE_PLATFORM, GPU, "");
	device_add(SCREEN, VERBS_GATE_PLATFORM, GPU, "");
	device_add(CARD, VERBS_GATE_PLATFORM, "", "The system is on it.");
	device_add(CORE, VERBS_GATE_HYPERVISOR, "", "");
	domain_add("one", SLOT, NULL);
	domain_add("two", NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	journal_close(journal);
	store_close(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* ---- assignments ---- */

/* "" when the definition may have them, else "POINTER RULE". */
static const char *checked(const char *name, const char *first, const char *second)
{
	static char text[64];
	STORE_TX struct store_tx *tx = NULL;
	struct definition *d = calloc(1, sizeof(*d));

	definition_fill(d, name, first, second);
	assert_int_equal(store_begin(store, &tx, &e), 0);
	if (assignment_check(tx, d, &e) == 0)
		text[0] = '\0';
	else
		snprintf(text, sizeof(text), "%s %s", e.pointer, error_rule(&e));
	free(d);
	return text;
}

static void a_definition_gets_what_is_free_and_nothing_else(void **state)
{
	static const struct {
		const char *name, *first, *second, *says;
	} table[] = {
		{"one", SLOT, NULL, ""},
		{"two", NIC, NULL, ""},
		{"two", GPU, SCREEN, ""},
		{"two", NIC, SLOT, "/devices/1 in_use"},
		{"two", GPU, NULL, "/devices/0 group"},
		{"two", NIC, SCREEN, "/devices/1 group"},
		{"two", CARD, NULL, "/devices/0 needed"},
		{"two", CORE, NULL, "/devices/0 unsupported"},
		{"two", "usb-00.09.0-1", NULL, "/devices/0 not_found"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_string_equal(checked(table[i].name, table[i].first, table[i].second),
				    table[i].says);
}

static void what_is_stuck_gone_or_still_held_is_nobody_elses(void **state)
{
	(void)state;
	told(NIC, VERBS_POWER_FAULT, "", true);
	assert_string_equal(checked("two", NIC, NULL), "/devices/0 fault");
	told(NIC, VERBS_POWER_OFF, "", false);
	assert_string_equal(checked("two", NIC, NULL), "/devices/0 not_found");
	/* the domain that has it on was started with it; its definition names it no longer */
	told(NIC, VERBS_POWER_ON, "one", true);
	assert_string_equal(checked("two", NIC, NULL), "/devices/0 in_use");
	assert_string_equal(checked("one", NIC, NULL), "");
	/* its own may be away or stuck: that is found out when it starts */
	told(SLOT, VERBS_POWER_FAULT, "", true);
	assert_string_equal(checked("one", SLOT, NULL), "");
	told(SLOT, VERBS_POWER_UNKNOWN, "", false);
	assert_string_equal(checked("one", SLOT, NULL), "");
}

/* ---- plans ---- */

static struct plan *made(const char *device, const char *owner)
{
	STORE_TX struct store_tx *tx = NULL;
	struct plan_asked asked = {.count = 1};
	struct plan *plan = NULL;

	snprintf(asked.list[0].device, sizeof(asked.list[0].device), "%s", device);
	snprintf(asked.list[0].owner, sizeof(asked.list[0].owner), "%s", owner);
	assert_int_equal(store_begin_read(store, &tx, &e), 0);
	if (plan_make(tx, &asked, &plan, &e) < 0)
		return NULL;
	return plan;
}

/* The code of the only conflict, "" without. */
static const char *conflict(const char *device, const char *owner)
{
	static char code[64];
	struct plan *plan = made(device, owner);

	assert_non_null(plan);
	assert_true(json_array_size(plan->conflicts) <= 1);
	snprintf(code, sizeof(code), "%s",
		 json_array_size(plan->conflicts)
			 ? json_string_value(
				   json_object_get(json_array_get(plan->conflicts, 0), "code"))
			 : "");
	assert_int_equal(plan_applicable(plan), !*code);
	plan_free(plan);
	return code;
}

static void what_stands_in_the_way_is_a_conflict(void **state)
{
	(void)state;
	assert_string_equal(conflict(SLOT, "two"), "");
	assert_string_equal(conflict(SLOT, ""), "");
	assert_string_equal(conflict(CARD, "two"), "device.needed");
	assert_string_equal(conflict(CORE, "two"), "rail.unsupported");
	told(NIC, VERBS_POWER_FAULT, "", true);
	assert_string_equal(conflict(NIC, "two"), "rail.fault");
	told(NIC, VERBS_POWER_OFF, "", false);
	assert_string_equal(conflict(NIC, "two"), "device.unknown");
	told(NIC, VERBS_POWER_ON, "one", true);
	assert_string_equal(conflict(NIC, "two"), "device.in_use");
	/* to be rid of what is gone or stuck is always possible */
	told(SLOT, VERBS_POWER_FAULT, "", true);
	assert_string_equal(conflict(SLOT, ""), "");
	told(SLOT, VERBS_POWER_UNKNOWN, "", false);
	assert_string_equal(conflict(SLOT, ""), "");
}

static void what_is_asked_of_nothing_is_refused_at_its_place(void **state)
{
	(void)state;
	assert_null(made("usb-00.09.0-1", "two"));
	assert_string_equal(e.pointer, "/assignments/0/device");
	assert_null(made(SLOT, "nobody"));
	assert_string_equal(e.pointer, "/assignments/0/owner");
}

static void what_moves_together_moves_along(void **state)
{
	struct plan *plan = made(SCREEN, "two");

	(void)state;
	assert_int_equal(json_array_size(plan->moves), 2);
	assert_int_equal(plan->domain_count, 1);
	assert_int_equal(plan->domains[0]->after.device_count, 2);
	plan_free(plan);
}

static void a_domain_that_runs_with_it_has_to_stop(void **state)
{
	struct plan *plan;

	(void)state;
	domain_state("one", DOMAIN_RUNNING);
	told(SLOT, VERBS_POWER_ON, "one", true);
	plan = made(SLOT, "two");
	assert_false(plan_applicable(plan));
	assert_int_equal(json_array_size(plan->loses_power), 1);
	plan_free(plan);
	/* one that runs, but was started before it had the device, need not */
	told(SLOT, VERBS_POWER_OFF, "", true);
	plan = made(SLOT, "two");
	assert_true(plan_applicable(plan));
	plan_free(plan);
}

/* ---- tokens ---- */

static void kept(const char *device, const char *owner, char token[PLAN_TOKEN_SIZE])
{
	struct plan_asked asked = {.count = 1};
	struct plan *plan = made(device, owner);

	snprintf(asked.list[0].device, sizeof(asked.list[0].device), "%s", device);
	snprintf(asked.list[0].owner, sizeof(asked.list[0].owner), "%s", owner);
	assert_non_null(plan);
	plan_keep(&asked, plan, token);
	plan_free(plan);
}

/* Takes the plan and, if `apply`, applies and commits; ERROR_NONE or what was wrong. */
static enum error_code taken(const char *token, bool apply)
{
	STORE_TX struct store_tx *tx = NULL;
	struct plan *plan = NULL;

	assert_int_equal(store_begin(store, &tx, &e), 0);
	if (plan_take(tx, token, &plan, &e) < 0)
		return e.code;
	if (apply) {
		assert_int_equal(plan_apply(plan, journal, tx, &actor_system, &e), 0);
		assert_int_equal(store_commit(&tx, &e), 0);
	}
	plan_free(plan);
	return ERROR_NONE;
}

static void a_token_is_good_once_and_for_five_minutes(void **state)
{
	char token[PLAN_TOKEN_SIZE], late[PLAN_TOKEN_SIZE];

	(void)state;
	kept(NIC, "two", token);
	kept(GPU, "two", late);
	/* a transaction that does not commit uses nothing up */
	assert_int_equal(taken(token, false), ERROR_NONE);
	now_ms += PLAN_LIFE_MS - 1;
	assert_int_equal(taken(token, true), ERROR_NONE);
	assert_int_equal(taken(token, true), ERROR_PLAN_GONE);
	now_ms += 1;
	assert_int_equal(taken(late, true), ERROR_PLAN_GONE);
	assert_int_equal(taken("no token", true), ERROR_PLAN_GONE);
	assert_int_equal(taken("", true), ERROR_PLAN_GONE);
}

static void a_plan_is_stale_when_what_it_depends_on_has_changed(void **state)
{
	char token[PLAN_TOKEN_SIZE];

	(void)state;
	for (int change = 0; change < 5; change++) {
		kept(NIC, "two", token);
		if (change == 0)
			told(NIC, VERBS_POWER_FAULT, "", true);
		else if (change == 1)
			told(NIC, VERBS_POWER_OFF, "one", true);
		else if (change == 2)
			told(NIC, VERBS_POWER_OFF, "", false);
		else if (change == 3)
			domain_state("two", DOMAIN_RUNNING);
		else {
			char other[PLAN_TOKEN_SIZE];

			kept(NIC, "one", other);
			assert_int_equal(taken(other, true), ERROR_NONE);
		}
		assert_int_equal(taken(token, true), ERROR_PLAN_STALE);
		if (change < 3)
			told(NIC, VERBS_POWER_OFF, "", true);
		domain_state("two", DOMAIN_STOPPED);
	}
	/* its power alone is none of a plan's business */
	kept(NIC, "two", token);
	told(NIC, VERBS_POWER_ON, "", true);
	assert_int_equal(taken(token, true), ERROR_NONE);
}

static void a_plan_with_a_conflict_is_not_applied(void **state)
{
	char token[PLAN_TOKEN_SIZE];

	(void)state;
	kept(CARD, "two", token);
	assert_int_equal(taken(token, true), ERROR_PLAN_CONFLICT);
}

static void the_oldest_plan_makes_room(void **state)
{
	char first[PLAN_TOKEN_SIZE], token[PLAN_TOKEN_SIZE];

	(void)state;
	kept(NIC, "two", first);
	for (int i = 0; i < 63; i++)
		kept(GPU, "two", token);
	assert_int_equal(taken(first, false), ERROR_NONE);
	kept(GPU, "two", token);
	assert_int_equal(taken(first, false), ERROR_PLAN_GONE);
	assert_int_equal(taken(token, false), ERROR_NONE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_definition_gets_what_is_free_and_nothing_else),
		TEST(what_is_stuck_gone_or_still_held_is_nobody_elses),
		TEST(what_stands_in_the_way_is_a_conflict),
		TEST(what_is_asked_of_nothing_is_refused_at_its_place),
		TEST(what_moves_together_moves_along),
		TEST(a_domain_that_runs_with_it_has_to_stop),
		TEST(a_token_is_good_once_and_for_five_minutes),
		TEST(a_plan_is_stale_when_what_it_depends_on_has_changed),
		TEST(a_plan_with_a_conflict_is_not_applied),
		TEST(the_oldest_plan_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
