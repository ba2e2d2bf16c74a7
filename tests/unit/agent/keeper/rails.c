#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "keeper/rails_internal.h"

#define DEVICES 6
#define HANG_MS 30000 /* only so that a hang becomes a failure */

/* Gates of the test's own, which do as told. */
static struct fake {
	const char *id, *needed, *group;
	enum verbs_gate gate;
	bool on, stuck, dead, gone, complains;
	unsigned content;
	int64_t late_ms; /* a switch shows so long after it was thrown */
	int64_t due_ms;
	int64_t slow_ms; /* what is in it comes up so long after it was switched on */
	int64_t up_ms;
	unsigned switched;
} fakes[DEVICES];

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static char order[256]; /* of switches: "+a-b" */
static struct hardware hardware;
static struct rails *rails;
static char record[] = "/tmp/rails-XXXXXX";
static int living; /* what rails_alive_fn answers */

static struct {
	pthread_mutex_t lock;
	struct verbs_device_event list[512];
	unsigned count;
} events = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_event(void *context, const struct verbs_device_event *event)
{
	struct error e = {0};

	(void)context;
	/* what keeper sends must pass what domusd checks */
	if (verbs_check_answer(event, sizeof(*event), &e) < 0)
		abort();
	pthread_mutex_lock(&events.lock);
	if (events.count < 512)
		events.list[events.count++] = *event;
	pthread_mutex_unlock(&events.lock);
}

static bool event_seen(const char *id, enum verbs_change change, enum verbs_cause cause)
{
	bool seen = false;

	pthread_mutex_lock(&events.lock);
	for (unsigned i = 0; i < events.count; i++)
		seen |= strcmp(events.list[i].device.id, id) == 0 &&
			events.list[i].change == change && events.list[i].cause == cause;
	pthread_mutex_unlock(&events.lock);
	return seen;
}

static int alive(void *context, const struct verbs_domain *d)
{
	(void)context, (void)d;
	return living;
}

static struct fake *fake_find(const char *id)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		if (fakes[i].id && strcmp(fakes[i].id, id) == 0)
			return &fakes[i];
	}
	return NULL;
}

static void fake_read(struct hardware *h, struct verbs_device *d, bool contents)
{
	struct fake *f = fake_find(d->id);
	bool on;

	(void)h;
	pthread_mutex_lock(&fake_lock);
	on = rails_now_ms() < f->due_ms ? !f->on : f->on;
	d->power = f->dead || f->gone ? VERBS_POWER_UNKNOWN : on ? VERBS_POWER_ON : VERBS_POWER_OFF;
	snprintf(d->error, sizeof(d->error), "%s", f->complains ? "It went off by itself." : "");
	if (contents && on) {
		d->content_count = rails_now_ms() < f->up_ms ? 0 : (uint16_t)f->content;
		memset(d->contents, 0, sizeof(d->contents));
		for (unsigned i = 0; i < d->content_count; i++) {
			d->contents[i].kind = VERBS_CONTENT_DISK;
			strcpy(d->contents[i].node, "sda");
		}
	}
	pthread_mutex_unlock(&fake_lock);
}

static int fake_scan(struct hardware *h, struct inventory *out, struct error *e)
{
	(void)e;
	for (unsigned i = 0; i < DEVICES; i++) {
		struct verbs_device *d;

		if (!fakes[i].id || fakes[i].gone)
			continue;
		d = inventory_add(out, fakes[i].id, VERBS_KIND_PCIE);
		d->gate = (uint16_t)fakes[i].gate;
		snprintf(d->name, sizeof(d->name), "Slot %s", fakes[i].id);
		snprintf(d->needed, sizeof(d->needed), "%s",
			 fakes[i].needed ? fakes[i].needed : "");
		snprintf(d->group, sizeof(d->group), "%s", fakes[i].group ? fakes[i].group : "");
		if (fakes[i].gate == VERBS_GATE_SLOT)
			fake_read(h, d, true);
	}
	return 0;
}

