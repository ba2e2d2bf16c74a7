/* grant_table_op: xen/grant_table.h, version 1 (all that Xen has on Arm). Each operation comes as an array; its answers stand in
 * the entries. */
#include "core/grant.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

_Static_assert(GRANT_OKAY == GNTST_okay && GRANT_ERROR == GNTST_general_error &&
		       GRANT_BAD_DOMAIN == GNTST_bad_domain && GRANT_BAD_REF == GNTST_bad_gntref &&
		       GRANT_BAD_HANDLE == GNTST_bad_handle &&
		       GRANT_NOT_PERMITTED == GNTST_permission_denied &&
		       GRANT_BAD_PAGE == GNTST_bad_page && GRANT_BAD_COPY == GNTST_bad_copy_arg &&
		       GRANT_AGAIN == GNTST_eagain && GRANT_NO_SPACE == GNTST_no_space,
	       "enum grant_status");
_Static_assert(sizeof(struct grant_entry) == sizeof(grant_entry_v1_t) &&
		       GRANT_ACCESS == GTF_permit_access && GRANT_READONLY == GTF_readonly &&
		       GRANT_READING == GTF_reading && GRANT_WRITING == GTF_writing,
	       "struct grant_entry");

static struct domain *domain_of(const struct vcpu *v, domid_t id)
{
	return id == DOMID_SELF ? v->domain : domain_find(id);
}

static int64_t op_map(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_map_grant_ref *op = in;
	struct domain *granter = domain_find(op->dom);
	uint32_t handle;
	pa_t bus;

	(void)at;
	if ((op->flags & (GNTMAP_device_map | GNTMAP_host_map)) == 0)
		op->status = GNTST_bad_gntref;
	else if (op->flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte))
		op->status = GNTST_general_error;
	else if (!granter)
		op->status = GNTST_bad_domain;
	else
		op->status = (int16_t)grant_map(v->domain, granter, op->ref, IPA(op->host_addr),
						(op->flags & GNTMAP_readonly) != 0, &handle, &bus);
	if (op->status != GNTST_okay)
		return 0;
	op->handle = handle;
	op->dev_bus_addr = bus.raw; /* Linux gives it to devices, which have no stage 2 */
	return 0;
}

static int64_t op_unmap(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_unmap_grant_ref *op = in;

	(void)at;
	op->status = (int16_t)grant_unmap(v->domain, op->handle, IPA(op->host_addr));
	return 0;
}

/* Xen cannot replace a mapping on Arm: refused, and the old one stays, which is at no such address. */
static int64_t op_unmap_and_replace(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_unmap_and_replace *op = in;

	(void)at;
	op->status = (int16_t)grant_unmap(v->domain, op->handle, IPA(~0ul));
	return 0;
}

/* The caller of a copy may name its own pages by frame number, and everybody's by reference. False: there is no such domain. */
static bool side_of(const struct vcpu *v, const struct gnttab_copy_ptr *p, bool by_ref,
		    struct grant_side *out)
{
	struct domain *d = domain_of(v, p->domid);

	*out = (struct grant_side){by_ref, by_ref || p->domid == DOMID_SELF ? d : NULL,
				   by_ref ? p->u.ref : p->u.gmfn, p->offset};
	return d != NULL;
}

static int64_t op_copy(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_copy *op = in;
	struct grant_side from, to;

	(void)at;
	op->status = GNTST_okay;
	if (op->len == 0)
		return 0;
	if (!side_of(v, &op->source, (op->flags & GNTCOPY_source_gref) != 0, &from) ||
	    !side_of(v, &op->dest, (op->flags & GNTCOPY_dest_gref) != 0, &to))
		op->status = GNTST_bad_domain;
	else
		op->status = (int16_t)grant_copy(v->domain, &from, &to, op->len);
	return 0;
}

/* Whose table it is: the status. */
static int16_t table_of(struct vcpu *v, domid_t id, struct domain **d)
{
	int error = domain_by_id(v, id, d);

	return !error ? GNTST_okay : error == -ESRCH ? GNTST_bad_domain : GNTST_permission_denied;
}

static int64_t op_query_size(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_query_size *op = in;
	struct domain *d;

	(void)at;
	op->status = table_of(v, op->dom, &d);
	if (op->status != GNTST_okay)
		return 0;
	op->nr_frames = d->grants->frames;
	op->max_nr_frames = grant_frames_max(d);
	return 0;
}

static int64_t op_setup_table(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_setup_table *op = in;
	xen_pfn_t list[GRANT_FRAMES_MAX];
	struct domain *d;

	(void)at;
	op->status = table_of(v, op->dom, &d);
	if (op->status == GNTST_okay && op->nr_frames > grant_frames_max(d))
		op->status = GNTST_general_error;
	if (op->status != GNTST_okay)
		return 0;
	for (unsigned i = op->nr_frames; i-- > 0;) { /* the last one first: that makes them all */
		pa_t pa;
		int error = grant_frame(d, i, &pa);

		if (error == -ERESTART)
			return error;
		if (error) {
			op->status = GNTST_general_error;
			return 0;
		}
		list[i] = pa.raw >> PAGE_SHIFT;
	}
	return guest_copy_out(v, GVA(op->frame_list.q), list, op->nr_frames * sizeof(list[0]))
		       ? -EFAULT
		       : 0;
}

