#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/verbs.h"

static struct verbs_create_request good_create(void)
{
	struct verbs_create_request r;

	verbs_start(&r, sizeof(r), VERB_DOMAIN_CREATE, 7);
	strcpy(r.domain.name, "demo");
	r.domain.uuid[3] = 1;
	r.memory_mib = 256;
	r.vcpus = 2;
	r.weight = 256;
	strcpy(r.kernel, "kernel-1");
	r.disk_count = 2;
	strcpy(r.disks[0].vdev, "xvda");
	strcpy(r.disks[0].volume, "v1");
	strcpy(r.disks[1].vdev, "xvdb");
	strcpy(r.disks[1].volume, "v2");
	r.nic_count = 1;
	strcpy(r.nics[0].bridge, "lan0");
	r.nics[0].mac[5] = 1;
	return r;
}

/* Checks a request that a test has spoilt; it must be refused with a sentence. */
static void assert_refused(const void *message, size_t length)
{
	struct error e = {0};

	assert_int_equal(verbs_check_request(message, length, &e), -1);
	assert_int_equal(e.code, ERROR_REQUEST_MALFORMED);
	assert_true(strlen(e.detail) > 10);
}

static void create_that_is_right_is_accepted(void **state)
{
	struct verbs_create_request r = good_create();
	struct error e = {0};

	(void)state;
	assert_int_equal(verbs_check_request(&r, sizeof(r), &e), 0);
}

static void length_must_be_exact(void **state)
{
	struct verbs_create_request r[2] = {good_create(), good_create()};

	(void)state;
	for (size_t length = 0; length < sizeof(r[0]); length++)
		assert_refused(r, length);
	assert_refused(r, sizeof(r[0]) + 1);
	r[0].header.length--;
	assert_refused(r, sizeof(r[0]));
}

static void header_fields_are_checked(void **state)
{
	struct verbs_create_request r = good_create();

	(void)state;
	r.header.magic ^= 1;
	assert_refused(&r, sizeof(r));
	r = good_create();
	r.header.flags = 1;
	assert_refused(&r, sizeof(r));
	r = good_create();
	r.header.status = ERROR_INTERNAL;
	assert_refused(&r, sizeof(r));
	for (unsigned verb = VERB_EVENT_DOMAIN; verb < 65536; verb += 97) {
		r.header.verb = (uint16_t)verb;
		assert_refused(&r, sizeof(r));
	}
}

static void strings_must_end_inside_their_arrays(void **state)
{
	struct verbs_create_request r;

	(void)state;
#define SPOIL(field)                                                                               \
	r = good_create();                                                                         \
	memset((field), 'a', sizeof(field));                                                       \
	assert_refused(&r, sizeof(r))
	SPOIL(r.domain.name);
	SPOIL(r.kernel);
	SPOIL(r.initrd);
	SPOIL(r.pool);
	SPOIL(r.cmdline);
	SPOIL(r.disks[1].volume);
	SPOIL(r.disks[1].vdev);
	SPOIL(r.nics[0].bridge);
#undef SPOIL
}

