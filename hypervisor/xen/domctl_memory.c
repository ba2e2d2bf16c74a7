/* domctl: a domain's memory. */
#include "core/memory.h"
#include "core/power.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"

#define FLUSH_MAX (1ul << 18) /* frames of one cacheflush: 1 GiB */
#define DEVICE_FRAMES_MAX                                                                          \
	64ul /* frames of one memory_mapping: libxc halves what is refused with E2BIG */

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

/* ---- device registers ---------------------------------------------------------------------------------------------------- */
static bool iomem_permitted(const struct domain *d, uint64_t first, uint64_t last)
{
	if (d->privileged)
		return page_range_is_device(PA(first << PAGE_SHIFT), (last - first + 1)
									     << PAGE_SHIFT);
	for (unsigned i = 0; i < IOMEM_RANGES; i++)
		if (d->xen->iomem[i].last && first >= d->xen->iomem[i].first &&
		    last <= d->xen->iomem[i].last)
			return true;
	return false;
}

static bool range_is_sane(uint64_t first, uint64_t count)
{
	return count != 0 && first + count > first && (first + count) >> (48 - PAGE_SHIFT) == 0;
}

int64_t domctl_iomem_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	uint64_t first = op->u.iomem_permission.first_mfn,
		 last = first + op->u.iomem_permission.nr_mfns - 1;
	unsigned i = 0;

	if (!range_is_sane(first, op->u.iomem_permission.nr_mfns))
		return -EINVAL;
	if (!iomem_permitted(v->domain, first, last))
		return -EPERM;
	LOCK_SCOPE(&d->memory_lock);
	if (op->u.iomem_permission.allow_access) {
		while (i < IOMEM_RANGES && d->xen->iomem[i].last)
			i++;
		if (i == IOMEM_RANGES)
			return -ENOSPC;
		d->xen->iomem[i].first = first;
		d->xen->iomem[i].last = last;
		return 0;
	}
	for (; i < IOMEM_RANGES; i++) /* taken back as it was given */
		if (d->xen->iomem[i].first == first && d->xen->iomem[i].last == last)
			d->xen->iomem[i].first = d->xen->iomem[i].last = 0;
	return 0;
}

int64_t domctl_memory_mapping(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_memory_mapping *m = &op->u.memory_mapping;
	uint64_t last = m->first_mfn + m->nr_mfns - 1;

	if (!range_is_sane(m->first_mfn, m->nr_mfns) || !range_is_sane(m->first_gfn, m->nr_mfns))
		return -EINVAL;
	if (m->nr_mfns > DEVICE_FRAMES_MAX)
		return -E2BIG;
	if (!iomem_permitted(v->domain, m->first_mfn, last) ||
	    !iomem_permitted(d, m->first_mfn, last))
		return -EPERM;
	if (power_has_registers(m->first_mfn << PAGE_SHIFT, m->nr_mfns << PAGE_SHIFT))
		return -EPERM; /* those come and go with their power */
	if (m->add_mapping)
		return memory_map_device(d, IPA(m->first_gfn << PAGE_SHIFT),
					 PA(m->first_mfn << PAGE_SHIFT), m->nr_mfns << PAGE_SHIFT);
	return memory_unmap_range(d, IPA(m->first_gfn << PAGE_SHIFT), m->nr_mfns << PAGE_SHIFT);
}
