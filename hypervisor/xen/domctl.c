/* domctl: what the tools ask about domains, and the table of all its commands. */
#include "xen/domctl.h"
#include "core/page.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

void domain_info(const struct domain *d, struct xen_domctl_getdomaininfo *out)
{
	uint64_t ns = 0;
	struct shared_info *shared = ATOMIC_READ(d->xen->shared);
	bool running = false, blocked = true;

	memset(out, 0, sizeof(*out));
	out->domain = d->id;
	out->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for (unsigned i = 0; i < d->vcpus_max; i++) {
		const struct vcpu *v = d->vcpu[i];

		if (!v)
			continue;
		out->max_vcpu_id = i;
		ns += sched_run_ns(v);
		out->nr_online_vcpus += v->online != VCPU_OFF;
		running |= v->online && v->run == VCPU_RUNNING;
		blocked &= !v->online || v->blocked;
	}
	out->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap | (d->paused ? XEN_DOMINF_paused : 0) |
		     (running ? XEN_DOMINF_running : 0) | (blocked ? XEN_DOMINF_blocked : 0);
	if (ATOMIC_READ(d->shut))
		out->flags |= XEN_DOMINF_shutdown | (ATOMIC_READ(d->shut) - 1)
							    << XEN_DOMINF_shutdownshift;
	/* not before it has let go of everything: xenstored and the tools then do too */
	if (ATOMIC_READ(d->state) >= DOMAIN_ZOMBIE)
		out->flags |= XEN_DOMINF_dying;
	out->tot_pages = d->pages;
	out->max_pages = d->pages_max;
	out->shared_info_frame = shared ? va_to_pa(shared).raw >> PAGE_SHIFT : ~0ul;
	out->cpupool = d->pool->id;
	out->cpu_time = ns;
	memcpy(out->handle, d->handle, sizeof(out->handle));
	out->gpaddr_bits = (uint8_t)stage2_address_bits();
}

int cpumap_out(struct vcpu *v, uint64_t map, uint64_t at, uint32_t nr_bits)
{
	for (uint32_t i = 0; i < (nr_bits + 7) / 8 && i < 128; i++) {
		uint8_t byte = i < sizeof(map) ? (uint8_t)(map >> (8 * i)) : 0;

		if (nr_bits - i * 8 < 8)
			byte &= (uint8_t)((1u << (nr_bits - i * 8)) - 1);
		if (guest_copy_out(v, GVA(at + i), &byte, 1))
			return -EFAULT;
	}
	return 0;
}

static int64_t get_domain_info(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	domain_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	return 0;
}

static int64_t get_vcpu_info(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	const struct vcpu *t = info->vcpu < d->vcpus_max ? d->vcpu[info->vcpu] : NULL;

	(void)v;
	if (!t)
		return info->vcpu < d->vcpus_max ? -ESRCH : -EINVAL;
	info->online = t->online != VCPU_OFF;
	info->blocked = t->online && t->blocked;
	info->running = t->online && t->run == VCPU_RUNNING;
	info->cpu_time = sched_run_ns(t);
	info->cpu = t->cpu ? t->cpu->id : 0;
	return 0;
}

static int64_t set_handle(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

/* What Xen answers where there is nothing to do it with. */
static int64_t no_support(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)d;
	(void)op;
	return -EOPNOTSUPP;
}

static const struct {
	domctl_handler *run;
	uint8_t flags;
} commands[] = {
	[XEN_DOMCTL_createdomain] = {domctl_create, DOMCTL_NO_DOMAIN},
	[XEN_DOMCTL_destroydomain] = {domctl_destroy, DOMCTL_NO_DOMAIN},
	[XEN_DOMCTL_pausedomain] = {domctl_pause, DOMCTL_OTHER},
	[XEN_DOMCTL_unpausedomain] = {domctl_unpause, 0},
	[XEN_DOMCTL_getdomaininfo] = {get_domain_info, 0},
	[XEN_DOMCTL_max_mem] = {domctl_max_mem, 0},
	[XEN_DOMCTL_setvcpucontext] = {domctl_set_vcpu_context, DOMCTL_OTHER},
	[XEN_DOMCTL_getvcpucontext] = {domctl_get_vcpu_context, DOMCTL_OTHER},
	[XEN_DOMCTL_getvcpuinfo] = {get_vcpu_info, 0},
	[XEN_DOMCTL_max_vcpus] = {domctl_max_vcpus, DOMCTL_OTHER},
	[XEN_DOMCTL_setdomainhandle] = {set_handle, 0},
	[XEN_DOMCTL_iomem_permission] = {domctl_iomem_permission, 0},
	[XEN_DOMCTL_resumedomain] = {domctl_resume, 0},
	[XEN_DOMCTL_setvcpuaffinity] = {domctl_set_affinity, 0},
	[XEN_DOMCTL_getvcpuaffinity] = {domctl_get_affinity, 0},
	[XEN_DOMCTL_scheduler_op] = {domctl_scheduler, 0},
	[XEN_DOMCTL_settimeoffset] = {domctl_time_offset, 0},
	[XEN_DOMCTL_set_address_size] = {domctl_address_size, 0},
	[XEN_DOMCTL_memory_mapping] = {domctl_memory_mapping, 0},
	[XEN_DOMCTL_setnodeaffinity] = {domctl_set_node_affinity, 0},
	[XEN_DOMCTL_getnodeaffinity] = {domctl_get_node_affinity, 0},
	[XEN_DOMCTL_bind_pt_irq] = {domctl_bind_irq, 0},
	[XEN_DOMCTL_unbind_pt_irq] = {domctl_unbind_irq, 0},
	[XEN_DOMCTL_vuart_op] = {domctl_vuart, DOMCTL_OTHER},
	[XEN_DOMCTL_cacheflush] = {domctl_cache_flush, 0},
	[XEN_DOMCTL_get_paging_mempool_size] = {domctl_get_mempool, 0},
	[XEN_DOMCTL_set_paging_mempool_size] = {domctl_set_mempool, 0},
	[XEN_DOMCTL_set_llc_colors] = {no_support, 0},
};

int64_t hypercall_domctl(struct vcpu *v, const uint64_t *a)
{
	struct domain *d = NULL;
	struct xen_domctl op;
	int64_t result;

	if (guest_copy_in(v, &op, GVA(a[0]), sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(commands) || !commands[op.cmd].run)
		return domain_find(op.domain) ? -ENOSYS : -ESRCH;
	v->restart[0] = a[0];
	v->restart[1] = a[1];
	if (!(commands[op.cmd].flags & DOMCTL_NO_DOMAIN)) {
		d = domain_find(op.domain); /* DOMID_SELF is nobody here */
		if (!d)
			return -ESRCH;
		if ((commands[op.cmd].flags & DOMCTL_OTHER) && d == v->domain)
			return -EINVAL;
	}
	result = commands[op.cmd].run(v, d, &op);
	/* what a restarted call has done so far stands in the structure */
	if ((result >= 0 || result == -ERESTART) && guest_copy_out(v, GVA(a[0]), &op, sizeof(op)))
		return -EFAULT;
	return result;
}
