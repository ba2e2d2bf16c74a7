/* domctl: devices that a domain owns itself (iomem=, irqs= of xl). What a domain gets, Dom0 loses until the domain is gone: of the
 * registers Dom0 sees a page of plain memory then, so that a driver which was not unbound does no harm; an interrupt that Dom0
 * has enabled is not given away. */
#include "core/irq.h"
#include "core/memory.h"
#include "core/power.h"
#include "core/unit.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"

#define DEVICE_FRAMES_MAX                                                                          \
	64ul /* frames of one memory_mapping: libxc halves what is refused with E2BIG */

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

/* Dom0's view of a frame of registers: the device, or a page that stands in for it. Only where it is mapped 1:1. */
static void dom0_view(uint64_t mfn, bool device)
{
	static _Alignas(4096) uint8_t stand_in[PAGE_SIZE];
	struct domain *dom0 = domain_find(0);
	ipa_t ipa = IPA(mfn << PAGE_SHIFT);
	enum stage2_kind now = dom0 ? memory_lookup(dom0, ipa).kind : STAGE2_NONE;

	LOCK_SCOPE(&domain_list_lock);
	if (device && now == STAGE2_SHARED && memory_unmap_page(dom0, ipa) == 0)
		(void)memory_map_device(dom0, ipa, PA(ipa.raw), PAGE_SIZE);
	if (device || now != STAGE2_MMIO)
		return;
	if (memory_map_page(dom0, ipa, mmu_image_pa(stand_in), STAGE2_SHARED) != 0)
		(void)memory_unmap_range(dom0, ipa, PAGE_SIZE);
}

int64_t domctl_memory_mapping(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_memory_mapping *m = &op->u.memory_mapping;
	uint64_t last = m->first_mfn + m->nr_mfns - 1, size = m->nr_mfns << PAGE_SHIFT;
	ipa_t ipa = IPA(m->first_gfn << PAGE_SHIFT);
	int error;

	if (!range_is_sane(m->first_mfn, m->nr_mfns) || !range_is_sane(m->first_gfn, m->nr_mfns))
		return -EINVAL;
	if (m->nr_mfns > DEVICE_FRAMES_MAX)
		return -E2BIG;
	if (!iomem_permitted(v->domain, m->first_mfn, last) ||
	    !iomem_permitted(d, m->first_mfn, last))
		return -EPERM;
	if (power_has_registers(m->first_mfn << PAGE_SHIFT, size))
		return -EPERM; /* those come and go with their power */
	error = m->add_mapping ? memory_map_device(d, ipa, PA(m->first_mfn << PAGE_SHIFT), size)
			       : memory_unmap_range(d, ipa, size);
	for (uint64_t i = 0; !error && !d->privileged && i < m->nr_mfns; i++)
		dom0_view(m->first_mfn + i, !m->add_mapping);
	return error;
}

int64_t domctl_bind_irq(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_bind_pt_irq *b = &op->u.bind_pt_irq;

	(void)v;
	if (b->irq_type != PT_IRQ_TYPE_SPI)
		return -EOPNOTSUPP;
	if (b->machine_irq != b->u.spi.spi)
		return -EINVAL; /* one number for both */
	if (b->machine_irq < 32 || b->machine_irq >= IRQ_MAX)
		return -EPERM;
	if (b->machine_irq - 32 >= d->config.spis)
		return -EINVAL;
	return d->privileged ? -EBUSY : irq_take(b->machine_irq, d);
}

int64_t domctl_unbind_irq(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_bind_pt_irq *b = &op->u.bind_pt_irq;

	(void)v;
	if (b->irq_type != PT_IRQ_TYPE_SPI)
		return -EOPNOTSUPP;
	if (b->machine_irq != b->u.spi.spi)
		return -EINVAL;
	return d->privileged ? -EPERM : irq_give_back(b->machine_irq, d);
}

/* Everything is Dom0's again. What is given back leaves its range, so that the next step goes on there. */
static int device_domain_relinquish(struct domain *d)
{
	if (!d->xen || d->privileged)
		return 0;
	for (unsigned intid = 32; intid < IRQ_MAX; intid++)
		if (d->irqs[intid / 32] >> intid % 32 & 1)
			(void)irq_give_back(intid, d);
	for (unsigned i = 0; i < IOMEM_RANGES; i++) {
		uint64_t *first = &d->xen->iomem[i].first, *last = &d->xen->iomem[i].last;

		while (*last && *first <= *last) {
			dom0_view((*first)++, true);
			if (vcpu_should_yield(vcpu_current()))
				return -ERESTART;
		}
		*last = 0;
	}
	return 0;
}

UNIT(device_unit) = {.name = "device", .domain_relinquish = device_domain_relinquish};
