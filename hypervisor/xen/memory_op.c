/* memory_op: xen/memory.h. A guest's frame numbers are IPAs >> 12. */
#include "core/grant.h"
#include "core/memory.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

#define GFN_MAX		   (1ul << 36)
#define COUNT_MAX	   (~0ul >> MEMOP_EXTENT_SHIFT) /* extents that a restart can count */
#define GUEST_ORDER_MAX	   4 /* guests but Dom0: a page of 64 KiB, the largest granule */
#define MEMOP_EXTENT_SHIFT 6 /* where a restarted call has its position: above the command */

static int ipa_of_gfn(uint64_t gfn, ipa_t *out)
{
	*out = IPA(gfn << PAGE_SHIFT);
	return gfn < GFN_MAX ? 0 : -EINVAL;
}

/* decrease_reservation and populate_physmap: how many extents were done, which is short of nr_extents at the first failure, were
 * it only that there is no such domain, or that an extent is larger than the caller may ask for (memop-max-order in Xen). */
static int64_t reservation(struct vcpu *v, struct xen_memory_reservation *r, unsigned cmd, gva_t at,
			   int (*one)(struct domain *, ipa_t, unsigned))
{
	uint64_t done = v->restart[0];
	struct domain *d;

	if (done >= r->nr_extents || r->nr_extents > COUNT_MAX ||
	    r->extent_order > (v->domain->privileged ? 18 : GUEST_ORDER_MAX) ||
	    domain_by_id(v, r->domid, &d))
		return (int64_t)done;
	while (done < r->nr_extents) {
		uint64_t gfn;
		ipa_t ipa;

		if (guest_copy_in(v, &gfn, GVA(r->extent_start.q + done * sizeof(gfn)),
				  sizeof(gfn)) ||
		    ipa_of_gfn(gfn, &ipa) || one(d, ipa, r->extent_order))
			break;
		if (++done < r->nr_extents && vcpu_should_yield(v))
			return hypercall_restart(v, done << MEMOP_EXTENT_SHIFT | cmd, at.raw);
	}
	return (int64_t)done;
}

static int64_t op_decrease(struct vcpu *v, void *in, gva_t at)
{
	return reservation(v, in, XENMEM_decrease_reservation, at, memory_decrease);
}

static int64_t op_populate(struct vcpu *v, void *in, gva_t at)
{
	return reservation(v, in, XENMEM_populate_physmap, at, memory_populate);
}

/* Shows gfn `index` of another domain at ipa of d. */
static int map_foreign(struct vcpu *v, struct domain *d, uint16_t foreign, uint64_t index,
		       ipa_t ipa)
{
	struct domain *owner;
	struct page *page;
	ipa_t source;
	pa_t pa;
	int error = foreign == DOMID_SELF ? -ESRCH : domain_by_id(v, foreign, &owner);

	if (!error && owner == d)
		error = -EINVAL;
	if (!error && !d->privileged)
		error = -EPERM; /* nor may Dom0 put another's page into a guest */
	if (!error)
		error = ipa_of_gfn(index, &source);
	if (!error)
		error = memory_frame_get(owner, source, true, &pa, &page);
	if (error)
		return error == -EFAULT ? -EINVAL : error;
	error = memory_map_page(d, ipa, pa, STAGE2_FOREIGN);
	if (error)
		page_put(page);
	return error;
}

static int add_to_physmap(struct vcpu *v, struct domain *d, unsigned space, uint16_t foreign,
			  uint64_t index, uint64_t gfn)
{
	ipa_t ipa;
	pa_t pa;
	int error = ipa_of_gfn(gfn, &ipa);

	if (error)
		return error;
	switch (space) {
	case XENMAPSPACE_shared_info:
		if (index != 0)
			return -EINVAL;
		return memory_map_page(d, ipa, va_to_pa(d->xen->shared), STAGE2_SHARED);
	case XENMAPSPACE_grant_table:
		if (index >= GRANT_FRAMES_MAX)
			return -EINVAL; /* status frames (XENMAPIDX_grant_table_status) belong to version 2 */
		error = grant_frame(d, (unsigned)index, &pa);
		return error ? error : memory_map_page(d, ipa, pa, STAGE2_SHARED);
	case XENMAPSPACE_gmfn_foreign:
		return map_foreign(v, d, foreign, index, ipa);
	}
	return -ENOSYS;
}

