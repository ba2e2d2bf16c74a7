/* domctl: what the tools ask about domains. Making and changing domains comes with issue 4; until then those commands say
 * "not supported" and the tools show that. */
#include "core/page.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

/* Ticks that the vCPU ran so far, the running slice included. */
static uint64_t run_ticks(const struct vcpu *v)
{
	uint64_t since = v->run_since;

	return v->run_ticks + (v->run == VCPU_RUNNING && since ? cpu_counter() - since : 0);
}

void domain_info(const struct domain *d, struct xen_domctl_getdomaininfo *out)
{
	uint64_t ticks = 0;
	bool running = false, blocked = true;

	memset(out, 0, sizeof(*out));
	out->domain = d->id;
	for (unsigned i = 0; i < d->vcpus_max; i++) {
		const struct vcpu *v = d->vcpu[i];

		if (!v)
			continue;
		out->max_vcpu_id = i;
		ticks += run_ticks(v);
		out->nr_online_vcpus += v->online;
		running |= v->online && v->run == VCPU_RUNNING;
		blocked &= !v->online || v->run == VCPU_BLOCKED;
	}
	out->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap | (d->paused ? XEN_DOMINF_paused : 0) |
		     (running ? XEN_DOMINF_running : 0) | (blocked ? XEN_DOMINF_blocked : 0);
	if (d->state == DOMAIN_SHUT || d->state == DOMAIN_DYING)
		out->flags |= XEN_DOMINF_shutdown | (uint32_t)d->reason << XEN_DOMINF_shutdownshift;
	if (d->state == DOMAIN_DYING)
		out->flags |= XEN_DOMINF_dying;
	out->tot_pages = d->pages;
	out->max_pages = d->pages_max;
	out->shared_info_frame = va_to_pa(d->xen->shared).raw >> PAGE_SHIFT;
	out->cpu_time = time_ns_of_ticks(ticks);
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
		return -ESRCH;
	info->online = t->online;
	info->blocked = t->online && t->run == VCPU_BLOCKED;
	info->running = t->online && t->run == VCPU_RUNNING;
	info->cpu_time = time_ns_of_ticks(run_ticks(t));
	info->cpu = t->cpu ? t->cpu->id : 0;
	return 0;
}

/* A vCPU lives on one pCPU (hard); it would like any (soft). */
static int64_t get_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	const struct vcpu *t = a->vcpu < d->vcpus_max ? d->vcpu[a->vcpu] : NULL;
	int error = 0;

	if (!t)
		return -ESRCH;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		error = cpumap_out(v, 1ul << (t->cpu ? t->cpu->id : 0), a->cpumap_hard.bitmap.q,
				   a->cpumap_hard.nr_bits);
	if (!error && (a->flags & XEN_VCPUAFFINITY_SOFT))
		error = cpumap_out(v, ~0ul, a->cpumap_soft.bitmap.q, a->cpumap_soft.nr_bits);
	return error;
}

static int64_t get_node_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return cpumap_out(v, 1, op->u.nodeaffinity.nodemap.bitmap.q,
			  op->u.nodeaffinity.nodemap.nr_bits);
}

static int64_t set_handle(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

static int64_t max_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	if (op->u.max_mem.max_memkb >> 54)
		return -EINVAL;
	LOCK_SCOPE(&d->memory_lock);
	d->pages_max = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
	return 0;
}

static int64_t (*const commands[])(struct vcpu *v, struct domain *d, struct xen_domctl *op) = {
	[XEN_DOMCTL_getdomaininfo] = get_domain_info,
	[XEN_DOMCTL_max_mem] = max_mem,
	[XEN_DOMCTL_getvcpuinfo] = get_vcpu_info,
	[XEN_DOMCTL_setdomainhandle] = set_handle,
	[XEN_DOMCTL_getvcpuaffinity] = get_affinity,
	[XEN_DOMCTL_getnodeaffinity] = get_node_affinity,
};

int64_t hypercall_domctl(struct vcpu *v, const uint64_t *a)
{
	struct xen_domctl op;
	struct domain *d;
	int64_t result;

	if (!v->domain->privileged)
		return -EPERM;
	if (guest_copy_in(v, &op, GVA(a[0]), sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(commands) || !commands[op.cmd])
		return op.cmd == XEN_DOMCTL_createdomain ? -EOPNOTSUPP : -ENOSYS;
	result = domain_by_id(v, op.domain, &d);
	if (!result)
		result = commands[op.cmd](v, d, &op);
	if (result >= 0 && guest_copy_out(v, GVA(a[0]), &op, sizeof(op)))
		return -EFAULT;
	return result;
}
