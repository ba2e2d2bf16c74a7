#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/definition.h"

static struct definition d;

static int parse(const char *text, struct error *e)
{
	json_t *json = json_loads(text, 0, NULL);
	int result;

	assert_non_null(json);
	result = definition_parse(json, &d, e);
	json_decref(json);
	return result;
}

static void refused(const char *text, const char *pointer)
{
	struct error e;

	assert_int_equal(parse(text, &e), -1);
	assert_string_equal(e.pointer, pointer);
}

#define SMALL "\"name\":\"a\",\"memory_mib\":64,\"boot\":{\"kernel\":\"k\"}"

static void defaults_are_filled_in(void **state)
{
	(void)state;
	assert_int_equal(parse("{" SMALL "}", NULL), 0);
	assert_int_equal(d.vcpus, 1);
	assert_int_equal(d.cpu.weight, 256);
	assert_int_equal(d.restart.max, 10);
	assert_int_equal(d.restart.policy, RESTART_NEVER);
}

static void text_and_back_is_the_same(void **state)
{
	static struct definition again;
	char *text;

	(void)state;
	assert_int_equal(
		parse("{" SMALL ",\"vcpus\":2,\"disks\":[{\"name\":\"xvda\",\"source\":{\"volume\":"
		      "\"v\"},\"readonly\":true},{\"name\":\"xvdb\",\"source\":{\"device\":\"usb-"
		      "1\"}}],"
		      "\"devices\":[\"usb-1\",\"pcie-00.01.0\"],\"nics\":[{\"network\":\"lan0\"},"
		      "{\"device\":\"pcie-00.01.0\"}],\"cpu\":{"
		      "\"affinity\":[0,63]},\"restart\":{\"policy\":\"always\"},\"autostart\":{"
		      "\"after\":[\"b\"]}}",
		      NULL),
		0);
	text = definition_text(&d);
	assert_int_equal(definition_from_text(text, &again, NULL), 0);
	assert_memory_equal(&d, &again, sizeof(d));
	free(text);
}

static void wrong_fields_are_named(void **state)
{
	(void)state;
	refused("{\"name\":\"a\",\"memory_mib\":64}", "/boot");
	refused("{" SMALL ",\"x/y\":1}", "/x~1y");
	refused("{" SMALL ",\"devices\":[\"../gpu\"]}", "/devices/0");
	refused("{" SMALL ",\"devices\":[\"gpu\",\"gpu\"]}", "/devices/1");
	refused("{" SMALL ",\"disks\":[{\"name\":\"xvda\",\"source\":{\"device\":\"gpu\"}}]}",
		"/disks/0/source/device");
	refused("{" SMALL ",\"disks\":[{\"name\":\"xvda\",\"source\":{}}]}",
		"/disks/0/source/volume");
	refused("{" SMALL ",\"nics\":[{}]}", "/nics/0/network");
	refused("{" SMALL ",\"vcpus\":33}", "/vcpus");
	refused("{" SMALL ",\"nics\":[{\"network\":\"l\",\"mac\":\"01:00:00:00:00:00\"}]}",
		"/nics/0/mac");
	refused("{" SMALL ",\"disks\":[{\"name\":\"xvda\",\"source\":{\"volume\":\"v\"}},"
		"{\"name\":\"xvda\",\"source\":{\"volume\":\"w\"}}]}",
		"/disks/1/name");
	refused("{" SMALL ",\"autostart\":{\"after\":[\"a\"]}}", "/autostart/after/0");
}

static void merges_to(const char *target, const char *patch, const char *result)
{
	json_t *t = json_loads(target, JSON_DECODE_ANY, NULL);
	json_t *p = json_loads(patch, JSON_DECODE_ANY, NULL);
	json_t *r = json_loads(result, JSON_DECODE_ANY, NULL), *m = definition_merge(t, p);

	assert_true(json_equal(m, r));
	json_decref(t);
	json_decref(p);
	json_decref(r);
	json_decref(m);
}

/* RFC 7396 appendix A */
static void merge_patch_does_what_the_rfc_says(void **state)
{
	(void)state;
	merges_to("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	merges_to("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
	merges_to("{\"a\":\"b\"}", "{\"a\":null}", "{}");
	merges_to("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	merges_to("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		  "{\"a\":{\"b\":\"d\"}}");
	merges_to("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
	merges_to("[\"a\"]", "{\"a\":1}", "{\"a\":1}");
	merges_to("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
	merges_to("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
}

static void patch_of_an_unknown_field_is_refused_even_as_null(void **state)
{
	static struct definition after;
	json_t *patch = json_loads("{\"colour\":null}", 0, NULL);
	struct error e;

	(void)state;
	assert_int_equal(parse("{" SMALL "}", NULL), 0);
	assert_int_equal(definition_patch(&d, patch, &after, &e), -1);
	assert_string_equal(e.pointer, "/colour");
	json_decref(patch);
}

static void mac_is_stable_and_differs(void **state)
{
	char a[18], b[18], c[18];

	(void)state;
	definition_mac("web", 0, 0, a);
	definition_mac("web", 0, 0, b);
	definition_mac("web", 1, 0, c);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_memory_equal(a, "00:16:3e:", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(text_and_back_is_the_same),
		cmocka_unit_test(wrong_fields_are_named),
		cmocka_unit_test(merge_patch_does_what_the_rfc_says),
		cmocka_unit_test(patch_of_an_unknown_field_is_refused_even_as_null),
		cmocka_unit_test(mac_is_stable_and_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