static int64_t op_add_to_physmap(struct vcpu *v, void *in, gva_t at)
{
	struct xen_add_to_physmap *op = in;
	struct domain *d;
	int error = domain_by_id(v, op->domid, &d);

	if (!error && op->space == XENMAPSPACE_gmfn_foreign)
		error = -ENOSYS; /* has no room for the foreign domain's id: the batch has */
	if (!error)
		error = add_to_physmap(v, d, op->space, 0, op->idx, op->gpfn);
	return error == -ERESTART ? hypercall_restart(v, XENMEM_add_to_physmap, at.raw) : error;
}

static int64_t op_add_to_physmap_batch(struct vcpu *v, void *in, gva_t at)
{
	struct xen_add_to_physmap_batch *op = in;
	struct domain *d;
	int error = domain_by_id(v, op->domid, &d);

	for (uint64_t i = v->restart[0]; !error && i < op->size; i++) {
		xen_ulong_t index;
		xen_pfn_t gfn;
		int result;

		if (guest_copy_in(v, &index, GVA(op->idxs.q + i * sizeof(index)), sizeof(index)) ||
		    guest_copy_in(v, &gfn, GVA(op->gpfns.q + i * sizeof(gfn)), sizeof(gfn)))
			return -EFAULT;
		result = add_to_physmap(v, d, op->space, op->u.foreign_domid, index, gfn);
		if (result == -ERESTART)
			return hypercall_restart(
				v, i << MEMOP_EXTENT_SHIFT | XENMEM_add_to_physmap_batch, at.raw);
		if (guest_copy_out(v, GVA(op->errs.q + i * sizeof(result)), &result,
				   sizeof(result)))
			return -EFAULT;
		if (i + 1 < op->size && vcpu_should_yield(v))
			return hypercall_restart(
				v, (i + 1) << MEMOP_EXTENT_SHIFT | XENMEM_add_to_physmap_batch,
				at.raw);
	}
	return error;
}

static int64_t op_remove_from_physmap(struct vcpu *v, void *in, gva_t at)
{
	struct xen_remove_from_physmap *op = in;
	struct domain *d;
	ipa_t ipa = {0};
	int error = domain_by_id(v, op->domid, &d);

	(void)at;
	if (!error)
		error = ipa_of_gfn(op->gpfn, &ipa);
	if (!error && memory_lookup(d, ipa).kind == STAGE2_NONE)
		error = -ENOENT;
	return error ? error : memory_unmap_page(d, ipa);
}

/* Grant frames of another domain, shown to the caller: how libxl seeds the first grants. */
static int64_t op_acquire_resource(struct vcpu *v, void *in, gva_t at)
{
	struct xen_mem_acquire_resource *op = in;
	struct domain *d;
	int error = op->domid == DOMID_SELF ? -ESRCH : domain_by_id(v, op->domid, &d);

	if (!error && d == v->domain)
		error = -EPERM; /* the pages of another, as in Xen */
	if (error)
		return error;
	if (op->type != XENMEM_resource_grant_table)
		return op->type > XENMEM_resource_vmtrace_buf ? -EINVAL : -EOPNOTSUPP;
	if (op->id != XENMEM_resource_grant_table_id_shared || op->pad != 0)
		return -EINVAL;
	if (!op->frame_list.q) { /* the question how many there are */
		if (op->nr_frames != 0)
			return -EINVAL;
		op->nr_frames = GRANT_FRAMES_MAX;
		return 0;
	}
	if (op->nr_frames > GRANT_FRAMES_MAX || op->frame >= GRANT_FRAMES_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < op->nr_frames; i++) {
		xen_pfn_t gfn;
		ipa_t ipa;
		pa_t pa;

		if (guest_copy_in(v, &gfn, GVA(op->frame_list.q + i * sizeof(gfn)), sizeof(gfn)))
			return -EFAULT;
		error = ipa_of_gfn(gfn, &ipa);
		if (!error)
			error = grant_frame(d, (unsigned)op->frame + i, &pa);
		if (error == -ERESTART)
			return hypercall_restart(v, XENMEM_acquire_resource, at.raw);
		if (!error && !page_get(page_of(pa), d->id))
			error = -EINVAL;
		if (error)
			return error;
		error = memory_map_page(v->domain, ipa, pa, STAGE2_FOREIGN);
		if (error) {
			page_put(page_of(pa));
			return error;
		}
	}
	return 0;
}

