#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/checks.h"

static const struct check_field inner[] = {
	{.name = "kernel", .type = CHECK_STRING, .required = true, .pattern = CHECK_ID}, {0}};
static const struct check_field item = {.type = CHECK_INTEGER, .min = 0, .max = 7};
static const char *const colours[] = {"red", "green", NULL};
static const struct check_field fields[] = {
	{.name = "name",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = CHECK_NAME,
	 .rule = CHECK_NAME_RULE},
	{.name = "text", .type = CHECK_STRING, .max = 3},
	{.name = "count", .type = CHECK_INTEGER, .min = 1, .max = 32},
	{.name = "on", .type = CHECK_BOOLEAN},
	{.name = "colour", .type = CHECK_STRING, .one_of = colours},
	{.name = "boot", .type = CHECK_OBJECT, .nullable = true, .fields = inner},
	{.name = "list", .type = CHECK_ARRAY, .max = 3, .unique = true, .items = &item},
	{0}};

static void expect(const char *body, const char *pointer, const char *rule)
{
	json_t *value = json_loads(body, JSON_DECODE_ANY, NULL);
	struct error e = {0};
	int result = check_object(value, fields, "", &e);

	assert_non_null(value);
	if (!pointer) {
		assert_int_equal(result, 0);
	} else {
		assert_int_equal(result, -1);
		assert_int_equal(error_http_status(e.code), 422);
		assert_string_equal(e.pointer, pointer);
		assert_string_equal(error_rule(&e), rule);
	}
	json_decref(value);
}

static void good_objects_pass(void **state)
{
	(void)state;
	expect("{\"name\":\"a\"}", NULL, NULL);
	expect("{\"name\":\"a-1\",\"text\":\"\xc3\xa4\xc3\xb6\xc3\xbc\",\"count\":32,\"on\":false,"
	       "\"colour\":\"red\","
	       "\"boot\":{\"kernel\":\"k\"},\"list\":[0,7,3]}",
	       NULL, NULL);
	expect("{\"name\":\"a\",\"boot\":null}", NULL, NULL);
}

static void each_fault_names_its_field_and_rule(void **state)
{
	(void)state;
	expect("[]", "", "type");
	expect("{}", "/name", "required");
	expect("{\"name\":\"a\",\"nmae\":1}", "/nmae", "unknown");
	expect("{\"name\":1}", "/name", "type");
	expect("{\"name\":null}", "/name", "type");
	expect("{\"name\":\"../x\"}", "/name", "pattern");
	expect("{\"name\":\"a\\n\"}", "/name", "pattern");
	expect("{\"name\":\"a\",\"text\":\"\xc3\xa4\xc3\xb6\xc3\xbc!\"}", "/text", "length");
	expect("{\"name\":\"a\",\"count\":0}", "/count", "range");
	expect("{\"name\":\"a\",\"count\":1.0}", "/count", "type");
	expect("{\"name\":\"a\",\"on\":1}", "/on", "type");
	expect("{\"name\":\"a\",\"colour\":\"blue\"}", "/colour", "enum");
	expect("{\"name\":\"a\",\"boot\":{}}", "/boot/kernel", "required");
	expect("{\"name\":\"a\",\"boot\":{\"kernel\":\"k\",\"x/~\":1}}", "/boot/x~1~0", "unknown");
	expect("{\"name\":\"a\",\"list\":[1,8]}", "/list/1", "range");
	expect("{\"name\":\"a\",\"list\":[1,2,3,4]}", "/list", "length");
	expect("{\"name\":\"a\",\"list\":[1,2,1]}", "/list/2", "duplicate");
}

static void pointer_to_an_endless_name_is_cut_as_utf8(void **state)
{
	char body[1024] = "{\"name\":\"a\",\"";
	struct error e;
	json_t *value;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(body, "\xe2\x82\xac");
	strcat(body, "\":1}");
	value = json_loads(body, 0, NULL);
	assert_int_equal(check_object(value, fields, "", &e), -1);
	json_decref(value);
	value = json_string(e.pointer);
	assert_non_null(value); /* jansson takes valid UTF-8 only */
	json_decref(value);
}

static void decimal_takes_digits_up_to_its_maximum(void **state)
{
	int64_t n = 5;

	(void)state;
	assert_int_equal(check_decimal("0", 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(check_decimal("9223372036854775807", INT64_MAX, &n), 0);
	assert_true(n == INT64_MAX);
	assert_int_equal(check_decimal("9223372036854775808", INT64_MAX, &n), -1);
	assert_int_equal(check_decimal("11", 10, &n), -1);
	assert_int_equal(check_decimal("", 10, &n), -1);
	assert_int_equal(check_decimal("-1", 10, &n), -1);
	assert_int_equal(check_decimal(" 1", 10, &n), -1);
	assert_int_equal(check_decimal("1e1", 10, &n), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_objects_pass),
		cmocka_unit_test(each_fault_names_its_field_and_rule),
		cmocka_unit_test(pointer_to_an_endless_name_is_cut_as_utf8),
		cmocka_unit_test(decimal_takes_digits_up_to_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
