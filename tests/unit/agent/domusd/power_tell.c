#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/power_internal.h"
#include "domusd/store_internal.h"
#include "domusd/store_rail.h"

static char folder[32];
static struct store *store;
static struct journal *journal;
static struct power *power;
static struct error e;

static int setup(void **state)
{
	char path[64];

	(void)state;
	strcpy(folder, "/tmp/power-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/domus.db", folder);
	assert_int_equal(store_open(path, &store, &e), 0);
	assert_int_equal(journal_open(store, &journal, &e), 0);
	assert_int_equal(power_open(store, journal, &power, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	power_close(power);
	journal_close(journal);
	store_close(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* A slot as keeper tells it. */
static struct verbs_device slot(enum verbs_power p, enum verbs_cause cause, const char *holder)
{
	struct verbs_device d = {.kind = VERBS_KIND_PCIE,
				 .gate = VERBS_GATE_SLOT,
				 .power = (uint16_t)p,
				 .cause = (uint16_t)cause,
				 .since_ns = 1000000,
				 .cluster = UINT32_MAX};

	strcpy(d.id, "pcie-00.01.0");
	strcpy(d.name, "PCIe slot 1");
	strcpy(d.holder.name, holder);
	return d;
}

static void tell(const struct verbs_device *d, const char *domain)
{
	struct telling telling = {
		.device = d, .cause = d->cause, .actor = &actor_system, .domain = domain};

	assert_int_equal(power_tell(power, &telling, &e), 0);
}

static int64_t count(const char *sql)
{
	STORE_TX struct store_tx *tx = NULL;

	assert_int_equal(store_begin_read(store, &tx, &e), 0);
	STORE_STMT sqlite3_stmt *s = store_query(tx, sql, &e, "");
	assert_int_equal(store_step(tx, s, &e), 1);
	return sqlite3_column_int64(s, 0);
}

static void read_row(struct device_row *row)
{
	STORE_TX struct store_tx *tx = NULL;

	assert_int_equal(store_begin_read(store, &tx, &e), 0);
	assert_int_equal(store_device_get(tx, "pcie-00.01.0", row, &e), 0);
}

static void what_is_told_is_a_row(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_OFF, VERBS_CAUSE_BOOT, "");
	struct device_row row;

	(void)state;
	d.content_count = d.contents_known = 1;
	d.contents[0].kind = VERBS_CONTENT_DISK;
	strcpy(d.contents[0].name, "A \"disk\"");
	tell(&d, "");
	read_row(&row);
	assert_int_equal(row.power, VERBS_POWER_OFF);
	assert_int_equal(row.gate, VERBS_GATE_SLOT);
	assert_int_equal(device_wanted(&row), VERBS_POWER_OFF);
	json_t *json = device_json(&row, true);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "contents"), 0), "name")),
			    "A \"disk\"");
	json_decref(json);
}

static void the_same_again_writes_nothing(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_OFF, VERBS_CAUSE_BOOT, "");
	int64_t events;

	(void)state;
	tell(&d, "");
	events = count("SELECT count(*) FROM events");
	tell(&d, "");
	assert_int_equal(count("SELECT count(*) FROM events"), events);
	assert_int_equal(count("SELECT count(*) FROM rail_history"), 1);
}

static void a_switch_is_history_event_and_audit(void **state)
{
	struct verbs_device off = slot(VERBS_POWER_OFF, VERBS_CAUSE_BOOT, "");
	struct verbs_device on = slot(VERBS_POWER_ON, VERBS_CAUSE_START, "web");

	(void)state;
	tell(&off, "");
	tell(&on, "web");
	assert_int_equal(count("SELECT count(*) FROM rail_history WHERE power = 'on' AND "
			       "previous = 'off' AND cause = 'start' AND domain = 'web'"),
			 1);
	assert_int_equal(count("SELECT count(*) FROM events WHERE type = 'device.power'"), 2);
	assert_int_equal(count("SELECT count(*) FROM audit WHERE action = 'device.power'"), 2);
}

static void what_changed_by_itself_is_not_audited(void **state)
{
	struct verbs_device off = slot(VERBS_POWER_OFF, VERBS_CAUSE_NONE, "");
	struct verbs_device on = slot(VERBS_POWER_ON, VERBS_CAUSE_FOUND, "");

	(void)state;
	tell(&off, "");
	tell(&on, "");
	assert_int_equal(count("SELECT count(*) FROM rail_history"), 2);
	assert_int_equal(count("SELECT count(*) FROM audit"), 0);
}

static void a_correction_is_counted_as_a_violation(void **state)
{
	struct verbs_device on = slot(VERBS_POWER_ON, VERBS_CAUSE_FOUND, "");
	struct verbs_device off = slot(VERBS_POWER_OFF, VERBS_CAUSE_CORRECT, "");

	(void)state;
	tell(&on, "");
	assert_int_equal(power_violations(power), 0);
	tell(&off, "");
	tell(&off, "");
	assert_int_equal(power_violations(power), 1);
}

