/* sysctl: what the tools ask about the machine. */
#include "core/console.h"
#include "core/event.h"
#include "core/page.h"
#include "core/time.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

static int64_t read_console(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t index = r->incremental ? r->index : console_ring_start(), done = 0, got;
	char text[256];

	while (done < r->count) {
		uint32_t room = r->count - done;

		got = console_ring_read(&index, text,
					room < sizeof(text) ? room : (uint32_t)sizeof(text));
		if (got == 0)
			break;
		if (guest_copy_out(v, GVA(r->buffer.q + done), text, got))
			return -EFAULT;
		done += got;
	}
	if (r->clear)
		console_ring_clear();
	r->index = index;
	r->count = done;
	return 0;
}

/* `xl debug-keys q`: a line of the log for each domain. Other keys are nobody's, which is no error, as in Xen. A key or a line at
 * one go: what is left of them stands in the structure and in argument 1. */
static int64_t debug_keys(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
	struct domain *d;
	char key;

	if (k->nr_keys == 0)
		return 0;
	if (guest_copy_in(v, &key, GVA(k->keys.q), sizeof(key)))
		return -EFAULT;
	d = key == 'q' ? domain_next((uint16_t)v->restart[1]) : NULL;
	if (!d) {
		k->keys.q++;
		k->nr_keys--;
		return hypercall_restart(v, v->restart[0], 0);
	}
	log_info("domain %u: state %u, paused %u, %lu pages, %lu frames, %u vCPUs", d->id, d->state,
		 d->paused, d->pages, d->frames, d->vcpus_max);
	return hypercall_restart(v, v->restart[0], d->id + 1u);
}

static int64_t phys_info(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;

	(void)v;
	memset(p, 0, sizeof(*p));
	p->threads_per_core = 1;
	p->cores_per_socket = 1;
	p->nr_cpus = cpu_online_count();
	p->max_cpu_id = cpu_count - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)(time_frequency / 1000);
	p->capabilities =
		XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	p->total_pages = page_total();
	p->free_pages = page_free_count();
	p->max_mfn = page_highest().raw >> PAGE_SHIFT;
	return 0;
}

static int64_t domain_info_list(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	uint32_t first = l->first_domain;

	for (l->num_domains = 0; l->num_domains < l->max_domains && first < DOMID_FIRST_RESERVED;
	     l->num_domains++) {
		struct domain *d = domain_next((uint16_t)first);
		struct xen_domctl_getdomaininfo info;

		if (!d)
			break;
		domain_info(d, &info);
		if (guest_copy_out(v, GVA(l->buffer.q + l->num_domains * sizeof(info)), &info,
				   sizeof(info)))
			return -EFAULT;
		first = d->id + 1u;
	}
	return 0;
}

static int64_t cpu_info(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *c = &op->u.getcpuinfo;

	c->nr_cpus = c->max_cpus < cpu_count ? c->max_cpus : cpu_count;
	for (unsigned i = 0; i < c->nr_cpus; i++) {
		struct xen_sysctl_cpuinfo info = {
			.idletime = time_ns_of_ticks(cpu_idle_ticks(&cpus[i]))};

		if (guest_copy_out(v, GVA(c->info.q + i * sizeof(info)), &info, sizeof(info)))
			return -EFAULT;
	}
	return 0;
}

/* A cluster is shown as a socket. A NULL buffer asks for the count. */
static int64_t cpu_topology(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	uint32_t room = t->num_cpus;

	t->num_cpus = cpu_count;
	for (unsigned i = 0; t->cputopo.q && i < cpu_count && i < room; i++) {
		struct xen_sysctl_cputopo topo = {.core = i, .socket = cpus[i].cluster, .node = 0};

		if (!cpus[i].online)
			topo.core = topo.socket = ~0u; /* but with its node: the tools may count on it */
		if (guest_copy_out(v, GVA(t->cputopo.q + i * sizeof(topo)), &topo, sizeof(topo)))
			return -EFAULT;
	}
	return 0;
}

static int64_t numa_info(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo info = {.memsize = page_total() << PAGE_SHIFT,
					  .memfree = page_free_count() << PAGE_SHIFT};
	uint32_t distance = 10, room = n->num_nodes;

	n->num_nodes = 1;
	if (room == 0)
		return 0;
	if (n->meminfo.q && guest_copy_out(v, GVA(n->meminfo.q), &info, sizeof(info)))
		return -EFAULT;
	if (n->distance.q && guest_copy_out(v, GVA(n->distance.q), &distance, sizeof(distance)))
		return -EFAULT;
	return 0;
}

static int64_t (*const commands[])(struct vcpu *v, struct xen_sysctl *op) = {
	[XEN_SYSCTL_readconsole] = read_console,
	[XEN_SYSCTL_physinfo] = phys_info,
	[XEN_SYSCTL_sched_id] = sysctl_sched_id,
	[XEN_SYSCTL_getdomaininfolist] = domain_info_list,
	[XEN_SYSCTL_getcpuinfo] = cpu_info,
	[XEN_SYSCTL_cputopoinfo] = cpu_topology,
	[XEN_SYSCTL_numainfo] = numa_info,
	[XEN_SYSCTL_cpupool_op] = sysctl_cpupool,
	[XEN_SYSCTL_scheduler_op] = sysctl_scheduler,
	[XEN_SYSCTL_debug_keys] = debug_keys,
};

int64_t hypercall_sysctl(struct vcpu *v, const uint64_t *a)
{
	struct xen_sysctl op;
	int64_t result;

	if (guest_copy_in(v, &op, GVA(a[0]), sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(commands) || !commands[op.cmd])
		return -ENOSYS;
	v->restart[0] = a[0];
	v->restart[1] = a[1];
	result = commands[op.cmd](v, &op);
	if ((result >= 0 || result == -ERESTART) && guest_copy_out(v, GVA(a[0]), &op, sizeof(op)))
		return -EFAULT;
	return result;
}