static int fake_set(struct hardware *h, const struct verbs_device *d, bool on, struct error *e)
{
	struct fake *f = fake_find(d->id);

	(void)h;
	if (f->dead)
		return error_set(e, ERROR_RAIL_FAULT, "The bus is dead.");
	pthread_mutex_lock(&fake_lock);
	f->switched++;
	if (strlen(order) < sizeof(order) - 8)
		sprintf(order + strlen(order), "%c%s", on ? '+' : '-', f->id);
	if (!f->stuck) {
		f->complains = false;
		f->on = on;
		f->due_ms = rails_now_ms() + f->late_ms;
		f->up_ms = f->due_ms + f->slow_ms;
	}
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

static int fake_disk(struct hardware *h, const char *node, bool readonly, struct error *e)
{
	(void)h, (void)readonly;
	return strcmp(node, "sda") == 0 ? dup(0) : error_set(e, ERROR_REFERENCE, "No disk.");
}

static int fake_uplink(struct hardware *h, const char *node, char bridge[VERBS_BRIDGE_MAX + 1],
		       struct error *e)
{
	(void)h, (void)bridge;
	return error_set(e, ERROR_REFERENCE, "No interface %s.", node);
}

static void keeper_start(void)
{
	const struct rails_user user = {.event = on_event, .alive = alive};
	struct error e = {0};

	hardware = (struct hardware){.scan = fake_scan,
				     .read = fake_read,
				     .set = fake_set,
				     .disk_open = fake_disk,
				     .uplink_make = fake_uplink,
				     .changed = -1};
	assert_int_equal(rails_open(&hardware, record, &user, &rails, &e), 0);
}

/* Meanwhile the domains have come to live or not: answer is what rails_alive_fn says from then on. */
static void keeper_restart(int answer)
{
	rails_close(rails);
	living = answer;
	order[0] = '\0';
	keeper_start();
}

/* a, b, c: slots that are on; n: needed; g and h: a group. Nothing was ever recorded. */
static int setup(void **state)
{
	(void)state;
	memset(fakes, 0, sizeof(fakes));
	for (unsigned i = 0; i < DEVICES; i++)
		fakes[i] = (struct fake){.gate = VERBS_GATE_SLOT, .on = true};
	fakes[0].id = "a";
	fakes[1].id = "b";
	fakes[2].id = "n";
	fakes[2].needed = "The system is on it.";
	fakes[3].id = "g";
	fakes[4].id = "h";
	fakes[3].group = fakes[4].group = "g";
	fakes[5].id = "x";
	fakes[5].gate = VERBS_GATE_NONE;
	order[0] = '\0';
	events.count = 0;
	living = 1;
	unlink(record);
	keeper_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rails_close(rails);
	unlink(record);
	return 0;
}

static struct verbs_create_request request(const char *name, const char *first, const char *second)
{
	struct verbs_create_request r;

	verbs_start(&r, sizeof(r), VERB_DOMAIN_CREATE, 1);
	strcpy(r.domain.name, name);
	memset(r.domain.uuid, name[0], sizeof(r.domain.uuid));
	strcpy(r.devices[r.device_count++], first);
	if (second)
		strcpy(r.devices[r.device_count++], second);
	return r;
}

static int claim(const char *name, const char *first, const char *second, struct error *e)
{
	struct verbs_create_request r = request(name, first, second);

	*e = (struct error){0};
	return rails_claim(rails, &r, e);
}

static void release(const char *name)
{
	struct verbs_create_request r = request(name, "a", NULL);

	rails_release(rails, &r.domain);
}

static void settle(const char *name)
{
	struct verbs_create_request r = request(name, "a", NULL);

	rails_settle(rails, &r.domain);
}

static struct verbs_device read_now(const char *id)
{
	struct verbs_device d;
	struct error e = {0};

	assert_int_equal(rails_read(rails, id, &d, &e), 0);
	return d;
}

static void power_wait(const char *id, enum verbs_power power)
{
	int64_t until = rails_now_ms() + HANG_MS;

	while (read_now(id).power != power) {
		assert_true(rails_now_ms() < until);
		usleep(10000);
	}
}

static void event_wait(const char *id, enum verbs_change change, enum verbs_cause cause)
{
	int64_t until = rails_now_ms() + HANG_MS;

	while (!event_seen(id, change, cause)) {
		assert_true(rails_now_ms() < until);
		usleep(10000);
	}
}

static void what_nobody_holds_is_off_at_the_start(void **state)
{
	(void)state;
	assert_false(fake_find("a")->on);
	assert_false(fake_find("h")->on);
	assert_int_equal(read_now("a").cause, VERBS_CAUSE_BOOT);
	assert_true(read_now("a").since_ns > 0);
}

static void what_the_appliance_needs_is_never_touched(void **state)
{
	struct verbs_device d;
	struct error e = {0};

	(void)state;
	assert_true(fake_find("n")->on);
	assert_int_equal(rails_set(rails, "n", false, &d, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_NEEDED);
	assert_int_equal(claim("demo", "n", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_NEEDED);
	assert_int_equal(fake_find("n")->switched, 0);
}

static void domain_has_its_devices_and_loses_them(void **state)
{
	struct error e;

	(void)state;
	order[0] = '\0';
	assert_int_equal(claim("demo", "b", "a", &e), 0);
	assert_string_equal(order, "+b+a");
	assert_string_equal(read_now("a").holder.name, "demo");
	assert_int_equal(read_now("a").cause, VERBS_CAUSE_START);
	settle("demo");
	release("demo");
	assert_false(fake_find("a")->on || fake_find("b")->on);
	assert_string_equal(read_now("a").holder.name, "");
	assert_int_equal(read_now("a").cause, VERBS_CAUSE_END);
}

/* A gate may have to end what failed, though it reads off already. */
static void gate_that_complains_is_told_again(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	pthread_mutex_lock(&fake_lock);
	fake_find("a")->on = false;
	fake_find("a")->complains = true;
	pthread_mutex_unlock(&fake_lock);
	order[0] = '\0';
	release("demo");
	assert_string_equal(order, "-a");
	assert_int_equal(read_now("a").power, VERBS_POWER_OFF);
	assert_string_equal(read_now("a").error, "");
}

static void second_domain_is_refused_and_the_first_untouched(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("one", "a", NULL, &e), 0);
	settle("one");
	order[0] = '\0';
	assert_int_equal(claim("two", "b", "a", &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_IN_USE);
	assert_string_equal(e.pointer, "/devices/1");
	assert_string_equal(order, "");
	assert_string_equal(read_now("b").holder.name, "");
}

static void device_that_does_not_come_on_fails_the_start_and_leaves_nothing_on(void **state)
{
	struct error e;

	(void)state;
	fake_find("b")->stuck = true;
	assert_int_equal(claim("demo", "a", "b", &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	assert_string_equal(e.pointer, "/devices/1");
	assert_false(fake_find("a")->on);
	assert_string_equal(read_now("a").holder.name, "");
	assert_string_equal(read_now("b").holder.name, "");
}

static void device_stuck_on_is_a_fault_and_nobody_elses_until_it_is_off(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("one", "a", NULL, &e), 0);
	fake_find("a")->stuck = true;
	release("one");
	assert_int_equal(read_now("a").power, VERBS_POWER_FAULT);
	assert_true(read_now("a").error[0]);
	assert_true(event_seen("a", VERBS_CHANGE_POWER, VERBS_CAUSE_END));
	assert_int_equal(claim("two", "a", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	fake_find("a")->stuck = false;
	power_wait("a", VERBS_POWER_OFF); /* keeper tries again */
	assert_false(fake_find("a")->on);
	assert_int_equal(claim("two", "a", NULL, &e), 0);
}

static void late_gate_is_waited_for(void **state)
{
	struct error e;

	(void)state;
	fake_find("a")->late_ms = 200;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	assert_int_equal(read_now("a").power, VERBS_POWER_ON);
}

static void gate_that_does_not_answer_is_a_fault(void **state)
{
	struct error e;

	(void)state;
	fake_find("a")->dead = true;
	assert_int_equal(claim("demo", "a", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	assert_non_null(strstr(e.detail, "unknown"));
	assert_non_null(strstr(e.detail, "The bus is dead."));
}

static void half_a_group_is_refused(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "g", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_GROUP);
	assert_int_equal(claim("demo", "g", "h", &e), 0);
}

static void what_is_not_there_or_cannot_be_switched_is_refused(void **state)
{
	struct verbs_device d;
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "zzz", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_UNKNOWN);
	assert_int_equal(claim("demo", "x", NULL, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_UNSUPPORTED);
	assert_int_equal(rails_set(rails, "zzz", true, &d, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_UNKNOWN);
}

static void found_on_is_corrected_and_told_as_a_violation(void **state)
{
	(void)state;
	fake_find("a")->on = true;
	event_wait("a", VERBS_CHANGE_POWER, VERBS_CAUSE_CORRECT);
	assert_false(fake_find("a")->on);
	assert_int_equal(read_now("a").power, VERBS_POWER_OFF);
}

static void found_off_under_a_domain_is_told_and_left(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	fake_find("a")->on = false;
	event_wait("a", VERBS_CHANGE_POWER, VERBS_CAUSE_FOUND);
	assert_false(fake_find("a")->on);
	assert_string_equal(read_now("a").holder.name, "demo");
}

static void domain_that_ends_unnoticed_loses_its_devices(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	living = -1; /* the hypervisor does not say: nothing is taken away */
	usleep(50000);
	assert_true(fake_find("a")->on);
	living = 0;
	event_wait("a", VERBS_CHANGE_POWER, VERBS_CAUSE_END);
	assert_int_equal(read_now("a").power, VERBS_POWER_OFF);
	assert_string_equal(read_now("a").holder.name, "");
}

static void domain_in_the_making_is_not_asked_after(void **state)
{
	struct error e;

	(void)state;
	living = 0;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	rails_wake(rails);
	usleep(100000);
	assert_true(fake_find("a")->on);
}

static void next_keeper_knows_who_holds_what(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	keeper_restart(1);
	assert_string_equal(order, "");
	assert_true(fake_find("a")->on);
	assert_string_equal(read_now("a").holder.name, "demo");
	keeper_restart(0);
	assert_string_equal(order, "-a");
	assert_string_equal(read_now("a").holder.name, "");
}

static void next_keeper_finds_out_about_a_switch_that_was_never_settled(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	keeper_restart(0); /* it was killed before the domain was there */
	assert_false(fake_find("a")->on);
}

static void policy_keeps_on_until_it_says_otherwise(void **state)
{
	struct verbs_device d;
	struct error e;

	(void)state;
	assert_int_equal(rails_set(rails, "b", true, &d, &e), 0);
	assert_int_equal(d.power, VERBS_POWER_ON);
	assert_int_equal(d.kept, 1);
	assert_int_equal(rails_set(rails, "b", true, &d, &e), 0);
	assert_int_equal(fake_find("b")->switched, 2); /* off at the start, on once */
	keeper_restart(1);
	assert_true(fake_find("b")->on);
	assert_int_equal(claim("demo", "b", NULL, &e), 0);
	assert_int_equal(rails_set(rails, "b", false, &d, &e), -1);
	assert_int_equal(e.code, ERROR_DEVICE_IN_USE);
	release("demo");
	assert_true(fake_find("b")->on);
	assert_int_equal(rails_set(rails, "b", false, &d, &e), 0);
	assert_false(fake_find("b")->on);
}

static void device_that_vanishes_is_told(void **state)
{
	struct verbs_device d;
	struct error e;

	(void)state;
	fake_find("a")->gone = true;
	event_wait("a", VERBS_CHANGE_WENT, VERBS_CAUSE_FOUND);
	assert_int_equal(rails_read(rails, "a", &d, &e), -1);
	fake_find("a")->gone = false;
	fake_find("a")->on = true;
	event_wait("a", VERBS_CHANGE_CAME, VERBS_CAUSE_FOUND);
	power_wait("a", VERBS_POWER_OFF);
}

static void device_that_vanishes_under_a_domain_stays_its_own(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	fake_find("a")->gone = true;
	event_wait("a", VERBS_CHANGE_POWER, VERBS_CAUSE_FOUND);
	assert_int_equal(read_now("a").power, VERBS_POWER_UNKNOWN);
	assert_string_equal(read_now("a").holder.name, "demo");
	release("demo");
	event_wait("a", VERBS_CHANGE_WENT, VERBS_CAUSE_FOUND);
}

static void drive_that_is_pulled_is_told(void **state)
{
	struct error e;

	(void)state;
	fake_find("a")->content = 1;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	settle("demo");
	assert_int_equal(read_now("a").content_count, 1);
	/* right after power-on an empty slot is no news yet */
	fake_find("a")->content = 0;
	assert_int_equal(read_now("a").content_count, 1);
	rails->list[0]->on_ms -= RAILS_GRACE_MS;
	assert_int_equal(read_now("a").content_count, 0);
	assert_true(event_seen("a", VERBS_CHANGE_CONTENTS, VERBS_CAUSE_FOUND));
}

static void disk_of_a_device_is_opened_when_it_has_shown_up(void **state)
{
	struct error e;
	int fd;

	(void)state;
	fake_find("a")->content = 1;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	fd = rails_disk(rails, "a", false, "/disks/0/source/device", &e);
	assert_true(fd >= 0);
	close(fd);
}

static void disk_that_is_remembered_is_waited_for(void **state)
{
	struct fake *f = fake_find("a");
	struct error e;
	int fd;

	(void)state;
	f->content = 1;
	f->slow_ms = 100;
	assert_int_equal(claim("demo", "a", NULL, &e), 0);
	for (int i = 0; i < 2; i++) { /* the second time it is known what should be there */
		fd = rails_disk(rails, "a", false, "/disks/0/source/device", &e);
		assert_true(fd >= 0);
		assert_true(rails_now_ms() >= f->up_ms);
		close(fd);
		release("demo");
		assert_int_equal(claim("demo", "a", NULL, &e), 0);
	}
}

static void list_comes_in_pages_sorted(void **state)
{
	static struct verbs_devices_response list;
	struct error e = {0};

	(void)state;
	verbs_start(&list, sizeof(list), VERB_DEVICE_LIST, 1);
	assert_int_equal(rails_list(rails, "", &list, &e), 0);
	assert_int_equal(list.count, DEVICES);
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), 0);
	verbs_start(&list, sizeof(list), VERB_DEVICE_LIST, 1);
	assert_int_equal(rails_list(rails, "h", &list, &e), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.devices[0].id, "n");
}

static void record_that_is_damaged_is_left_out(void **state)
{
	struct verbs_device d;

	(void)state;
	assert_true(record_parse("rail a 0 - -", &d));
	assert_true(record_parse("rail a 1 000102030405060708090a0b0c0d0e0f demo", &d));
	assert_string_equal(d.holder.name, "demo");
	assert_int_equal(d.holder.uuid[15], 15);
	assert_true(record_parse("content a 2 1b36 10 10802 A disk", &d));
	assert_string_equal(d.contents[0].name, "A disk");
	assert_false(record_parse("", &d));
	assert_false(record_parse("rail ../a 0 - -", &d));
	assert_false(record_parse("rail a 2 - -", &d));
	assert_false(record_parse("rail a 0 00 demo", &d));
	assert_false(record_parse("rail a 0 000102030405060708090a0b0c0d0e0f DEMO", &d));
	assert_false(record_parse("rail a 0 - - more", &d));
	assert_false(record_parse("content a 9 1 1 1 x", &d));
	assert_false(record_parse("content a 2 1 1 1 \x1b[2J", &d));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_holds_is_off_at_the_start),
		TEST(what_the_appliance_needs_is_never_touched),
		TEST(domain_has_its_devices_and_loses_them),
		TEST(gate_that_complains_is_told_again),
		TEST(second_domain_is_refused_and_the_first_untouched),
		TEST(device_that_does_not_come_on_fails_the_start_and_leaves_nothing_on),
		TEST(device_stuck_on_is_a_fault_and_nobody_elses_until_it_is_off),
		TEST(late_gate_is_waited_for),
		TEST(gate_that_does_not_answer_is_a_fault),
		TEST(half_a_group_is_refused),
		TEST(what_is_not_there_or_cannot_be_switched_is_refused),
		TEST(found_on_is_corrected_and_told_as_a_violation),
		TEST(found_off_under_a_domain_is_told_and_left),
		TEST(domain_that_ends_unnoticed_loses_its_devices),
		TEST(domain_in_the_making_is_not_asked_after),
		TEST(next_keeper_knows_who_holds_what),
		TEST(next_keeper_finds_out_about_a_switch_that_was_never_settled),
		TEST(policy_keeps_on_until_it_says_otherwise),
		TEST(device_that_vanishes_is_told),
		TEST(device_that_vanishes_under_a_domain_stays_its_own),
		TEST(drive_that_is_pulled_is_told),
		TEST(disk_of_a_device_is_opened_when_it_has_shown_up),
		TEST(disk_that_is_remembered_is_waited_for),
		TEST(list_comes_in_pages_sorted),
		TEST(record_that_is_damaged_is_left_out),
	};

	if (mkstemp(record) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
