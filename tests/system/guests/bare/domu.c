#include "domu.h"

#include <xen/memory.h>

void must(const char *what, int64_t result, int64_t expected)
{
	if (result == expected)
		return;
	print("failed: %s %d", what, result);
	power_off();
}

int64_t domctl(uint16_t domain, uint32_t command, xen_domctl_t *op)
{
	op->cmd = command;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = domain;
	return hypercall(__HYPERVISOR_domctl, (uint64_t)op, 0, 0);
}

void domu_flush(volatile void *at, uint64_t size)
{
	for (uint64_t a = (uint64_t)at & ~63ul; a < (uint64_t)at + size; a += 16)
		asm volatile("dc civac, %0" ::"r"(a) : "memory");
	asm volatile("dsb sy" ::: "memory");
}

/* A page of memory for the domain; it appears in Dom0's window. */
static void page_make(const struct domu *d, unsigned page)
{
	xen_pfn_t gfn = (DOMU_RAM >> 12) + page, here = ((uint64_t)d->window >> 12) + page;
	xen_ulong_t index = gfn;
	struct xen_memory_reservation memory = {.nr_extents = 1, .domid = d->id};
	int error = 1;
	struct xen_add_to_physmap_batch batch = {.domid = DOMID_SELF,
						 .space = XENMAPSPACE_gmfn_foreign,
						 .size = 1,
						 .u.foreign_domid = d->id};

	memory.extent_start.p = &gfn;
	must("populate",
	     hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (uint64_t)&memory, 0), 1);
	batch.idxs.p = &index;
	batch.gpfns.p = &here;
	batch.errs.p = &error;
	must("map",
	     hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, (uint64_t)&batch, 0),
	     0);
	must("map", error, 0);
}

void domu_make(struct domu *d, uint32_t pool, unsigned spis)
{
	static xen_domctl_t op;

	op = (xen_domctl_t){.u.createdomain = {.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
					       .max_vcpus = 1,
					       .cpupool_id = pool,
					       .max_evtchn_port = 1023,
					       .max_grant_frames = 4,
					       .max_maptrack_frames = 4,
					       .grant_opts = XEN_DOMCTL_GRANT_version(1),
					       .arch.nr_spis = spis}};
	must("createdomain", domctl(0, XEN_DOMCTL_createdomain, &op), 0);
	d->id = op.domain;
	op.u.max_vcpus.max = 1;
	must("max_vcpus", domctl(d->id, XEN_DOMCTL_max_vcpus, &op), 0);
	op.u.max_mem.max_memkb = 1024;
	must("max_mem", domctl(d->id, XEN_DOMCTL_max_mem, &op), 0);
	op.u.paging_mempool.size = 2 << 20;
	must("set_paging_mempool_size", domctl(d->id, XEN_DOMCTL_set_paging_mempool_size, &op), 0);
	op.u.address_size.size = 64;
	must("set_address_size", domctl(d->id, XEN_DOMCTL_set_address_size, &op), 0);
	for (unsigned i = 0; i < d->pages; i++)
		page_make(d, i);
}

void domu_context(const struct domu *d, uint64_t pc, uint64_t x0, uint64_t x1)
{
	static vcpu_guest_context_t context;
	static xen_domctl_t op;

	context.flags = VGCF_online;
	context.user_regs.x0 = x0;
	context.user_regs.x1 = x1;
	context.user_regs.pc64 = pc;
	context.user_regs.cpsr = 0x1c5;
	context.sctlr = 0x00c50078;
	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.p = &context;
	must("setvcpucontext", domctl(d->id, XEN_DOMCTL_setvcpucontext, &op), 0);
}

void domu_unpause(const struct domu *d)
{
	static xen_domctl_t op;

	must("unpause", domctl(d->id, XEN_DOMCTL_unpausedomain, &op), 0);
}

void domu_destroy(struct domu *d)
{
	static xen_domctl_t op;

	must("destroy", domctl(d->id, XEN_DOMCTL_destroydomain, &op), 0);
	d->id = 0;
}