static void a_fault_is_an_alert_until_it_is_none(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_FAULT, VERBS_CAUSE_END, "");
	struct device_row row;

	(void)state;
	strcpy(d.error, "It was switched off and reads on.");
	tell(&d, "web");
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE code = 'rail.fault' AND "
			       "cleared IS NULL"),
			 1);
	tell(&d, "web");
	assert_int_equal(count("SELECT count(*) FROM alerts"), 1);
	d = slot(VERBS_POWER_OFF, VERBS_CAUSE_CORRECT, "");
	tell(&d, "");
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE cleared IS NULL"), 0);
	read_row(&row);
	assert_string_equal(row.error, "It was switched off and reads on."); /* the last one */
}

static void a_drive_that_is_pulled_under_a_domain_is_an_alert(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_ON, VERBS_CAUSE_START, "web");

	(void)state;
	d.contents_known = 1; /* empty from the start is no news */
	tell(&d, "web");
	assert_int_equal(count("SELECT count(*) FROM alerts"), 0);
	d.content_count = 1;
	d.contents[0].kind = VERBS_CONTENT_DISK;
	tell(&d, "web");
	d.content_count = 0;
	tell(&d, "web");
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE code = 'device.pulled' AND "
			       "cleared IS NULL"),
			 1);
	d.content_count = 1;
	tell(&d, "web");
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE cleared IS NULL"), 0);
}

static void the_history_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < RAIL_HISTORY_KEPT + 30; i++) {
		struct verbs_device d =
			slot(i % 2 ? VERBS_POWER_ON : VERBS_POWER_OFF, VERBS_CAUSE_REQUEST, "");

		tell(&d, "");
	}
	assert_int_equal(count("SELECT count(*) FROM rail_history"), RAIL_HISTORY_KEPT);
}

static void a_device_that_nobody_counts_on_goes_with_its_history(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_FAULT, VERBS_CAUSE_END, "");

	(void)state;
	tell(&d, "");
	assert_int_equal(power_gone(power, d.id, &e), 0);
	assert_int_equal(count("SELECT count(*) FROM devices"), 0);
	assert_int_equal(count("SELECT count(*) FROM rail_history"), 0);
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE cleared IS NULL"), 0);
}

static void a_device_that_policy_counts_on_stays_as_absent(void **state)
{
	struct verbs_device d = slot(VERBS_POWER_ON, VERBS_CAUSE_REQUEST, "");
	struct device_row row;

	(void)state;
	tell(&d, "");
	{
		STORE_TX struct store_tx *tx = NULL;

		assert_int_equal(store_begin(store, &tx, &e), 0);
		assert_int_equal(store_device_policy(tx, d.id, true, "so", &e), 0);
		assert_int_equal(store_commit(&tx, &e), 0);
	}
	assert_int_equal(power_gone(power, d.id, &e), 0);
	read_row(&row);
	assert_false(row.present);
	assert_int_equal(row.power, VERBS_POWER_UNKNOWN);
	assert_int_equal(count("SELECT count(*) FROM alerts WHERE code = 'rail.unknown'"), 1);
}

static void found(void *context, const char *id, bool held)
{
	(void)id, (void)held;
	++*(int *)context;
}

static int breaking(void)
{
	STORE_TX struct store_tx *tx = NULL;
	int n = 0;

	assert_int_equal(store_begin_read(store, &tx, &e), 0);
	assert_int_equal(store_device_violations(tx, found, &n, &e), 0);
	return n;
}

/* One table: is a rail that reads on a violation? */
static void the_rule(void **state)
{
	static const struct {
		const char *holder, *needed;
		bool kept;
		enum verbs_gate gate;
		int violations;
	} cases[] = {
		{"", "", false, VERBS_GATE_SLOT, 1},
		{"", "", true, VERBS_GATE_SLOT, 0},
		{"", "Dom0 is on it", false, VERBS_GATE_SLOT, 0},
		{"nobody-here", "", false, VERBS_GATE_PORT, 1},
		{"", "", false, VERBS_GATE_NONE, 0},
		{"", "", false, VERBS_GATE_HYPERVISOR, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verbs_device d = slot(VERBS_POWER_ON, VERBS_CAUSE_FOUND, cases[i].holder);

		strcpy(d.needed, cases[i].needed);
		d.kept = cases[i].kept;
		d.gate = (uint16_t)cases[i].gate;
		tell(&d, "");
		assert_int_equal(breaking(), cases[i].violations);
		d.power = VERBS_POWER_OFF;
		tell(&d, "");
		assert_int_equal(breaking(), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_told_is_a_row),
		TEST(the_same_again_writes_nothing),
		TEST(a_switch_is_history_event_and_audit),
		TEST(what_changed_by_itself_is_not_audited),
		TEST(a_correction_is_counted_as_a_violation),
		TEST(a_fault_is_an_alert_until_it_is_none),
		TEST(a_drive_that_is_pulled_under_a_domain_is_an_alert),
		TEST(the_history_is_bounded),
		TEST(a_device_that_nobody_counts_on_goes_with_its_history),
		TEST(a_device_that_policy_counts_on_stays_as_absent),
		TEST(the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
