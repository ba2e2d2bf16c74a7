/* Emulated address ranges of a domain: a short sorted table, written at creation only. */
#include "core/unit.h"
#include "guest/trap.h"
#include "lib/errno.h"

#define MMIO_REGIONS 6

struct region {
	uint64_t base, end; /* end 0: free */
	bool (*handler)(struct vcpu *v, struct mmio *m, uint64_t offset);
};
/* one more than are used: a region at 0 without size, where every search ends */
static struct region regions[DOMAIN_MAX][MMIO_REGIONS + 1];

bool mmio_emulate(struct vcpu *v, struct mmio *m)
{
	uint64_t at = m->ipa.raw;
	const struct region *r = regions[v->domain->slot];

	/* sorted downwards: the first one that begins at or below the address is the only one that can have it */
	while (at < r->base)
		r++;
	return at < r->end && m->size <= r->end - at && r->handler(v, m, at - r->base);
}

int mmio_register(struct domain *d, ipa_t base, uint64_t size,
		  bool (*handler)(struct vcpu *v, struct mmio *m, uint64_t offset))
{
	struct region *r = regions[d->slot];
	unsigned at = 0;

	if (r[MMIO_REGIONS - 1].end != 0)
		return -ENOSPC;
	if (size == 0 || base.raw % PAGE_SIZE || base.raw + size < base.raw)
		return -EINVAL;
	while (r[at].end != 0 && r[at].base > base.raw)
		at++;
	if ((r[at].end > base.raw) || (at > 0 && base.raw + size > r[at - 1].base))
		return -EEXIST;
	for (unsigned i = MMIO_REGIONS - 1; i > at; i--)
		r[i] = r[i - 1];
	r[at] = (struct region){base.raw, base.raw + size, handler};
	return 0;
}

static void mmio_domain_destroy(struct domain *d)
{
	for (unsigned i = 0; i < MMIO_REGIONS; i++)
		regions[d->slot][i] = (struct region){0};
}

UNIT(mmio_unit) = {.name = "mmio", .domain_destroy = mmio_domain_destroy};
