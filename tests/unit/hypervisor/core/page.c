/* core/page: frames are in one place only, whatever is taken and given back in whatever order. */
#include "core/page.h"
#include "fake/boot_machine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE 0x40000000ul
#define SIZE MIB(64)
#define WORDS 0x80000000ul /* outside, so that all of the bank is free */

static void bank(void)
{
	page_add_bank(PA(BASE), SIZE, pa_to_va(PA(WORDS)));
	page_add_free(PA(BASE), SIZE);
}

static void run_all_of_it_comes_back_as_one_block(void *arg)
{
	pa_t at[64], whole;

	(void)arg;
	bank();
	CHECK(page_total() == SIZE >> PAGE_SHIFT && page_free_count() == page_total());
	CHECK(page_highest().raw == BASE + SIZE - PAGE_SIZE);
	for (unsigned i = 0; i < 64; i++) {
		at[i] = page_alloc(i % 5);
		CHECK(at[i].raw != 0 && at[i].raw % (PAGE_SIZE << i % 5) == 0);
		CHECK(page_type(page_of(at[i])) == PAGE_HYP && page_owner(page_of(at[i])) == DOMID_FIRST_RESERVED);
	}
	for (unsigned i = 0; i < 64; i++)
		page_free(at[(i * 37) % 64], (i * 37) % 64 % 5);
	CHECK(page_free_count() == page_total());
	whole = page_alloc(14);
	CHECK(whole.raw == BASE);
	CHECK(page_alloc(0).raw == 0); /* there is nothing left, and it says so */
	page_free(whole, 14);
	CHECK(page_alloc(15).raw == 0);
}

static void run_random(void *arg)
{
	static struct {
		pa_t at;
		unsigned order;
	} held[512];
	static uint8_t used[SIZE >> PAGE_SHIFT];
	uint64_t count = 0;

	(void)arg;
	bank();
	srandom(1);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = (unsigned)random() % 512;
		uint64_t first = (held[i].at.raw - BASE) >> PAGE_SHIFT;

		if (held[i].at.raw != 0) {
			memset(used + first, 0, 1ul << held[i].order);
			count -= 1ul << held[i].order;
			page_free(held[i].at, held[i].order);
			held[i].at = PA(0);
		} else {
			held[i].order = (unsigned)random() % 7;
			held[i].at = page_alloc(held[i].order);
			first = (held[i].at.raw - BASE) >> PAGE_SHIFT;
			if (held[i].at.raw == 0)
				continue;
			count += 1ul << held[i].order;
			for (uint64_t n = first; n < first + (1ul << held[i].order); n++) {
				CHECK(used[n] == 0);
				used[n] = 1;
			}
		}
		CHECK(page_free_count() + count == page_total());
	}
	for (unsigned i = 0; i < 512; i++)
		if (held[i].at.raw != 0)
			page_free(held[i].at, held[i].order);
	CHECK(page_alloc(14).raw == BASE);
}

static void run_references(void *arg)
{
	struct domain *d = calloc(1, sizeof(*d));
	struct page *p;
	pa_t at;

	(void)arg;
	memset(pa_to_va(PA(BASE)), 0xa5, SIZE / 2); /* what somebody left there */
	bank();
	d->id = 7;
	at = page_alloc_domain(d, 1);
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		CHECK(((uint8_t *)pa_to_va(at))[i] == 0);
	p = page_of(at);
	CHECK(page_type(p) == PAGE_RAM && page_owner(p) == 7);
	CHECK(!page_get(p, 8));
	CHECK(page_get(p, 7));
	CHECK(!page_keep(p, 7)); /* somebody else has a reference */
	page_put(p);
	CHECK(page_type(p) == PAGE_RAM);
	CHECK(page_keep(p, 7) && page_type(p) == PAGE_KEPT && !page_get(p, 7));
	page_set_type(p, PAGE_RAM, 7);
	page_put(p);
	CHECK(page_type(p) == PAGE_FREE && !page_get(p, 7) && page_owner(p) == DOMID_FIRST_RESERVED);
	page_put(page_of(PA(at.raw + PAGE_SIZE)));
	CHECK(page_free_count() == page_total() && fake_frames_freed[7] == 2);
	p->word = (uint64_t)PAGE_RAM << 48 | 7ul << 32 | UINT32_MAX; /* as many references as there can be */
	CHECK(!page_get(p, 7));
	free(d);
}

