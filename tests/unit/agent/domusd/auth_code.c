#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/auth_code.h"

static void code_reads_as_it_was_made(void **state)
{
	char code[AUTH_CODE_SIZE], read[AUTH_CODE_SIZE];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		auth_code_make(code);
		assert_int_equal(strlen(code), 14);
		assert_true(auth_code_normalise(code, read));
		assert_string_equal(code, read);
	}
}

static void typing_is_forgiven(void **state)
{
	char code[AUTH_CODE_SIZE];

	(void)state;
	assert_true(auth_code_normalise(" oi l0 abcd-efgh", code));
	assert_string_equal(code, "0110-ABCD-EFGH");
}

static void what_is_no_code_is_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "0000",
					    "0000-0000-000",
					    "0000-0000-00000",
					    "0000-0000-000U",
					    "0000-0000-000\xc3"};
	char code[AUTH_CODE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(auth_code_normalise(wrong[i], code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_reads_as_it_was_made),
		cmocka_unit_test(typing_is_forgiven),
		cmocka_unit_test(what_is_no_code_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