static int64_t op_set_version(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_set_version *op = in;
	uint32_t wanted = op->version;

	(void)v;
	(void)at;
	op->version = 1;
	return wanted == 1 ? 0 : wanted == 2 ? -ENOSYS : -EINVAL;
}

static int64_t op_get_version(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_get_version *op = in;
	struct domain *d;
	int error = domain_by_id(v, op->dom, &d);

	(void)at;
	op->version = 1;
	return error;
}

/* Only version 2 has such frames. */
static int64_t op_get_status_frames(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_get_status_frames *op = in;
	struct domain *d;

	(void)at;
	op->status = table_of(v, op->dom, &d);
	if (op->status == GNTST_okay && op->nr_frames)
		op->status = GNTST_general_error;
	return 0;
}

static int64_t op_swap(struct vcpu *v, void *in, gva_t at)
{
	struct gnttab_swap_grant_ref *op = in;

	(void)at;
	op->status = (int16_t)grant_swap(v->domain, op->ref_a, op->ref_b);
	return 0;
}

/* What a device that does not see the caches reads or has written, in the caller's own memory or in a page that was granted to it
 * and that it has mapped: Linux asks for it where its own maintenance by address would not know a machine address. To forget lines
 * without writing them back could bring a guest what was in the page before it: they are written back too. */
static int64_t op_cache_flush(struct vcpu *v, void *in, gva_t at)
{
	const gnttab_cache_flush_t *op = in;
	pa_t page = PA(ALIGN_DOWN(op->a.dev_bus_addr, PAGE_SIZE));
	struct page *p;
	int64_t error = 0;

	(void)at;
	if (op->offset >= PAGE_SIZE || op->offset + op->length > PAGE_SIZE ||
	    (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
		return -EINVAL;
	if (op->length == 0 || op->op == 0)
		return 0; /* the question whether there is such an operation */
	p = page_of(page);
	if (!p)
		return -EINVAL;
	if (!page_get(p, page_owner(p)))
		return -EPERM;
	if (page_owner(p) != v->domain->id)
		error = grant_is_mapped(v->domain, page, &v->restart[1]);
	if (!error && (op->op & GNTTAB_CACHE_INVAL))
		cache_clean_invalidate((char *)pa_to_va(page) + op->offset, op->length);
	else if (!error)
		cache_clean((char *)pa_to_va(page) + op->offset, op->length);
	page_put(p);
	return error;
}

static const struct op ops[] = {
	[GNTTABOP_map_grant_ref] = {op_map, sizeof(struct gnttab_map_grant_ref), OP_OUT},
	[GNTTABOP_unmap_grant_ref] = {op_unmap, sizeof(struct gnttab_unmap_grant_ref), OP_OUT},
	[GNTTABOP_setup_table] = {op_setup_table, sizeof(struct gnttab_setup_table),
				  OP_OUT | OP_ONE},
	[GNTTABOP_copy] = {op_copy, sizeof(struct gnttab_copy), OP_OUT},
	[GNTTABOP_query_size] = {op_query_size, sizeof(struct gnttab_query_size), OP_OUT | OP_ONE},
	[GNTTABOP_unmap_and_replace] = {op_unmap_and_replace,
					sizeof(struct gnttab_unmap_and_replace), OP_OUT},
	[GNTTABOP_set_version] = {op_set_version, sizeof(struct gnttab_set_version),
				  OP_OUT | OP_SINGLE},
	[GNTTABOP_get_status_frames] = {op_get_status_frames,
					sizeof(struct gnttab_get_status_frames), OP_OUT | OP_ONE},
	[GNTTABOP_get_version] = {op_get_version, sizeof(struct gnttab_get_version),
				  OP_OUT | OP_SINGLE},
	[GNTTABOP_swap_grant_ref] = {op_swap, sizeof(struct gnttab_swap_grant_ref), OP_OUT},
	[GNTTABOP_cache_flush] = {op_cache_flush, sizeof(gnttab_cache_flush_t), 0},
};

#define CMD_BITS 12 /* as in Xen: above them is where a cache_flush that was interrupted looks on */

/* The operation stands in 32 bits, which is all that Xen looks at. A call that goes on after an interrupt has the rest of the array. */
int64_t hypercall_grant(struct vcpu *v, const uint64_t *a)
{
	uint32_t cmd = (uint32_t)a[0] % (1u << CMD_BITS), at = (uint32_t)a[0] >> CMD_BITS;
	uint32_t count = (uint32_t)a[2];
	gva_t entry = GVA(a[1]);

	if ((int32_t)count < 0 || (at && cmd != GNTTABOP_cache_flush))
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].run)
		return cmd == GNTTABOP_transfer ? -EOPNOTSUPP : -ENOSYS;
	if ((ops[cmd].flags & OP_ONE) && count != 1)
		return -EINVAL;
	if (ops[cmd].flags & OP_SINGLE)
		count = 1;
	v->restart[1] = at;
	for (; count > 0; count--, v->restart[1] = 0) {
		int64_t result = op_run(v, ops, ARRAY_SIZE(ops), cmd, entry);

		if (result == -ERESTART) {
			v->restart[2] = count;
			return hypercall_restart(v, v->restart[1] << CMD_BITS | cmd, entry.raw);
		}
		if (result)
			return result;
		entry.raw += ops[cmd].size;
		if (count > 1 && vcpu_should_yield(v)) {
			v->restart[2] = count - 1;
			return hypercall_restart(v, cmd, entry.raw);
		}
	}
	return 0;
}
