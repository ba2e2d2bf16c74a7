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
	struct verbs_create_request create = good_create();
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
	};

	if (argc == 3 && strcmp(argv[1], "write") == 0) {
		seeds_write(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
