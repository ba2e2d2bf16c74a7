/* Frames: one word each, and a buddy allocator whose links lie in the free frames themselves. Lock: `lock`, inner to a domain's
 * memory lock. */
#include "core/page.h"
#include "lib/bits.h"
#include "lib/print.h"
#include "lib/string.h"

#define ORDER_MAX   18	 /* 1 GiB */
#define ORDER_INNER 0xff /* FREE, but not the first frame of its block */

struct free_block {
	struct free_block *next, **link; /* *link == this */
};

static struct bank {
	uint64_t base, size;
	struct page *words;
} banks[16];
static unsigned bank_count;
static struct free_block *free_list[ORDER_MAX + 1];
static uint64_t free_frames, total_frames;
static struct lock lock = LOCK(LOCK_PAGES);

static uint64_t word(enum page_type type, uint16_t owner, uint32_t count, unsigned order)
{
	return count | (uint64_t)owner << 32 | (uint64_t)type << 48 | (uint64_t)order << 52;
}

struct page *page_of(pa_t pa)
{
	for (unsigned i = 0; i < bank_count; i++)
		if (pa.raw - banks[i].base < banks[i].size)
			return &banks[i].words[(pa.raw - banks[i].base) >> PAGE_SHIFT];
	return NULL;
}

static pa_t address_of(const struct page *p)
{
	for (unsigned i = 0; i < bank_count; i++)
		if (p >= banks[i].words && p < banks[i].words + (banks[i].size >> PAGE_SHIFT))
			return PA(banks[i].base + ((uint64_t)(p - banks[i].words) << PAGE_SHIFT));
	panic("a page word that is in no bank");
}

static enum page_type word_type(uint64_t w)
{
	return (enum page_type)bits_get(w, 51, 48);
}

bool page_range_is_device(pa_t base, uint64_t size)
{
	for (unsigned i = 0; i < bank_count; i++) {
		uint64_t from = base.raw > banks[i].base ? base.raw : banks[i].base;
		uint64_t bank_end = banks[i].base + banks[i].size,
			 end = base.raw + size < bank_end ? base.raw + size : bank_end;

		for (; from < end; from += PAGE_SIZE)
			if (page_type(page_of(PA(from))) != PAGE_RESERVED)
				return false;
	}
	return true;
}

enum page_type page_type(const struct page *p)
{
	return word_type(ATOMIC_READ(p->word));
}

uint16_t page_owner(const struct page *p)
{
	uint64_t w = ATOMIC_READ(p->word);

	return word_type(w) >= PAGE_RAM ? (uint16_t)bits_get(w, 47, 32) : DOMID_FIRST_RESERVED;
}

