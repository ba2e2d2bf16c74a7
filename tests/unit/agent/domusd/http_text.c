#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/http.h"
#include "domusd/http_text.h"

static void utf8_is_what_rfc_3629_says(void **state)
{
	static const char *const good[] = {
		"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",
					  "\xc0\xaf",
					  "\xc1\x80",
					  "\xe0\x9f\xbf",
					  "\xed\xa0\x80",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xff",
					  "\xc2",
					  "\xe2\x82",
					  "a\xf0\x9f\x8f"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_utf8_valid(bad[i], strlen(bad[i])));
}

static void percent_decoding_refuses_what_is_no_text(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(http_percent_decode("a%2Fb", 5, false, out, sizeof(out)), 0);
	assert_string_equal(out, "a/b");
	assert_int_equal(http_percent_decode("a+b", 3, true, out, sizeof(out)), 0);
	assert_string_equal(out, "a b");
	assert_int_equal(http_percent_decode("%4", 2, false, out, sizeof(out)), -1);
	assert_int_equal(http_percent_decode("%zz", 3, false, out, sizeof(out)), -1);
	assert_int_equal(http_percent_decode("%00", 3, false, out, sizeof(out)), -1);
	assert_int_equal(http_percent_decode("%ff", 3, false, out, sizeof(out)), -1);
	assert_int_equal(http_percent_decode("12345678", 8, false, out, sizeof(out)), -1);
}

static void query_value_is_found_once(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(http_query_find("a=1&b=x%20y", "b", out, sizeof(out)), 1);
	assert_string_equal(out, "x y");
	assert_int_equal(http_query_find("a", "a", out, sizeof(out)), 1);
	assert_string_equal(out, "");
	assert_int_equal(http_query_find("aa=1", "a", out, sizeof(out)), 0);
	assert_int_equal(http_query_find(NULL, "a", out, sizeof(out)), 0);
	assert_int_equal(http_query_find("a=%00", "a", out, sizeof(out)), -1);
	assert_int_equal(http_query_find("a=1&a=1", "a", out, sizeof(out)), -1);
}

static void entity_tags_match_by_revision(void **state)
{
	(void)state;
	assert_true(http_etag_match("\"r7\"", 7, false));
	assert_true(http_etag_match("*", 7, false));
	assert_true(http_etag_match("\"x\" , \"r7\"", 7, false));
	assert_false(http_etag_match("\"r70\"", 7, false));
	assert_false(http_etag_match("r7", 7, false));
	assert_false(http_etag_match("W/\"r7\"", 7, false));
	assert_true(http_etag_match("W/\"r7\"", 7, true));
	assert_false(http_etag_match("", 7, true));
}

static void expect_range(const char *header, int result, int64_t first, int64_t last)
{
	int64_t a = -1, b = -1;
	struct error e;

	assert_int_equal(http_range_parse(header, 100, &a, &b, &e), result);
	if (result == 1) {
		assert_int_equal(a, first);
		assert_int_equal(b, last);
	}
}

static void ranges_are_those_of_rfc_9110(void **state)
{
	(void)state;
	expect_range("bytes=0-9", 1, 0, 9);
	expect_range("bytes=90-", 1, 90, 99);
	expect_range("bytes=-10", 1, 90, 99);
	expect_range("bytes=-1000", 1, 0, 99);
	expect_range("bytes=50-1000", 1, 50, 99);
	expect_range("bytes=50-99999999999999999999999", 1, 50, 99);
	expect_range("bytes=100-", -1, 0, 0);
	expect_range("bytes=99999999999999999999999-", -1, 0, 0);
	expect_range("bytes=-0", -1, 0, 0);
	expect_range("bytes=9-5", 0, 0, 0);
	expect_range("bytes=0-1,5-6", 0, 0, 0);
	expect_range("bytes=-", 0, 0, 0);
	expect_range("lines=0-1", 0, 0, 0);
	expect_range(NULL, 0, 0, 0);
}

static void origin_is_compared_with_host(void **state)
{
	(void)state;
	assert_true(http_origin_matches("https://box:8443", "box:8443"));
	assert_true(http_origin_matches("https://Box", "box:443"));
	assert_false(http_origin_matches("http://box:8443", "box:8443"));
	assert_false(http_origin_matches("https://box.evil", "box"));
	assert_false(http_origin_matches("https://", ""));
	assert_false(http_origin_matches("null", "box"));
	assert_false(http_origin_matches("https://box", NULL));
}

static void lists_types_and_encodings(void **state)
{
	(void)state;
	assert_true(http_list_has("keep-alive, Upgrade", "upgrade"));
	assert_false(http_list_has("upgraded", "upgrade"));
	assert_true(http_media_type_is("application/json; charset=utf-8", "application/json"));
	assert_false(http_media_type_is("application/jsonx", "application/json"));
	assert_false(http_media_type_is(NULL, "application/json"));
	assert_true(http_accepts_gzip("br, gzip"));
	assert_true(http_accepts_gzip("gzip;q=0.5"));
	assert_false(http_accepts_gzip("gzip;q=0, br"));
	assert_false(http_accepts_gzip("x-gzip"));
	assert_false(http_accepts_gzip(NULL));
}

static void depth_ignores_brackets_in_strings(void **state)
{
	(void)state;
	assert_int_equal(http_json_depth("{\"[[[\":[\"\\\"]]\"]}", 17), 2);
	assert_int_equal(http_json_depth("[[[", 3), 3);
	assert_int_equal(http_json_depth("]]][", 4), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(percent_decoding_refuses_what_is_no_text),
		cmocka_unit_test(query_value_is_found_once),
		cmocka_unit_test(entity_tags_match_by_revision),
		cmocka_unit_test(ranges_are_those_of_rfc_9110),
		cmocka_unit_test(origin_is_compared_with_host),
		cmocka_unit_test(lists_types_and_encodings),
		cmocka_unit_test(depth_ignores_brackets_in_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
