#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/blob_tus.h"

static void metadata_is_read(void **state)
{
	struct tus_metadata m;
	struct error e;

	(void)state;
	assert_int_equal(tus_metadata_parse("name dm1saW51eg==,kind a2VybmVs", &m, &e), 0);
	assert_string_equal(m.name, "vmlinuz");
	assert_int_equal(m.kind, BLOB_KERNEL);
	assert_string_equal(m.sha256, "");
}

static void refused(const char *header, enum error_code code)
{
	struct tus_metadata m;
	struct error e;

	assert_int_equal(tus_metadata_parse(header, &m, &e), -1);
	assert_int_equal(e.code, code);
}

static void malformed_metadata_is_refused(void **state)
{
	(void)state;
	refused(NULL, ERROR_UPLOAD_METADATA);
	refused("", ERROR_UPLOAD_METADATA);
	refused("name", ERROR_UPLOAD_METADATA);
	refused("name !,kind a2VybmVs", ERROR_UPLOAD_METADATA);
	refused("name YQ", ERROR_UPLOAD_METADATA);
	refused("name YQ==,name YQ==,kind a2VybmVs", ERROR_UPLOAD_METADATA);
	refused("name YQ==", ERROR_FIELD_MISSING);
	refused("name Li4veA==,kind a2VybmVs", ERROR_FIELD); /* ../x */
	refused("name YQ==,kind YQ==", ERROR_FIELD);
	refused("name YQ==,kind a2VybmVs,x YQ==", ERROR_FIELD_UNKNOWN);
}

static void numbers_have_digits_only(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(tus_number_parse("N", "0", &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(tus_number_parse("N", "9007199254740992", &n, NULL), 0);
	assert_int_equal(tus_number_parse("N", "9007199254740993", &n, NULL), -1);
	assert_int_equal(tus_number_parse("N", "99999999999999999999", &n, NULL), -1);
	assert_int_equal(tus_number_parse("N", "-1", &n, NULL), -1);
	assert_int_equal(tus_number_parse("N", " 1", &n, NULL), -1);
	assert_int_equal(tus_number_parse("N", "", &n, NULL), -1);
	assert_int_equal(tus_number_parse("N", NULL, &n, NULL), -1);
}

static void checksum_is_32_bytes_of_sha256(void **state)
{
	unsigned char d[32];

	(void)state;
	assert_int_equal(
		tus_checksum_parse("sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", d, NULL),
		0);
	assert_int_equal(d[0], 0xe3);
	assert_int_equal(d[31], 0x55);
	assert_int_equal(tus_checksum_parse("sha1 AAAA", d, NULL), -1);
	assert_int_equal(tus_checksum_parse("sha256 AAAA", d, NULL), -1);
	assert_int_equal(tus_checksum_parse("sha256", d, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_is_read),
		cmocka_unit_test(malformed_metadata_is_refused),
		cmocka_unit_test(numbers_have_digits_only),
		cmocka_unit_test(checksum_is_32_bytes_of_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
