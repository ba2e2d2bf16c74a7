/* domctl: a domain's memory. */
#include "core/memory.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"

#define FLUSH_MAX (1ul << 18) /* frames of one cacheflush: 1 GiB */

int64_t domctl_max_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	LOCK_SCOPE(&d->memory_lock);
	d->pages_max = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
	return 0;
}

/* Guests are AArch64 at EL1. */
int64_t domctl_address_size(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	if (op->u.address_size.size != 64)
		return -EINVAL;
	return d->pages == 0 ? 0 : -EBUSY;
}

/* In steps; how far it came stands in the structure. */
int64_t domctl_cache_flush(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cacheflush *c = &op->u.cacheflush;
	uint64_t end = c->start_pfn + c->nr_pfns;
	ipa_t at = IPA(c->start_pfn << PAGE_SHIFT);

	if (c->nr_pfns > FLUSH_MAX || end < c->start_pfn || end >> (64 - PAGE_SHIFT))
		return -EINVAL;
	while (at.raw < end << PAGE_SHIFT) {
		memory_cache_flush(d, &at, end << PAGE_SHIFT);
		if (at.raw < end << PAGE_SHIFT && vcpu_should_yield(v)) {
			c->start_pfn = at.raw >> PAGE_SHIFT;
			c->nr_pfns = end - c->start_pfn;
			return hypercall_restart(v, v->restart[0], v->restart[1]);
		}
	}
	return 0;
}

/* The memory for stage 2 tables: a limit here, nothing is set aside. */
int64_t domctl_get_mempool(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	op->u.paging_mempool.size = d->stage2.tables_max == UINT32_MAX
					    ? 0
					    : (uint64_t)d->stage2.tables_max << PAGE_SHIFT;
	return 0;
}

int64_t domctl_set_mempool(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	uint64_t size = op->u.paging_mempool.size;

	(void)v;
	if (size & PAGE_MASK)
		return -EINVAL;
	LOCK_SCOPE(&d->memory_lock);
	if (size >> PAGE_SHIFT >= UINT32_MAX || size >> PAGE_SHIFT < d->stage2.tables)
		return -ENOMEM;
	d->stage2.tables_max = (uint32_t)(size >> PAGE_SHIFT);
	return 0;
}
