#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/routes.h"

static const struct route table[] = {
	{"GET", "/a", PRIVILEGE_NONE, BODY_NONE, 0, NULL, NULL},
	{"GET", "/a/{id}", PRIVILEGE_READ, BODY_NONE, 0, NULL, NULL},
	{"DELETE", "/a/{id}", PRIVILEGE_OPERATE, BODY_NONE, 0, NULL, NULL},
	{"GET", "/a/{id}/b/{name}", PRIVILEGE_READ, BODY_NONE, 0, NULL, NULL},
	{"GET", "/stream", PRIVILEGE_READ, BODY_NONE, ROUTE_STREAMS, NULL, NULL},
};

static struct route_match find(const char *method, const char *path)
{
	struct route_match m;

	route_find(table, sizeof(table) / sizeof(table[0]), method, path, &m);
	return m;
}

static void parameters_are_decoded(void **state)
{
	struct route_match m = find("GET", "/a/x%2dy/b/%C3%A4");

	(void)state;
	assert_ptr_equal(m.route, &table[3]);
	assert_int_equal(m.param_count, 2);
	assert_string_equal(m.values[0], "x-y");
	assert_string_equal(m.values[1], "\xc3\xa4");
}

static void paths_that_could_mislead_match_nothing(void **state)
{
	static const char *const paths[] = {"/a/..",	"/a/.", "/a/%2e%2e", "/a/x%2fy", "/a/%00",
					    "/a/x%5cy", "/a/",	"/a//",	     "//a",	 "/a/x/",
					    "/A",	"",	"/a/%ff",    "/a/x/c/y"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_false(find("GET", paths[i]).path_known);
}

static void parameter_that_is_too_long_matches_nothing(void **state)
{
	char path[400] = "/a/";

	(void)state;
	memset(path + 3, 'x', 127);
	assert_true(find("GET", path).path_known);
	path[130] = 'x';
	assert_false(find("GET", path).path_known);
}

static void other_methods_are_told(void **state)
{
	struct route_match m = find("PUT", "/a/x");

	(void)state;
	assert_null(m.route);
	assert_true(m.path_known);
	assert_string_equal(m.allow, "GET, HEAD, DELETE");
}

static void head_is_get_but_for_streams(void **state)
{
	struct route_match m = find("HEAD", "/a/x");

	(void)state;
	assert_ptr_equal(m.route, &table[1]);
	assert_true(m.head);
	assert_string_equal(m.values[0], "x");
	m = find("HEAD", "/stream");
	assert_null(m.route);
	assert_string_equal(m.allow, "GET");
}

static void every_route_of_ours_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < routes_count; i++) {
		bool stream = routes[i].body == BODY_STREAM;

		assert_true((routes[i].handler == NULL) == stream);
		assert_true((routes[i].stream != NULL) == stream);
		assert_true(routes[i].privilege != PRIVILEGE_NONE ||
			    !(routes[i].flags & ROUTE_IDEMPOTENT));
		for (size_t k = 0; k < i; k++)
			assert_false(!strcmp(routes[i].method, routes[k].method) &&
				     !strcmp(routes[i].pattern, routes[k].pattern));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_decoded),
		cmocka_unit_test(paths_that_could_mislead_match_nothing),
		cmocka_unit_test(parameter_that_is_too_long_matches_nothing),
		cmocka_unit_test(other_methods_are_told),
		cmocka_unit_test(head_is_get_but_for_streams),
		cmocka_unit_test(every_route_of_ours_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