static void names_keep_to_their_pattern(void **state)
{
	static const char *const bad[] = {"",	   "-demo",	"Demo", "../x", "a/b", "a b",
					  "demo.", "d\xc3\xa9", "a_b",	"a\nb", "~"};

	(void)state;
	assert_true(verbs_name_valid("a"));
	assert_true(verbs_name_valid("0-9"));
	assert_true(verbs_name_valid("a234567890123456789012345678901234567890"));
	assert_false(verbs_name_valid("a2345678901234567890123456789012345678901"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(verbs_name_valid(bad[i]));
	assert_true(verbs_id_valid("-1"));
	assert_false(verbs_id_valid(".."));
	assert_true(verbs_bridge_valid("lan0.1_x"));
	assert_false(verbs_bridge_valid("lan0;reboot"));
	assert_false(verbs_vdev_valid("xvdA"));
	assert_false(verbs_vdev_valid("sda"));
	assert_false(verbs_cmdline_valid("console=hvc0\n"));
	assert_false(verbs_cmdline_valid("\xff"));
}

static void numbers_keep_to_their_range(void **state)
{
	struct verbs_create_request r;

	(void)state;
#define SPOIL(assignment)                                                                          \
	r = good_create();                                                                         \
	assignment;                                                                                \
	assert_refused(&r, sizeof(r))
	SPOIL(r.memory_mib = 0);
	SPOIL(r.memory_mib = UINT64_MAX);
	SPOIL(r.vcpus = 0);
	SPOIL(r.vcpus = VERBS_VCPUS_MAX + 1);
	SPOIL(r.weight = 0);
	SPOIL(r.cap = 201);
	SPOIL(r.paused = 2);
	SPOIL(r.disk_count = VERBS_DISKS_MAX + 1);
	SPOIL(r.disk_count = UINT32_MAX);
	SPOIL(r.nic_count = VERBS_NICS_MAX + 1);
	SPOIL(r.nics[0].devid = VERBS_NICS_MAX);
	SPOIL(r.nics[0].mac[0] = 1);
	SPOIL(r.nics[0].mac[5] = 0);
	SPOIL(memset(r.domain.uuid, 0, 16));
#undef SPOIL
}

static void a_disk_name_stands_once(void **state)
{
	struct verbs_create_request r = good_create();

	(void)state;
	strcpy(r.disks[1].vdev, "xvda");
	assert_refused(&r, sizeof(r));
}

static void failure_carries_the_error_across(void **state)
{
	struct error e = {0}, back = {0};
	struct verbs_failure f;

	(void)state;
	error_set_at(&e, ERROR_MEMORY, "/memory_mib", "Too much.");
	e.retry_after = 3;
	verbs_fail(&f, VERB_DOMAIN_CREATE, 99, &e);
	assert_int_equal(verbs_check_answer(&f, sizeof(f), &back), 0);
	assert_int_equal(f.header.id, 99);
	verbs_error(&f, &back);
	assert_int_equal(back.code, ERROR_MEMORY);
	assert_string_equal(back.pointer, "/memory_mib");
	assert_string_equal(back.detail, "Too much.");
	assert_int_equal(back.retry_after, 3);
}

static void answers_are_checked_like_requests(void **state)
{
	struct verbs_list_response list;
	struct verbs_event event;
	struct error e = {0};

	(void)state;
	verbs_start(&list, sizeof(list), VERB_DOMAIN_LIST, 1);
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), 0);
	list.count = VERBS_PAGE + 1;
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), -1);
	list.count = 1;
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), -1); /* no state */
	list.entries[0].state = VERBS_RUNNING;
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), 0);
	verbs_start(&event, sizeof(event), VERB_EVENT_DOMAIN, 0);
	strcpy(event.domain.name, "demo");
	event.domain.uuid[0] = 1;
	event.state = VERBS_GONE;
	assert_int_equal(verbs_check_answer(&event, sizeof(event), &e), 0);
	event.reason = VERBS_REASON_END;
	assert_int_equal(verbs_check_answer(&event, sizeof(event), &e), -1);
}

/* A domain that owns a port, with the drive in it as a disk, and a slot, with its card as uplink. */
static struct verbs_create_request owner_create(void)
{
	struct verbs_create_request r = good_create();

	r.device_count = 2;
	strcpy(r.devices[0], "usb-00.03.0-1.1");
	strcpy(r.devices[1], "pcie-00.05.0");
	r.disks[0].volume[0] = '\0';
	strcpy(r.disks[0].device, "usb-00.03.0-1.1");
	r.nics[0].bridge[0] = '\0';
	strcpy(r.nics[0].device, "pcie-00.05.0");
	return r;
}

static void devices_of_a_domain_are_checked(void **state)
{
	struct verbs_create_request good = owner_create(), r = good;
	struct error e = {0};

	(void)state;
	assert_int_equal(verbs_check_request(&r, sizeof(r), &e), 0);
	strcpy(r.devices[1], r.devices[0]); /* twice */
	assert_refused(&r, sizeof(r));
	r = good;
	strcpy(r.devices[1], "../config");
	assert_refused(&r, sizeof(r));
	r = good;
	memset(r.devices[1], 'a', sizeof(r.devices[1])); /* does not end */
	assert_refused(&r, sizeof(r));
	r = good;
	r.device_count = VERBS_DEVICES_MAX + 1;
	assert_refused(&r, sizeof(r));
	r = good;
	r.device_count = 1; /* the uplink's slot is not its own */
	assert_refused(&r, sizeof(r));
	r = good;
	strcpy(r.disks[0].volume, "v1"); /* two sources */
	assert_refused(&r, sizeof(r));
	r = good;
	r.disks[0].device[0] = '\0'; /* none */
	assert_refused(&r, sizeof(r));
	r = good;
	r.nics[1] = r.nics[0]; /* one card, two interfaces */
	r.nics[1].devid = 1;
	r.nic_count = 2;
	assert_refused(&r, sizeof(r));
}

static void rail_requests_are_checked(void **state)
{
	struct verbs_devices_request list;
	struct verbs_rail_request r;
	struct error e = {0};

	(void)state;
	verbs_start(&r, sizeof(r), VERB_RAIL_SET, 1);
	assert_refused(&r, sizeof(r));
	strcpy(r.id, "pcie-00.05.0");
	assert_int_equal(verbs_check_request(&r, sizeof(r), &e), 0);
	r.on = 2;
	assert_refused(&r, sizeof(r));
	verbs_start(&r, sizeof(r), VERB_DEVICE_READ, 1);
	strcpy(r.id, "pcie-00.05.0");
	r.on = 1; /* a look does not switch */
	assert_refused(&r, sizeof(r));
	verbs_start(&list, sizeof(list), VERB_DEVICE_LIST, 1);
	assert_int_equal(verbs_check_request(&list, sizeof(list), &e), 0);
	memset(list.after, 'a', sizeof(list.after));
	assert_refused(&list, sizeof(list));
}

