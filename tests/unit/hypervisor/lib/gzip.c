/* lib/gzip and lib/inflate: what zlib packs comes out again; what is cut, changed or swollen is refused. */
#include "lib/gzip.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define SIZE_MAX_TEST 400000
static uint8_t content[SIZE_MAX_TEST], file[SIZE_MAX_TEST * 2], out[SIZE_MAX_TEST];

/* Zeros, text-like, noise, and what a program's image has of each. */
static void fill(unsigned kind, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		unsigned what = kind == 3 ? (unsigned)(i / 5000) % 3 : kind;

		x = x * 1664525 + 1013904223;
		content[i] = what == 0 ? 0 : what == 1 ? (uint8_t)("domus it"[x >> 29] + (x >> 20) % 7) : (uint8_t)(x >> 24);
	}
}

static size_t pack(size_t n, int level, int strategy, gz_header *header)
{
	z_stream z = {.next_in = content, .avail_in = (unsigned)n, .next_out = file, .avail_out = sizeof(file)};

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 9, strategy), Z_OK);
	if (header != NULL)
		assert_int_equal(deflateSetHeader(&z, header), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/* In memory of exactly its size, so that the sanitizer sees a read or a write too far. */
static const char *unpack(size_t packed, size_t n)
{
	uint8_t *in = malloc(packed), *to = malloc(n != 0 ? n : 1);
	const char *error;

	memcpy(in, file, packed);
	error = gzip_unpack(in, packed, to, n);
	if (error == NULL)
		memcpy(out, to, n);
	free(in);
	free(to);
	return error;
}

static void test_what_zlib_packs_comes_out_again(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 65535, 65536, SIZE_MAX_TEST};
	static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED};
	uint8_t extra[300] = {1, 2, 3};
	gz_header header = {.text = 1, .extra = extra, .extra_len = sizeof(extra), .name = (uint8_t *)"vmlinux", .comment = (uint8_t *)"",
			    .hcrc = 1};
	uint32_t n;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			for (int level = 0; level <= 9; level += 3)
				for (size_t t = 0; t < sizeof(strategies) / sizeof(strategies[0]); t++) {
					size_t packed;

					fill(kind, sizes[s]);
					packed = pack(sizes[s], level, strategies[t], t % 2 ? &header : NULL);
					assert_true(gzip_is(file, packed));
					assert_null(gzip_size(file, packed, &n));
					assert_int_equal(n, sizes[s]);
					assert_null(unpack(packed, n));
					assert_memory_equal(out, content, n);
				}
}

static void test_the_beginning_alone(void **state)
{
	uint8_t begin[64];
	size_t packed;

	(void)state;
	fill(3, 100000);
	packed = pack(100000, 9, Z_DEFAULT_STRATEGY, NULL);
	assert_null(gzip_begin(file, packed, begin, sizeof(begin)));
	assert_memory_equal(begin, content, sizeof(begin));
	packed = pack(63, 9, Z_DEFAULT_STRATEGY, NULL);
	assert_string_equal(gzip_begin(file, packed, begin, sizeof(begin)), "its content is too short");
}

static void test_a_cut_file_is_refused(void **state)
{
	size_t packed;

	(void)state;
	fill(1, 3000);
	packed = pack(3000, 9, Z_DEFAULT_STRATEGY, NULL);
	for (size_t n = 0; n < packed; n++)
		assert_non_null(unpack(n, 3000));
	/* cut, but with the trailer in its place */
	memmove(file + packed - 108, file + packed - 8, 8);
	assert_string_equal(unpack(packed - 100, 3000), "it is cut short");
}

static void test_any_changed_bit_is_noticed(void **state)
{
	size_t packed;

	(void)state;
	fill(1, 3000);
	packed = pack(3000, 9, Z_DEFAULT_STRATEGY, NULL);
	for (size_t bit = 0; bit < packed * 8; bit++) {
		size_t byte = bit / 8;

		file[byte] ^= (uint8_t)(1 << bit % 8);
		/* time, system and the flag "text" say nothing about the content, nor do the bits that fill up its last byte */
		if (!(byte >= 4 && byte < 10) && bit != 24 && byte != packed - 9)
			assert_non_null(unpack(packed, 3000));
		file[byte] ^= (uint8_t)(1 << bit % 8);
	}
	assert_null(unpack(packed, 3000));
}

static void test_content_that_is_longer_than_it_says_stops(void **state)
{
	uint32_t n;
	size_t packed;

	(void)state;
	fill(0, SIZE_MAX_TEST); /* a thousand to one */
	packed = pack(SIZE_MAX_TEST, 9, Z_DEFAULT_STRATEGY, NULL);
	file[packed - 4] = 0;
	file[packed - 3] = 1;
	file[packed - 2] = file[packed - 1] = 0;
	assert_null(gzip_size(file, packed, &n));
	assert_int_equal(n, 256);
	assert_string_equal(unpack(packed, n), inflate_full);
	memset(file + packed - 4, 0xff, 4);
	assert_null(gzip_size(file, packed, &n));
	assert_string_equal(unpack(packed, SIZE_MAX_TEST + 1), "its content is not as long as it says");
}

static void test_what_follows_is_refused(void **state)
{
	size_t packed;

	(void)state;
	fill(1, 500);
	packed = pack(500, 9, Z_DEFAULT_STRATEGY, NULL);
	memmove(file + packed - 4, file + packed - 8, 8);
	assert_string_equal(unpack(packed + 4, 500), "there is something behind its end");
}

static void test_other_files_are_not_gzip(void **state)
{
	static const uint8_t bzip2[64] = "BZh9", method[64] = {0x1f, 0x8b, 7}, flags[64] = {0x1f, 0x8b, 8, 0xe0},
			     extra[64] = {0x1f, 0x8b, 8, 4, [10] = 0xff, 0xff}, name[64] = {0x1f, 0x8b, 8, 8, [10] = 'x', 'y'};
	uint32_t n;

	(void)state;
	assert_false(gzip_is(bzip2, sizeof(bzip2)));
	assert_false(gzip_is(method, 1));
	assert_non_null(gzip_size(method, sizeof(method), &n));
	assert_non_null(gzip_size(flags, sizeof(flags), &n));
	assert_non_null(gzip_size(extra, sizeof(extra), &n));
	assert_non_null(gzip_size(name, 20, &n)); /* no end before the trailer */
	assert_non_null(gzip_size(flags, 17, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_zlib_packs_comes_out_again),
		cmocka_unit_test(test_the_beginning_alone),
		cmocka_unit_test(test_a_cut_file_is_refused),
		cmocka_unit_test(test_any_changed_bit_is_noticed),
		cmocka_unit_test(test_content_that_is_longer_than_it_says_stops),
		cmocka_unit_test(test_what_follows_is_refused),
		cmocka_unit_test(test_other_files_are_not_gzip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
