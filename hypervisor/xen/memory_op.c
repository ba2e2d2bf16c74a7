/* memory_op: xen/memory.h. A guest's frame numbers are IPAs >> 12. */
#include "core/grant.h"
#include "core/memory.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

#define GFN_MAX		   (1ul << 36)
#define COUNT_MAX	   (~0ul >> 16) /* extents that a restart can count, step by step */
#define GUEST_ORDER_MAX	   9		/* guests but Dom0, as in Xen: 2 MiB */
#define GUEST_STEP	   4		/* of which 64 KiB, the largest granule, at one go */
#define MEMOP_EXTENT_SHIFT 6 /* where a restarted call has its position: above the command */

static int ipa_of_gfn(uint64_t gfn, ipa_t *out)
{
	*out = IPA(gfn << PAGE_SHIFT);
	return gfn < GFN_MAX ? 0 : -EINVAL;
}

/* decrease_reservation and populate_physmap: how many extents were done, which is short of nr_extents at the first failure, were
 * it only that there is no such domain, or that an extent is larger than the caller may ask for (memop-max-order in Xen). A guest's
 * extents are done in steps; of one that cannot be had in whole nothing is left. */
static int64_t reservation(struct vcpu *v, struct xen_memory_reservation *r, unsigned cmd, gva_t at,
			   int (*one)(struct domain *, ipa_t, unsigned))
{
	bool guest = !v->domain->privileged;
	unsigned step = r->extent_order, parts; /* an extent is 2^parts steps */
	uint64_t done = v->restart[0], part, end, gfn;
	ipa_t ipa = {~0ul};
	struct domain *d;

	if (r->nr_extents > COUNT_MAX || step > (guest ? GUEST_ORDER_MAX : 18) ||
	    domain_by_id(v, r->domid, &d))
		return (int64_t)done;
	if (guest && step > GUEST_STEP)
		step = GUEST_STEP;
	parts = r->extent_order - step;
	part = (1u << parts) - 1;
	end = r->nr_extents << parts;
	while (done < end) {
		if (guest_copy_in(v, &gfn, GVA(r->extent_start.q + (done >> parts) * sizeof(gfn)),
				  sizeof(gfn)))
			break;
		gfn += (done & part) << step;
		if (ipa_of_gfn(gfn, &ipa) || one(d, ipa, step))
			break;
		if (++done < end && vcpu_should_yield(v))
			return hypercall_restart(v, done << MEMOP_EXTENT_SHIFT | cmd, at.raw);
	}
	for (; one == memory_populate && (done & part); done--) {
		ipa.raw -= PAGE_SIZE << step;
		(void)memory_decrease(d, ipa, step);
	}
	return (int64_t)(done >> parts);
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

	if (!error && owner == v->domain)
		error = -EPERM;
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
	int error;

	if (op->space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS; /* has no room for the foreign domain's id: the batch has */
	error = domain_by_id(v, op->domid, &d);
	if (!error && !(op->space == XENMAPSPACE_gmfn_range && op->size == 0))
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
	if (!error && (ipa_of_gfn(op->gpfn, &ipa) || memory_lookup(d, ipa).kind == STAGE2_NONE))
		error = -ENOENT;
	return error ? error : memory_unmap_page(d, ipa);
}

/* Grant frames of another domain, shown to the caller: how libxl seeds the first grants. */
static int64_t op_acquire_resource(struct vcpu *v, void *in, gva_t at)
{
	struct xen_mem_acquire_resource *op = in;
	struct domain *d;
	int error = op->pad		      ? -EINVAL
		    : op->domid == DOMID_SELF ? -ESRCH
					      : domain_by_id(v, op->domid, &d);

	if (!error && d == v->domain)
		error = -EPERM; /* the pages of another, as in Xen */
	if (error)
		return error;
	if (op->type != XENMEM_resource_grant_table ||
	    op->id != XENMEM_resource_grant_table_id_shared)
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

/* current_reservation, maximum_reservation, maximum_gpfn: the highest frame that was ever mapped, as in Xen: core dumps go as far. */
static int64_t op_pages(struct vcpu *v, void *in, gva_t at)
{
	struct domain *d;
	int error = domain_by_id(v, *(domid_t *)in, &d);

	(void)at;
	if (error)
		return error;
	if (v->restart[1] == XENMEM_current_reservation)
		return (int64_t)d->pages;
	if (v->restart[1] == XENMEM_maximum_reservation)
		return (int64_t)d->pages_max;
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

/* A guest's pages have their place in its memory: none that is nowhere is made, which is 0 extents done. */
static int64_t op_increase(struct vcpu *v, void *in, gva_t at)
{
	(void)in;
	(void)at;
	return (int64_t)v->restart[0];
}

static const struct op ops[] = {
	[XENMEM_increase_reservation] = {op_increase, sizeof(struct xen_memory_reservation), 0},
	[XENMEM_decrease_reservation] = {op_decrease, sizeof(struct xen_memory_reservation), 0},
	[XENMEM_maximum_ram_page] = {op_maximum_ram_page, 0, 0},
	[XENMEM_current_reservation] = {op_pages, sizeof(domid_t), 0},
	[XENMEM_maximum_reservation] = {op_pages, sizeof(domid_t), 0},
	[XENMEM_maximum_gpfn] = {op_pages, sizeof(domid_t), 0},
	[XENMEM_populate_physmap] = {op_populate, sizeof(struct xen_memory_reservation), 0},
	[XENMEM_add_to_physmap] = {op_add_to_physmap, sizeof(struct xen_add_to_physmap), 0},
	[XENMEM_remove_from_physmap] = {op_remove_from_physmap,
					sizeof(struct xen_remove_from_physmap), 0},
	[XENMEM_get_sharing_freed_pages] = {op_zero, 0, 0},
	[XENMEM_get_sharing_shared_pages] = {op_zero, 0, 0},
	[XENMEM_add_to_physmap_batch] = {op_add_to_physmap_batch,
					 sizeof(struct xen_add_to_physmap_batch), 0},
	[XENMEM_acquire_resource] = {op_acquire_resource, sizeof(struct xen_mem_acquire_resource),
				     OP_OUT},
};

/* Operations that cannot have begun already. */
#define NO_START                                                                                   \
	(BIT(XENMEM_maximum_ram_page) | BIT(XENMEM_current_reservation) |                          \
	 BIT(XENMEM_maximum_reservation) | BIT(XENMEM_maximum_gpfn) |                              \
	 BIT(XENMEM_remove_from_physmap))

int64_t hypercall_memory(struct vcpu *v, const uint64_t *a)
{
	uint32_t cmd = a[0] & ((1u << MEMOP_EXTENT_SHIFT) - 1);
	bool counts = cmd == XENMEM_populate_physmap || cmd == XENMEM_decrease_reservation ||
		      cmd == XENMEM_increase_reservation;
	uint64_t start = a[0] >> MEMOP_EXTENT_SHIFT;
	int64_t result;

	if (start && (BIT(cmd) & NO_START))
		return -EINVAL;
	v->restart[0] = start;
	v->restart[1] = cmd;
	result = op_run(v, ops, ARRAY_SIZE(ops), cmd, GVA(a[1]));
	return result == -EFAULT && counts ? (int64_t)start : result;
}
