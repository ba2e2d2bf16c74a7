#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/auth_password.h"

static void right_password_only(void **state)
{
	char text[AUTH_PASSWORD_SIZE], again[AUTH_PASSWORD_SIZE];
	struct error e;

	(void)state;
	assert_int_equal(auth_password_hash("correct horse", text, &e), 0);
	assert_int_equal(auth_password_hash("correct horse", again, &e), 0);
	assert_string_not_equal(text, again); /* salt */
	assert_true(auth_password_verify("correct horse", text));
	assert_false(auth_password_verify("correct hors", text));
	assert_false(auth_password_verify("", text));
}

static void damaged_or_missing_hash_is_nobodys(void **state)
{
	char text[AUTH_PASSWORD_SIZE];
	struct error e;

	(void)state;
	assert_false(auth_password_verify("x", NULL));
	assert_false(auth_password_verify("x", ""));
	assert_false(auth_password_verify("x", "argon2id$v=19$m=19456,t=2,p=1$zz"));
	assert_int_equal(auth_password_hash("x", text, &e), 0);
	text[strlen(text) - 2] = '\0';
	assert_false(auth_password_verify("x", text));
}

/* A hash that ends in the middle of a byte, with what would complete it behind its end. */
static void hash_is_not_read_past_its_end(void **state)
{
	char text[AUTH_PASSWORD_SIZE];
	struct error e;
	size_t i;

	(void)state;
	do { /* until a byte of the hash is below 16, so that one digit says it too */
		assert_int_equal(auth_password_hash("x", text, &e), 0);
		for (i = 30 + 32 + 1; text[i] && text[i] != '0'; i += 2)
			;
	} while (!text[i]);
	assert_true(auth_password_verify("x", text));
	text[i] = text[i + 1];
	text[i + 1] = '\0';
	assert_false(auth_password_verify("x", text));
}

static void form_is_argon2id_with_our_cost(void **state)
{
	char text[AUTH_PASSWORD_SIZE];
	struct error e;

	(void)state;
	assert_int_equal(auth_password_hash("x", text, &e), 0);
	assert_memory_equal(text, "argon2id$v=19$m=19456,t=2,p=1$", 30);
	assert_int_equal(strlen(text), 30 + 32 + 1 + 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_password_only),
		cmocka_unit_test(damaged_or_missing_hash_is_nobodys),
		cmocka_unit_test(hash_is_not_read_past_its_end),
		cmocka_unit_test(form_is_argon2id_with_our_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
