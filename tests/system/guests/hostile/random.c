/* Numbers: xorshift64*, and the ones at which programs break. */
#include "hostile.h"

uint64_t next(struct state *s)
{
	uint64_t x = s->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	s->random = x;
	return x * 0x2545f4914f6cdd1dul;
}

/* Where a careful guest itself lies, as an address or as a frame's number: calls would be answered there, or frames replaced. */
static uint64_t not_itself(uint64_t n)
{
	bool itself = n - GUEST_RAM < POOL - GUEST_RAM ||
		      n - (GUEST_RAM >> 12) < (POOL - GUEST_RAM) >> 12;

	return careful && itself ? 0 : n;
}

static uint64_t any_boundary(struct state *s)
{
	static const uint64_t known[] = {0,
					 0,
					 0,
					 1,
					 1,
					 2,
					 3,
					 4,
					 5,
					 6,
					 7,
					 8,
					 9,
					 15,
					 16,
					 31,
					 32,
					 63,
					 64,
					 65,
					 127,
					 128,
					 255,
					 256,
					 511,
					 512,
					 513,
					 1023,
					 1024,
					 1025,
					 4094,
					 4095,
					 4096,
					 4097,
					 0x7ff0,
					 0x7ff1,
					 0x7ff2,
					 0x7ff3,
					 0x7ff4,
					 0x7fff,
					 0xffff,
					 0x10000,
					 0x38000,
					 0x39000,
					 0x40000,
					 0x41000,
					 0x41400,
					 0x41800,
					 0x7fffffff,
					 0x80000000,
					 0xfffffffe,
					 0xffffffff,
					 1ul << 32,
					 (1ul << 36) - 1,
					 1ul << 36,
					 (1ul << 40) - 1,
					 1ul << 40,
					 (1ul << 48) - 1,
					 1ul << 48,
					 1ul << 52,
					 (1ul << 58) - 1,
					 1ul << 63,
					 ~0ul,
					 ~0ul - 1,
					 ~0ul - 7,
					 ~0ul << 12,
					 (~0ul << 12) - 1,
					 (1ul << 63) - 1};
	unsigned kind = below(s, 8);

	if (kind < 5)
		return known[below(s, sizeof(known) / sizeof(known[0]))];
	if (kind < 7)
		return next(s) & 0xff;
	return next(s) >> below(s, 64);
}

uint64_t boundary(struct state *s)
{
	return not_itself(any_boundary(s));
}

uint64_t pool_page(struct cpu *c)
{
	return POOL + (c->id % VCPUS * POOL_PAGES + below(&states[c->id], POOL_PAGES)) * 0x1000ul;
}

static uint64_t filled(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t *words = (uint64_t *)scratch[c->id];

	for (unsigned i = 0; i < 32; i++)
		words[i] = boundary(s) | (below(s, 3) == 0 ? boundary(s) << 32 : 0);
	return (uint64_t)words;
}

uint64_t pointer(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t good = filled(c);

	switch (below(s, 32)) {
	case 0:
		return good + below(s, 64); /* not aligned */
	case 1:
		return good + 4096 - below(s, 64); /* over the end of a page */
	case 2:
		return GICD + below(s, 0x1000);
	case 3:
		return pool_page(c) + 4096 - below(s, 32); /* into one that may not be there */
	case 4:
		return 0x30000000 + below(s, 0x10000000); /* nothing */
	case 5:
		return GRANTS + below(s, 8192);
	case 6:
		return SHARED_INFO + below(s, 4096);
	case 7:
		return boundary(s);
	}
	return good;
}
