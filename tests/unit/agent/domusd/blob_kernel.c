#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/blob_kernel.h"

#include <zlib.h>

static unsigned char image[4096];

static void image_make(uint64_t size, uint64_t flags)
{
	memset(image, 0, sizeof(image));
	memcpy(image + 16, &size, 8);
	memcpy(image + 24, &flags, 8);
	memcpy(image + 56, "ARM\x64", 4);
}

static int check(size_t size, uint32_t trailer, struct kernel_info *info, struct error *e)
{
	return kernel_check(image, size, size, trailer, info, e);
}

static void image_is_taken_and_tells_its_memory(void **state)
{
	struct kernel_info info;
	struct error e;

	(void)state;
	image_make(1 << 20, 0xa);
	assert_int_equal(check(sizeof(image), 0, &info, &e), 0);
	assert_int_equal(info.memory, 1 << 20);
	assert_false(info.compressed);
}

static size_t image_compress(void)
{
	static unsigned char packed[sizeof(image)];
	z_stream s = {.next_in = image,
		      .avail_in = sizeof(image),
		      .next_out = packed,
		      .avail_out = sizeof(packed)};

	assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
	deflateEnd(&s);
	memcpy(image, packed, s.total_out);
	return s.total_out;
}

static void gzip_of_an_image_is_taken(void **state)
{
	struct kernel_info info;
	struct error e;
	size_t size;

	(void)state;
	image_make(1 << 20, 0xa);
	size = image_compress();
	assert_int_equal(check(size, sizeof(image), &info, &e), 0);
	assert_true(info.compressed);
}

static void gzip_of_something_else_is_refused(void **state)
{
	struct kernel_info info;
	struct error e;
	size_t size;

	(void)state;
	memset(image, 'x', sizeof(image));
	size = image_compress();
	assert_int_equal(check(size, sizeof(image), &info, &e), -1);
	assert_int_equal(e.code, ERROR_KERNEL_FORMAT);
}

static void gzip_that_unpacks_to_too_much_is_refused(void **state)
{
	struct kernel_info info;
	struct error e;
	size_t size;

	(void)state;
	image_make(1 << 20, 0xa);
	size = image_compress();
	assert_int_equal(check(size, 0xffffffff, &info, &e), -1);
	assert_int_equal(e.code, ERROR_KERNEL_FORMAT);
}

static void refused_for(size_t size, const char *word)
{
	struct kernel_info info;
	struct error e;

	assert_int_equal(check(size, 0, &info, &e), -1);
	assert_int_equal(e.code, ERROR_KERNEL_FORMAT);
	assert_non_null(strstr(e.detail, word));
}

static void other_formats_are_named(void **state)
{
	(void)state;
	memset(image, 0, sizeof(image));
	memcpy(image,
	       "\x7f"
	       "ELF",
	       4);
	refused_for(sizeof(image), "ELF");
	memset(image, 0, sizeof(image));
	memcpy(image, "MZ\0\0zimg", 8);
	refused_for(sizeof(image), "zboot");
	memset(image, 0, sizeof(image));
	refused_for(0, "something else");
	refused_for(1, "something else");
}

static void cut_header_is_refused(void **state)
{
	(void)state;
	image_make(1 << 20, 0xa);
	for (size_t size = 0; size < 64; size++)
		refused_for(size, "arm64");
}

static void big_endian_old_and_huge_are_refused(void **state)
{
	(void)state;
	image_make(1 << 20, 0xb);
	refused_for(sizeof(image), "big-endian");
	image_make(0, 0xa);
	refused_for(sizeof(image), "3.17");
	image_make(UINT64_MAX, 0xa);
	refused_for(sizeof(image), "MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_is_taken_and_tells_its_memory),
		cmocka_unit_test(gzip_of_an_image_is_taken),
		cmocka_unit_test(gzip_of_something_else_is_refused),
		cmocka_unit_test(gzip_that_unpacks_to_too_much_is_refused),
		cmocka_unit_test(other_formats_are_named),
		cmocka_unit_test(cut_header_is_refused),
		cmocka_unit_test(big_endian_old_and_huge_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
