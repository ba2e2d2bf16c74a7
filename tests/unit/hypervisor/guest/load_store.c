/* Decoding of loads and stores without a syndrome. Instruction words as the assembler makes them. */
#include "guest/load_store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	uint32_t word;
	const char *text;
	struct load_store is;
} good[] = {
	{0xb8404401, "ldr w1, [x0], #4", {true, false, false, 4, 1, {1, 1}, 0, 0, 4}},
	{0xb85fcc01, "ldr w1, [x0, #-4]!", {true, false, false, 4, 1, {1, 1}, 0, -4, -4}},
	{0xf8408441, "ldr x1, [x2], #8", {true, false, true, 8, 1, {1, 1}, 2, 0, 8}},
	{0xf8100fe1, "str x1, [sp, #-256]!", {false, false, true, 8, 1, {1, 1}, 31, -256, -256}},
	{0x38001c01, "strb w1, [x0, #1]!", {false, false, false, 1, 1, {1, 1}, 0, 1, 1}},
	{0x78402401, "ldrh w1, [x0], #2", {true, false, false, 2, 1, {1, 1}, 0, 0, 2}},
	{0x38801401, "ldrsb x1, [x0], #1", {true, true, true, 1, 1, {1, 1}, 0, 0, 1}},
	{0x38c01401, "ldrsb w1, [x0], #1", {true, true, false, 1, 1, {1, 1}, 0, 0, 1}},
	{0xb8804401, "ldrsw x1, [x0], #4", {true, true, true, 4, 1, {1, 1}, 0, 0, 4}},
	{0x29400801, "ldp w1, w2, [x0]", {true, false, false, 4, 2, {1, 2}, 0, 0, 0}},
	{0xa9400801, "ldp x1, x2, [x0]", {true, false, true, 8, 2, {1, 2}, 0, 0, 0}},
	{0x697f0801, "ldpsw x1, x2, [x0, #-8]", {true, true, true, 4, 2, {1, 2}, 0, -8, 0}},
	{0xa8810801, "stp x1, x2, [x0], #16", {false, false, true, 8, 2, {1, 2}, 0, 0, 16}},
	{0xa9bf7bfd,
	 "stp x29, x30, [sp, #-16]!",
	 {false, false, true, 8, 2, {29, 30}, 31, -16, -16}},
	{0x28400801, "ldnp w1, w2, [x0]", {true, false, false, 4, 2, {1, 2}, 0, 0, 0}},
	{0x290007e1, "stp w1, w1, [sp]", {false, false, false, 4, 2, {1, 1}, 31, 0, 0}},
};

static void test_what_can_be_emulated(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		struct load_store l = {0};
		const struct load_store *must = &good[i].is;

		if (!load_store_decode(good[i].word, &l))
			fail_msg("%s is not decoded", good[i].text);
		if (l.load != must->load || l.size != must->size || l.count != must->count ||
		    l.reg[0] != must->reg[0] || l.reg[1] != must->reg[1] || l.base != must->base ||
		    l.offset != must->offset || l.advance != must->advance)
			fail_msg("%s is decoded wrongly", good[i].text);
		if (l.load &&
		    (l.sign_extend != must->sign_extend || (l.size < 8 && l.to64 != must->to64)))
			fail_msg("%s is extended wrongly", good[i].text);
	}
}

static void test_what_is_left_alone(void **state)
{
	static const struct {
		uint32_t word;
		const char *text;
	} bad[] = {
		{0xd503201f, "nop"},
		{0xb9400001, "ldr w1, [x0]"}, /* has a syndrome */
		{0xb8404400, "ldr w0, [x0], #4"},
		{0xb8004400, "str w0, [x0], #4"},
		{0x29400401, "ldp w1, w1, [x0]"},
		{0xa8c10400, "ldp x0, x1, [x0], #16"},
		{0xa8810400, "stp x0, x1, [x0], #16"},
		{0x69000801, "stgp x1, x2, [x0]"},
		{0x68400801, "no-allocate pair of signed words"},
		{0xe9400801, "pair with opc 3"},
		{0x2d400801, "ldp s1, s2, [x0]"},
		{0x3cc10401, "ldr q1, [x0], #16"},
		{0x885f7c01, "ldxr w1, [x0]"},
		{0xb8210001, "ldadd w1, w1, [x0]"},
		{0xf8804401, "prefetch with writeback"},
		{0xb8c04401, "signed word into a word"},
		{0xf8c04401, "signed doubleword"},
		{0x88dffc01, "ldar w1, [x0]"},
		{0x00000000, "udf"},
		{0xffffffff, "nothing"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct load_store l = {0};

		if (load_store_decode(bad[i].word, &l))
			fail_msg("%s is decoded", bad[i].text);
	}
}

/* Whatever the word is: fields stay in their ranges. */
static void test_any_word_is_safe(void **state)
{
	uint32_t word = 1;

	(void)state;
	for (unsigned i = 0; i < 2000000; i++) {
		struct load_store l = {0};

		word = word * 1664525 + 1013904223;
		/* half of them in the space that is looked at */
		if (!load_store_decode(
			    i & 1 ? word : (word & 0xc1ffffff) | 0x28000000 | (i & 2) << 27, &l))
			continue;
		assert_true(l.count == 1 || l.count == 2);
		assert_true(l.size == 1 || l.size == 2 || l.size == 4 || l.size == 8);
		assert_true(l.reg[0] < 32 && l.reg[1] < 32 && l.base < 32);
		assert_true(l.offset >= -512 && l.offset <= 504);
		assert_true(l.advance == 0 || l.offset == 0 || l.offset == l.advance);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_can_be_emulated),
		cmocka_unit_test(test_what_is_left_alone),
		cmocka_unit_test(test_any_word_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