static int64_t op_maximum_ram_page(struct vcpu *v, void *in, gva_t at)
{
	(void)v;
	(void)in;
	(void)at;
	return (int64_t)(page_highest().raw >> PAGE_SHIFT);
}

static int64_t op_current_reservation(struct vcpu *v, void *in, gva_t at)
{
	struct domain *d;
	int error = domain_by_id(v, *(domid_t *)in, &d);

	(void)at;
	return error ? error : (int64_t)d->pages;
}

static int64_t op_maximum_reservation(struct vcpu *v, void *in, gva_t at)
{
	struct domain *d;
	int error = domain_by_id(v, *(domid_t *)in, &d);

	(void)at;
	return error ? error : (int64_t)d->pages_max;
}

/* The highest frame that was ever mapped, as in Xen: core dumps go as far. */
static int64_t op_maximum_gpfn(struct vcpu *v, void *in, gva_t at)
{
	struct domain *d;
	int error = domain_by_id(v, *(domid_t *)in, &d);

	(void)at;
	if (error)
		return error;
	return d->stage2.top ? (int64_t)(d->stage2.top >> PAGE_SHIFT) - 1 : 0;
}

/* Sharing counters of `xl info`: nothing is shared. */
static int64_t op_zero(struct vcpu *v, void *in, gva_t at)
{
	(void)v;
	(void)in;
	(void)at;
	return 0;
}

static const struct op ops[] = {
	[XENMEM_decrease_reservation] = {op_decrease, sizeof(struct xen_memory_reservation), 0},
	[XENMEM_maximum_ram_page] = {op_maximum_ram_page, 0, 0},
	[XENMEM_current_reservation] = {op_current_reservation, sizeof(domid_t), 0},
	[XENMEM_maximum_reservation] = {op_maximum_reservation, sizeof(domid_t), 0},
	[XENMEM_maximum_gpfn] = {op_maximum_gpfn, sizeof(domid_t), 0},
	[XENMEM_populate_physmap] = {op_populate, sizeof(struct xen_memory_reservation), 0},
	[XENMEM_add_to_physmap] = {op_add_to_physmap, sizeof(struct xen_add_to_physmap), 0},
	[XENMEM_remove_from_physmap] = {op_remove_from_physmap,
					sizeof(struct xen_remove_from_physmap), 0},
	[XENMEM_get_sharing_freed_pages] = {op_zero, 0, 0},
	[XENMEM_get_sharing_shared_pages] = {op_zero, 0, 0},
	[XENMEM_add_to_physmap_batch] = {op_add_to_physmap_batch,
					 sizeof(struct xen_add_to_physmap_batch), 0},
	[XENMEM_acquire_resource] = {op_acquire_resource, sizeof(struct xen_mem_acquire_resource),
				     OP_OUT | OP_PRIVILEGED},
};

int64_t hypercall_memory(struct vcpu *v, const uint64_t *a)
{
	uint64_t cmd = a[0] & ((1u << MEMOP_EXTENT_SHIFT) - 1);

	bool counts = cmd == XENMEM_populate_physmap || cmd == XENMEM_decrease_reservation;
	uint64_t start = a[0] >> MEMOP_EXTENT_SHIFT;
	int64_t result;

	if (start && !counts && cmd != XENMEM_add_to_physmap_batch)
		return -EINVAL;
	v->restart[0] = start;
	result = op_run(v, ops, ARRAY_SIZE(ops), cmd, GVA(a[1]));
	return result == -EFAULT && counts ? (int64_t)start : result;
}