static void run_blocks(void *arg)
{
	struct domain *d = calloc(1, sizeof(*d));
	pa_t at;

	(void)arg;
	bank();
	d->id = 5;
	at = page_alloc_domain(d, 9);
	page_put_block(at, 9); /* nobody else: as one */
	CHECK(page_free_count() == page_total() && fake_frames_freed[5] == 512);
	at = page_alloc_domain(d, 9);
	CHECK(page_get(page_of(PA(at.raw + 100 * PAGE_SIZE)), 5));
	page_put_block(at, 9); /* one frame is still mapped by somebody: it stays */
	CHECK(page_free_count() == page_total() - 1 && fake_frames_freed[5] == 512 + 511);
	page_put(page_of(PA(at.raw + 100 * PAGE_SIZE)));
	CHECK(page_free_count() == page_total() && fake_frames_freed[5] == 1024);
	/* Dom0's frames are never anybody else's: the last reference makes them wait for it */
	page_set_range(at, PAGE_SIZE, PAGE_RAM, 0);
	page_put(page_of(at));
	CHECK(page_type(page_of(at)) == PAGE_KEPT && page_owner(page_of(at)) == 0);
	free(d);
}

static void run_banks(void *arg)
{
	(void)arg;
	page_add_bank(PA(BASE), MIB(2), pa_to_va(PA(WORDS)));
	page_add_bank(PA(BASE + MIB(4)), MIB(2), pa_to_va(PA(WORDS + MIB(1))));
	CHECK(page_of(PA(BASE - 1)) == NULL && page_of(PA(BASE + MIB(2))) == NULL && page_of(PA(BASE + MIB(6))) == NULL);
	CHECK(page_type(page_of(PA(BASE + MIB(6) - 1))) == PAGE_RESERVED);
	CHECK(page_range_is_device(PA(BASE - MIB(1)), MIB(16))); /* registers and reserved memory only */
	page_set_range(PA(BASE + MIB(4)), 5 * PAGE_SIZE, PAGE_RAM, 0);
	CHECK(!page_range_is_device(PA(BASE - MIB(1)), MIB(16)));
	CHECK(!page_range_is_device(PA(BASE + MIB(4) + 4 * PAGE_SIZE), PAGE_SIZE));
	CHECK(page_range_is_device(PA(BASE + MIB(4) + 5 * PAGE_SIZE), PAGE_SIZE));
	CHECK(page_range_is_device(PA(0x9000000), PAGE_SIZE));
	/* frames of an odd range, and not one more */
	page_add_free(PA(BASE + 3 * PAGE_SIZE), 11 * PAGE_SIZE);
	CHECK(page_free_count() == 11);
	for (unsigned i = 0; i < 11; i++)
		CHECK(page_alloc(0).raw >= BASE + 3 * PAGE_SIZE);
	CHECK(page_alloc(0).raw == 0);
}

static void run_too_many_banks(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < 17; i++)
		page_add_bank(PA(GIB(i + 1)), MIB(2), pa_to_va(PA(WORDS + MIB(i))));
}

#define TEST(name)                                                                                                     \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		RUNS(run_##name, NULL);                                                                                \
	}
TEST(all_of_it_comes_back_as_one_block)
TEST(random)
TEST(references)
TEST(blocks)
TEST(banks)

static void test_too_many_banks(void **state)
{
	(void)state;
	PANICS(run_too_many_banks, NULL, "more than 16 banks of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_comes_back_as_one_block),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_banks),
		cmocka_unit_test(test_too_many_banks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