bool page_get(struct page *p, uint16_t owner)
{
	uint64_t w = ATOMIC_READ(p->word);

	do {
		enum page_type t = word_type(w);

		if ((t != PAGE_RAM && t != PAGE_SHARED) || (uint16_t)(w >> 32) != owner ||
		    (uint32_t)w == UINT32_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(&p->word, &w, w + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}

void page_put(struct page *p)
{
	uint64_t w = __atomic_sub_fetch(&p->word, 1, __ATOMIC_ACQ_REL);
	uint16_t owner = (uint16_t)bits_get(w, 47, 32);

	if (likely((uint32_t)w != 0))
		return;
	if (owner == 0 && word_type(w) == PAGE_RAM) {
		/* Dom0 ballooned it out while somebody had it mapped: it waits for Dom0 from now on */
		page_set_type(p, PAGE_KEPT, 0);
		return;
	}
	page_free(address_of(p), 0);
	domain_frames_freed(owner, 1);
}

void page_put_block(pa_t pa, unsigned order)
{
	struct page *p = page_of(pa);
	uint64_t n = 1UL << order, i = 0, w = word(PAGE_RAM, page_owner(p), 1, 0);

	while (i < n && ATOMIC_READ(p[i].word) == w)
		i++;
	if (i == n) {
		page_free(pa, order);
		domain_frames_freed((uint16_t)bits_get(w, 47, 32), n);
		return;
	}
	while (n-- > 0)
		page_put(p++);
}

static void list_add(pa_t pa, unsigned order)
{
	struct free_block *b = pa_to_va(pa);

	b->next = free_list[order];
	b->link = &free_list[order];
	if (b->next != NULL)
		b->next->link = &b->next;
	free_list[order] = b;
	page_of(pa)->word = word(PAGE_FREE, 0, 0, order);
}

static void list_remove(struct free_block *b)
{
	*b->link = b->next;
	if (b->next != NULL)
		b->next->link = b->link;
}

/* The same word for each of the frames, which lie in one bank. */
static void set_words(pa_t pa, uint64_t frames, uint64_t w)
{
	struct page *p = page_of(pa), *end = p + frames;

	/* a machine's boot is mostly this loop: a cache line at a time */
	for (; end - p >= 8; p += 8) {
		p[0].word = w;
		p[1].word = w;
		p[2].word = w;
		p[3].word = w;
		p[4].word = w;
		p[5].word = w;
		p[6].word = w;
		p[7].word = w;
	}
	while (p < end)
		(p++)->word = w;
}

pa_t page_alloc(unsigned order)
{
	unsigned from = order;
	struct free_block *b;
	pa_t pa;

	LOCK_SCOPE(&lock);
	while (from <= ORDER_MAX && free_list[from] == NULL)
		from++;
	if (from > ORDER_MAX)
		return PA(0);
	b = free_list[from];
	list_remove(b);
	pa = va_to_pa(b);
	while (from-- > order)
		list_add(PA(pa.raw + (PAGE_SIZE << from)), from);
	set_words(pa, 1UL << order, word(PAGE_HYP, 0, 0, 0));
	free_frames -= 1UL << order;
	return pa;
}

static void free_locked(pa_t pa, unsigned order)
{
	free_frames += 1UL << order;
	set_words(pa, 1UL << order, word(PAGE_FREE, 0, 0, ORDER_INNER));
	for (; order < ORDER_MAX; order++) {
		pa_t other = PA(pa.raw ^ (PAGE_SIZE << order));
		struct page *p = page_of(other);

		if (p == NULL || p->word != word(PAGE_FREE, 0, 0, order))
			break;
		list_remove(pa_to_va(other));
		p->word = word(PAGE_FREE, 0, 0, ORDER_INNER);
		pa.raw &= ~(PAGE_SIZE << order);
		page_of(pa)->word = word(PAGE_FREE, 0, 0, ORDER_INNER);
	}
	list_add(pa, order);
}

void page_free(pa_t pa, unsigned order)
{
	LOCK_SCOPE(&lock);
	free_locked(pa, order);
}

void *heap_pages(unsigned order)
{
	pa_t pa = page_alloc(order);

	if (pa.raw == 0)
		return NULL;
	memory_clear(pa_to_va(pa), PAGE_SIZE << order);
	return pa_to_va(pa);
}

void heap_free(void *va, unsigned order)
{
	page_free(va_to_pa(va), order);
}

pa_t page_alloc_domain(struct domain *d, unsigned order)
{
	pa_t pa = page_alloc(order);

	if (pa.raw == 0)
		return pa;
	memory_clear_clean(pa_to_va(pa), PAGE_SIZE << order);
	set_words(pa, 1UL << order, word(PAGE_RAM, d->id, 1, 0));
	__atomic_add_fetch(&d->frames, 1UL << order, __ATOMIC_RELAXED);
	return pa;
}

void page_share(void *va, struct domain *d)
{
	/* for a guest whose caches are off: not what another domain left in memory below the clear lines */
	cache_clean(va, PAGE_SIZE);
	page_of(va_to_pa(va))->word = word(PAGE_SHARED, d->id, 1, 0);
	__atomic_add_fetch(&d->frames, 1, __ATOMIC_RELAXED);
}

void page_set_type(struct page *p, enum page_type type, uint16_t owner)
{
	ATOMIC_WRITE(p->word, word(type, owner, type >= PAGE_RAM ? 1 : 0, 0));
}

bool page_keep(struct page *p, uint16_t owner)
{
	uint64_t w = word(PAGE_RAM, owner, 1, 0);

	return __atomic_compare_exchange_n(&p->word, &w, word(PAGE_KEPT, owner, 1, 0), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void page_add_bank(pa_t base, uint64_t size, void *words)
{
	if (bank_count == ARRAY_SIZE(banks))
		panic("this machine has more than %zu banks of memory", ARRAY_SIZE(banks));
	memory_clear(words, page_words_size(size)); /* PAGE_RESERVED */
	banks[bank_count++] = (struct bank){base.raw, size, words};
	total_frames += size >> PAGE_SHIFT;
}

void page_set_range(pa_t base, uint64_t size, enum page_type type, uint16_t owner)
{
	set_words(base, size >> PAGE_SHIFT, word(type, owner, type >= PAGE_RAM ? 1 : 0, 0));
}

void page_add_free(pa_t base, uint64_t size)
{
	for (uint64_t at = base.raw, end = base.raw + size; at < end;) {
		unsigned order = 0;

		while (order < ORDER_MAX && at % (PAGE_SIZE << (order + 1)) == 0 &&
		       at + (PAGE_SIZE << (order + 1)) <= end)
			order++;
		page_free(PA(at), order);
		at += PAGE_SIZE << order;
	}
}

uint64_t page_total(void)
{
	return total_frames;
}

uint64_t page_free_count(void)
{
	return ATOMIC_READ(free_frames);
}

pa_t page_highest(void)
{
	uint64_t top = 0;

	for (unsigned i = 0; i < bank_count; i++)
		if (banks[i].base + banks[i].size > top)
			top = banks[i].base + banks[i].size;
	return PA(top - PAGE_SIZE);
}