static struct verbs_device good_device(const char *id)
{
	struct verbs_device d = {.kind = VERBS_KIND_PCIE,
				 .gate = VERBS_GATE_SLOT,
				 .power = VERBS_POWER_OFF,
				 .content_count = 1,
				 .contents = {{.kind = VERBS_CONTENT_NIC}}};

	strcpy(d.id, id);
	return d;
}

static void devices_in_answers_are_checked(void **state)
{
	static struct verbs_devices_response list;
	struct verbs_device_event v;
	struct error e = {0};

	(void)state;
	verbs_start(&list, sizeof(list), VERB_DEVICE_LIST, 1);
	list.count = 2;
	list.devices[0] = good_device("a");
	list.devices[1] = good_device("b");
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), 0);
	strcpy(list.devices[1].id, "a"); /* paging goes by the order */
	assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), -1);
	verbs_start(&v, sizeof(v), VERB_EVENT_DEVICE, 0);
	v.change = VERBS_CHANGE_POWER;
	v.device = good_device("a");
	assert_int_equal(verbs_check_answer(&v, sizeof(v), &e), 0);
	v.device.power = 0;
	assert_int_equal(verbs_check_answer(&v, sizeof(v), &e), -1);
	v.device = good_device("a");
	strcpy(v.device.contents[0].name, "\x1b[2J");
	assert_int_equal(verbs_check_answer(&v, sizeof(v), &e), -1);
	v.device = good_device("a");
	strcpy(v.device.holder.name, "demo"); /* of no domain: its UUID is zero */
	assert_int_equal(verbs_check_answer(&v, sizeof(v), &e), -1);
	v.device = good_device("a");
	v.change = VERBS_CHANGE_END;
	assert_int_equal(verbs_check_answer(&v, sizeof(v), &e), -1);
}

/* `verbs write DIRECTORY` makes the seeds of tests/fuzz/corpus/verbs */
static void seed_write(const char *directory, const char *name, const void *data, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		exit(1);
}

static void seeds_write(const char *directory)
{
	static struct verbs_devices_response devices;
	struct verbs_create_request create = owner_create();
	struct verbs_device_event event;
	struct verbs_rail_request rail;
	struct verbs_domain_request kill;
	struct verbs_list_response list;
	struct error e = {.code = ERROR_MEMORY, .detail = "No."};
	struct verbs_failure failure;

	seed_write(directory, "create", &create, sizeof(create));
	verbs_start(&kill, sizeof(kill), VERB_DOMAIN_KILL, 1);
	kill.domain = create.domain;
	seed_write(directory, "kill", &kill, sizeof(kill));
	verbs_start(&list, sizeof(list), VERB_DOMAIN_LIST, 1);
	list.count = 1;
	list.entries[0].state = VERBS_RUNNING;
	seed_write(directory, "list", &list, sizeof(list));
	verbs_start(&rail, sizeof(rail), VERB_RAIL_SET, 4);
	strcpy(rail.id, "usb-00.03.0-1.1");
	rail.on = 1;
	seed_write(directory, "rail", &rail, sizeof(rail));
	verbs_start(&devices, sizeof(devices), VERB_DEVICE_LIST, 5);
	devices.count = 2;
	devices.devices[0] = good_device("pcie-00.05.0");
	devices.devices[1] = good_device("usb-00.03.0-1.1");
	seed_write(directory, "devices", &devices, sizeof(devices));
	verbs_start(&event, sizeof(event), VERB_EVENT_DEVICE, 0);
	event.change = VERBS_CHANGE_POWER;
	event.cause = VERBS_CAUSE_START;
	event.device = good_device("pcie-00.05.0");
	seed_write(directory, "device_event", &event, sizeof(event));
	verbs_fail(&failure, VERB_LOG, 1, &e);
	seed_write(directory, "failure", &failure, sizeof(failure));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_that_is_right_is_accepted),
		cmocka_unit_test(length_must_be_exact),
		cmocka_unit_test(header_fields_are_checked),
		cmocka_unit_test(strings_must_end_inside_their_arrays),
		cmocka_unit_test(names_keep_to_their_pattern),
		cmocka_unit_test(numbers_keep_to_their_range),
		cmocka_unit_test(a_disk_name_stands_once),
		cmocka_unit_test(failure_carries_the_error_across),
		cmocka_unit_test(answers_are_checked_like_requests),
		cmocka_unit_test(devices_of_a_domain_are_checked),
		cmocka_unit_test(rail_requests_are_checked),
		cmocka_unit_test(devices_in_answers_are_checked),
	};

	if (argc == 3 && strcmp(argv[1], "write") == 0) {
		seeds_write(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
