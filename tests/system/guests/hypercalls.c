/* Malformed hypercalls from Dom0's userland, through /dev/xen/privcmd: one line "name result" for each. The same program runs on
 * our hypervisor and on stock Xen, and the two lists have to be equal (tests/system/hypercalls). Everything happens to a domain
 * that it makes itself and destroys again.
 *
 *   hypercalls          the table
 *   hypercalls frames   number of free frames of the machine
 *   hypercalls pages D  how many frames domain D has, and may have
 *   hypercalls cycle N  N domains with a vCPU and 4 MiB each, made and destroyed; free frames before and after */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sys/privcmd.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define PTR(handle, p) ((handle).q = (uint64_t)(uintptr_t)(p))

static int device;
static uint8_t *buffer; /* locked memory that hypercalls may read and write */
static uint16_t dom;

static long call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	privcmd_hypercall_t c = {number, {a0, a1, a2, a3, 0}};
	long result = ioctl(device, IOCTL_PRIVCMD_HYPERCALL, &c);

	return result < 0 ? -errno : result;
}

static uint64_t in(const void *structure, size_t size)
{
	memcpy(buffer, structure, size);
	return (uint64_t)(uintptr_t)buffer;
}

static void row(const char *name, long result)
{
	printf("%s %ld\n", name, result);
	fflush(stdout); /* a call that never comes back is the one after the last line */
}

/* ---- domctl ---------------------------------------------------------------------------------------------------------- */
static long domctl_at(uint32_t version, uint16_t domain, uint32_t cmd, struct xen_domctl *op)
{
	long result;

	op->cmd = cmd;
	op->interface_version = version;
	op->domain = domain;
	result = call(__HYPERVISOR_domctl, in(op, sizeof(*op)), 0, 0, 0);
	memcpy(op, buffer, sizeof(*op));
	return result;
}

static long domctl(uint16_t domain, uint32_t cmd, struct xen_domctl op)
{
	return domctl_at(XEN_DOMCTL_INTERFACE_VERSION, domain, cmd, &op);
}
#define OP(member, ...) ((struct xen_domctl){.u.member = __VA_ARGS__})
#define NONE		((struct xen_domctl){.cmd = 0})

static struct xen_domctl_createdomain config(void)
{
	return (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 64,
		.max_maptrack_frames = 1024,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
		.arch.gic_version = XEN_DOMCTL_CONFIG_GIC_NATIVE,
	};
}

static long create(struct xen_domctl_createdomain c, uint16_t wanted, uint16_t *id)
{
	struct xen_domctl op = OP(createdomain, c);
	long result = domctl_at(XEN_DOMCTL_INTERFACE_VERSION, wanted, XEN_DOMCTL_createdomain, &op);

	if (result == 0)
		*id = op.domain;
	return result;
}

/* A bad configuration makes no domain; one that is accepted is taken away again. */
static void row_create(const char *name, struct xen_domctl_createdomain c)
{
	uint16_t id;
	long result = create(c, 0, &id);

	if (result == 0)
		domctl(id, XEN_DOMCTL_destroydomain, NONE);
	row(name, result);
}

static void table_create(void)
{
	struct xen_domctl_createdomain c;
	struct xen_domctl op = NONE;
	uint16_t id;

	row("domctl-version", domctl_at(0x16, 0, XEN_DOMCTL_getdomaininfo, &op));
	row("domctl-nobody", domctl(999, XEN_DOMCTL_getdomaininfo, NONE));
	row("domctl-self", domctl(DOMID_SELF, XEN_DOMCTL_getdomaininfo, NONE));
	row("domctl-unknown", domctl(0, 999, NONE));
	row("domctl-unknown-nobody", domctl(999, 999, NONE));
	row("domctl-fault", call(__HYPERVISOR_domctl, 16, 0, 0, 0));
#define CREATE(name, field, value) (c = config(), c.field = (value), row_create("create-" name, c))
	CREATE("good", flags, 3);
	CREATE("flags-none", flags, 0);
	CREATE("flags-hvm", flags, 1);
	CREATE("flags-hap", flags, 2);
	CREATE("flags-s3", flags, 7);
	CREATE("flags-oos", flags, 11);
	CREATE("flags-iommu", flags, 3 | XEN_DOMCTL_CDF_iommu);
	CREATE("flags-nested", flags, 3 | XEN_DOMCTL_CDF_nested_virt);
	CREATE("flags-unknown", flags, 3u | 1u << 31);
	CREATE("iommu-opts", iommu_opts, 1);
	CREATE("no-vcpus", max_vcpus, 0);
	CREATE("vcpus-1000", max_vcpus, 1000);
	CREATE("grants-65", max_grant_frames, 65);
	CREATE("grants-default", max_grant_frames, -1);
	CREATE("maptrack-1025", max_maptrack_frames, 1025);
	CREATE("grant-version-0", grant_opts, 0);
	CREATE("grant-version-2", grant_opts, 2);
	CREATE("grant-opts-unknown", grant_opts, 0x11);
	CREATE("altp2m", altp2m_opts, 1);
	CREATE("vmtrace", vmtrace_size, 4096);
	CREATE("gic-2", arch.gic_version, XEN_DOMCTL_CONFIG_GIC_V2);
	CREATE("gic-7", arch.gic_version, 7);
	CREATE("sve", arch.sve_vl, 1);
	CREATE("tee", arch.tee_type, XEN_DOMCTL_CONFIG_TEE_OPTEE);
	CREATE("tee-9", arch.tee_type, 9);
	CREATE("spis-988", arch.nr_spis, 988);
	CREATE("spis-100000", arch.nr_spis, 100000);
	CREATE("pool-77", cpupool_id, 77);
	row("create-existing", create(config(), dom, &id));
}

static void table_vcpus(void)
{
	static struct vcpu_guest_context context;
	struct xen_domctl op = OP(vcpucontext, {.vcpu = 0});

	memset(&context, 0, sizeof(context));
	row("address-size-first",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	row("context-before-vcpus", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	row("vcpuinfo-before-vcpus",
	    domctl(dom, XEN_DOMCTL_getvcpuinfo, OP(getvcpuinfo, {.vcpu = 0})));
	row("vcpus-more", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 2})));
	row("vcpus-none", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 0})));
	row("vcpus-of-dom0", domctl(0, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	row("vcpus", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	row("vcpus-again", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	row("vcpuinfo-99", domctl(dom, XEN_DOMCTL_getvcpuinfo, OP(getvcpuinfo, {.vcpu = 99})));
	op.u.vcpucontext.vcpu = 99;
	row("context-99", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	op.u.vcpucontext.vcpu = 0;
	PTR(op.u.vcpucontext.ctxt, 16);
	row("context-fault", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	row("getcontext-uninitialised", domctl(dom, XEN_DOMCTL_getvcpucontext, op));
	PTR(op.u.vcpucontext.ctxt, &context);
	context.user_regs.cpsr = 0x3c9; /* EL2h */
	row("context-el2", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	context.user_regs.cpsr = 0x1d3; /* AArch32 SVC */
	row("context-aarch32", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	row("context-of-dom0", domctl(0, XEN_DOMCTL_setvcpucontext, op));
	context.user_regs.cpsr = 0x1c5;
	row("context-good", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	row("getcontext-99", domctl(dom, XEN_DOMCTL_getvcpucontext, OP(vcpucontext, {.vcpu = 99})));
	row("getcontext-of-dom0",
	    domctl(0, XEN_DOMCTL_getvcpucontext, OP(vcpucontext, {.vcpu = 0})));
	row("affinity-99",
	    domctl(dom, XEN_DOMCTL_getvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 1})));
	row("set-affinity-99",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 1})));
	row("affinity-flags-99",
	    domctl(dom, XEN_DOMCTL_getvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 0})));
	row("affinity-flags",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity, OP(vcpuaffinity, {.vcpu = 0, .flags = 0})));
	row("affinity-empty",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity,
		   OP(vcpuaffinity,
		      {.vcpu = 0,
		       .flags = 1,
		       .cpumap_hard = {.nr_bits = 8,
				       .bitmap.q = (uint64_t)(uintptr_t)(buffer + 2048)}})));
}

static void table_pause(void)
{
	row("pause-self", domctl(0, XEN_DOMCTL_pausedomain, NONE));
	row("pause-nobody", domctl(999, XEN_DOMCTL_pausedomain, NONE));
	row("pause", domctl(dom, XEN_DOMCTL_pausedomain, NONE));
	row("unpause", domctl(dom, XEN_DOMCTL_unpausedomain, NONE));
	row("unpause-dom0", domctl(0, XEN_DOMCTL_unpausedomain, NONE));
	row("destroy-self", domctl(0, XEN_DOMCTL_destroydomain, NONE));
	row("destroy-nobody", domctl(999, XEN_DOMCTL_destroydomain, NONE));
	row("resume-running", domctl(dom, XEN_DOMCTL_resumedomain, NONE));
}

static void table_domctl_memory(void)
{
	row("address-size-32",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 48})));
	row("address-size-64",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	row("get-address-size", domctl(dom, XEN_DOMCTL_get_address_size, NONE));
	row("flush-overflow",
	    domctl(dom, XEN_DOMCTL_cacheflush, OP(cacheflush, {.start_pfn = ~0ul, .nr_pfns = 2})));
	row("flush-huge", domctl(dom, XEN_DOMCTL_cacheflush,
				 OP(cacheflush, {.start_pfn = 0, .nr_pfns = 1ul << 40})));
	row("flush-hole", domctl(dom, XEN_DOMCTL_cacheflush,
				 OP(cacheflush, {.start_pfn = 0x90000, .nr_pfns = 4})));
	row("flush-nothing", domctl(dom, XEN_DOMCTL_cacheflush,
				    OP(cacheflush, {.start_pfn = 0x40000, .nr_pfns = 0})));
	row("mempool-odd",
	    domctl(dom, XEN_DOMCTL_set_paging_mempool_size, OP(paging_mempool, {.size = 4097})));
	row("mempool",
	    domctl(dom, XEN_DOMCTL_set_paging_mempool_size, OP(paging_mempool, {.size = 2 << 20})));
	row("iomem-overflow",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = ~0ul, .nr_mfns = 2, .allow_access = 1})));
	row("iomem-none",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x9010, .nr_mfns = 0, .allow_access = 1})));
	row("iomem-of-xen",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x8000, .nr_mfns = 1, .allow_access = 1})));
	row("map-not-permitted",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 1})));
	row("map-overflow",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = ~0ul, .first_mfn = 0x9010, .nr_mfns = 2, .add_mapping = 1})));
	row("map-gic",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x8000, .first_mfn = 0x8000, .nr_mfns = 1, .add_mapping = 1})));
	row("iomem",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x9010, .nr_mfns = 1, .allow_access = 1})));
	row("map",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 1})));
	row("map-65", domctl(dom, XEN_DOMCTL_memory_mapping,
			     OP(memory_mapping, {.first_gfn = 0x9010,
						 .first_mfn = 0x9010,
						 .nr_mfns = 65,
						 .add_mapping = 1})));
	row("unmap",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 0})));
	row("llc-colors", domctl(dom, XEN_DOMCTL_set_llc_colors, NONE));
	row("shadow-op", domctl(dom, XEN_DOMCTL_shadow_op, NONE));
	row("hvm-context", domctl(dom, XEN_DOMCTL_gethvmcontext, NONE));
	row("vuart-bad", domctl(dom, XEN_DOMCTL_vuart_op, OP(vuart_op, {.cmd = 7})));
	row("bind-irq-type",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 34, .irq_type = PT_IRQ_TYPE_MSI, .u.spi.spi = 34})));
	row("bind-irq-other",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 34, .irq_type = PT_IRQ_TYPE_SPI, .u.spi.spi = 35})));
	row("bind-irq-ppi",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 20, .irq_type = PT_IRQ_TYPE_SPI, .u.spi.spi = 20})));
	row("max-mem", domctl(dom, XEN_DOMCTL_max_mem, OP(max_mem, {.max_memkb = 8192})));
}

/* ---- memory_op ------------------------------------------------------------------------------------------------------- */
static long reserve(unsigned cmd, uint16_t domain, uint64_t gfn, uint64_t count, unsigned order)
{
	struct xen_memory_reservation r = {
		.nr_extents = count, .extent_order = order, .domid = domain};

	memcpy(buffer + 2048, &gfn, sizeof(gfn));
	PTR(r.extent_start, buffer + 2048);
	return call(__HYPERVISOR_memory_op, cmd, in(&r, sizeof(r)), 0, 0);
}

static long add(uint16_t domain, unsigned space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = {.domid = domain, .space = space, .idx = index, .gpfn = gfn};

	return call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, in(&a, sizeof(a)), 0, 0);
}

/* The result of the whole call, or of its one entry. */
static long foreign(uint16_t owner, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap_batch b = {.domid = dom,
					     .space = XENMAPSPACE_gmfn_foreign,
					     .size = 1,
					     .u.foreign_domid = owner};
	int error = 77;
	long result;

	memcpy(buffer + 1024, &index, sizeof(index));
	memcpy(buffer + 1032, &gfn, sizeof(gfn));
	memcpy(buffer + 1040, &error, sizeof(error));
	PTR(b.idxs, buffer + 1024);
	PTR(b.gpfns, buffer + 1032);
	PTR(b.errs, buffer + 1040);
	result = call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, in(&b, sizeof(b)), 0, 0);
	memcpy(&error, buffer + 1040, sizeof(error));
	return result ? result * 1000 : error;
}

static long acquire(struct xen_mem_acquire_resource r)
{
	return call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, in(&r, sizeof(r)), 0, 0);
}

static long remove_gfn(uint16_t domain, uint64_t gfn)
{
	struct xen_remove_from_physmap r = {.domid = domain, .gpfn = gfn};

	return call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, in(&r, sizeof(r)), 0, 0);
}

static long pod_target(unsigned cmd, uint16_t domain)
{
	xen_pod_target_t p = {.target_pages = 4, .domid = domain};

	return call(__HYPERVISOR_memory_op, cmd, in(&p, sizeof(p)), 0, 0);
}

static void table_memory(void)
{
	uint16_t nobody = 999;

	row("memory-unknown", call(__HYPERVISOR_memory_op, 60, in("", 1), 0, 0));
	row("memory-fault", call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 16, 0, 0));
	row("populate-nobody", reserve(XENMEM_populate_physmap, 999, 0x40000, 1, 0));
	row("populate-order", reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 40));
	row("populate-none", reserve(XENMEM_populate_physmap, dom, 0x40000, 0, 0));
	row("populate", reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 0));
	row("populate-2m", reserve(XENMEM_populate_physmap, dom, 0x40200, 1, 9));
	row("address-size-late",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	row("populate-too-much", reserve(XENMEM_populate_physmap, dom, 0x41000, 1, 11));
	row("populate-outside", reserve(XENMEM_populate_physmap, dom, 1ul << 40, 1, 0));
	row("decrease-hole", reserve(XENMEM_decrease_reservation, dom, 0x90000, 1, 0));
	row("decrease-nobody", reserve(XENMEM_decrease_reservation, 999, 0x40000, 1, 0));
	row("add-unknown-space", add(dom, 9, 0, 0x38000));
	row("add-shared-info-1", add(dom, XENMAPSPACE_shared_info, 1, 0x38000));
	row("add-grant-far", add(dom, XENMAPSPACE_grant_table, 1000, 0x38000));
	row("add-grant", add(dom, XENMAPSPACE_grant_table, 0, 0x38000));
	row("add-foreign-without-batch", add(dom, XENMAPSPACE_gmfn_foreign, 0, 0x38000));
	row("add-nobody", add(999, XENMAPSPACE_shared_info, 0, 0x38000));
	row("foreign-nobody", foreign(nobody, 0x40000, 0x50000));
	row("foreign-itself", foreign(dom, 0x40000, 0x50000));
	row("foreign-hole", foreign(0, 0x3fffff, 0x50000));
	row("foreign-self", foreign(DOMID_SELF, 0x40000, 0x50000));
	row("remove-hole", remove_gfn(dom, 0x90000));
	row("remove-nobody", remove_gfn(999, 0x90000));
	row("reservation-nobody", call(__HYPERVISOR_memory_op, XENMEM_current_reservation,
				       in(&nobody, sizeof(nobody)), 0, 0));
	row("maximum-gpfn-nobody",
	    call(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, in(&nobody, sizeof(nobody)), 0, 0));
	row("maximum-gpfn",
	    call(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, in(&dom, sizeof(dom)), 0, 0));
	row("pod-target-nobody", pod_target(XENMEM_set_pod_target, 999));
	row("pod-target", pod_target(XENMEM_set_pod_target, dom));
	row("acquire-pad", acquire((struct xen_mem_acquire_resource){
				   .domid = dom, .type = XENMEM_resource_grant_table, .pad = 1}));
	row("acquire-type", acquire((struct xen_mem_acquire_resource){.domid = dom, .type = 9}));
	row("acquire-nobody", acquire((struct xen_mem_acquire_resource){
				      .domid = 999, .type = XENMEM_resource_grant_table}));
	row("acquire-id", acquire((struct xen_mem_acquire_resource){
				  .domid = dom, .type = XENMEM_resource_grant_table, .id = 9}));
	row("acquire-size", acquire((struct xen_mem_acquire_resource){
				    .domid = dom, .type = XENMEM_resource_grant_table}));
	row("acquire-count-without-list",
	    acquire((struct xen_mem_acquire_resource){
		    .domid = dom, .type = XENMEM_resource_grant_table, .nr_frames = 3}));
	row("acquire-self", acquire((struct xen_mem_acquire_resource){
				    .domid = DOMID_SELF, .type = XENMEM_resource_grant_table}));
}

/* ---- the others ------------------------------------------------------------------------------------------------------ */
static long event(unsigned cmd, const void *op, size_t size)
{
	return call(__HYPERVISOR_event_channel_op, cmd, in(op, size), 0, 0);
}
#define EVENT(cmd, type, ...) event(cmd, &(struct type)__VA_ARGS__, sizeof(struct type))

static void table_events(void)
{
	row("event-unknown", event(99, "", 1));
	row("event-fault", call(__HYPERVISOR_event_channel_op, EVTCHNOP_close, 16, 0, 0));
	row("event-alloc-nobody",
	    EVENT(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, {.dom = 999}));
	row("event-bind-nobody", EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
				       {.remote_dom = 999, .remote_port = 1}));
	row("event-bind-port", EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
				     {.remote_dom = dom, .remote_port = 1}));
	row("event-bind-far", EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
				    {.remote_dom = dom, .remote_port = 1u << 31}));
	row("event-close-0", EVENT(EVTCHNOP_close, evtchn_close, {.port = 0}));
	row("event-close-far", EVENT(EVTCHNOP_close, evtchn_close, {.port = 1u << 31}));
	row("event-close-free", EVENT(EVTCHNOP_close, evtchn_close, {.port = 4000}));
	row("event-send-0", EVENT(EVTCHNOP_send, evtchn_send, {.port = 0}));
	row("event-send-free", EVENT(EVTCHNOP_send, evtchn_send, {.port = 4000}));
	row("event-unmask-free", EVENT(EVTCHNOP_unmask, evtchn_unmask, {.port = 4000}));
	row("event-unmask-far", EVENT(EVTCHNOP_unmask, evtchn_unmask, {.port = 1u << 20}));
	row("event-status-far",
	    EVENT(EVTCHNOP_status, evtchn_status, {.dom = DOMID_SELF, .port = 1u << 20}));
	row("event-status-nobody", EVENT(EVTCHNOP_status, evtchn_status, {.dom = 999, .port = 1}));
	row("event-virq-far", EVENT(EVTCHNOP_bind_virq, evtchn_bind_virq, {.virq = 99}));
	row("event-virq-vcpu",
	    EVENT(EVTCHNOP_bind_virq, evtchn_bind_virq, {.virq = VIRQ_DEBUG, .vcpu = 99}));
	row("event-virq-global-vcpu",
	    EVENT(EVTCHNOP_bind_virq, evtchn_bind_virq, {.virq = VIRQ_CON_RING, .vcpu = 1}));
	row("event-virq-taken",
	    EVENT(EVTCHNOP_bind_virq, evtchn_bind_virq, {.virq = VIRQ_DOM_EXC}));
	row("event-ipi-vcpu", EVENT(EVTCHNOP_bind_ipi, evtchn_bind_ipi, {.vcpu = 99}));
	row("event-bind-vcpu-free",
	    EVENT(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, {.port = 4000, .vcpu = 0}));
	row("event-bind-vcpu-99",
	    EVENT(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, {.port = 1, .vcpu = 99}));
	row("event-bind-pirq", EVENT(EVTCHNOP_bind_pirq, evtchn_bind_pirq, {.pirq = 40}));
	row("event-reset-nobody", EVENT(EVTCHNOP_reset, evtchn_reset, {.dom = 999}));
	row("event-priority", EVENT(EVTCHNOP_set_priority, evtchn_set_priority, {.port = 4000}));
}

/* The result of the whole call, or the status in its one entry. */
#define GRANT(cmd, type, ...)                                                                      \
	({                                                                                         \
		struct type entry_ = __VA_ARGS__;                                                  \
		long result_ = call(__HYPERVISOR_grant_table_op, GNTTABOP_##cmd,                   \
				    in(&entry_, sizeof(entry_)), 1, 0);                            \
		memcpy(&entry_, buffer, sizeof(entry_));                                           \
		result_ ? result_ * 1000 : entry_.status;                                          \
	})

static long flush(uint64_t address, unsigned offset, unsigned length, uint32_t op)
{
	gnttab_cache_flush_t f = {.a.dev_bus_addr = address,
				  .offset = (uint16_t)offset,
				  .length = (uint16_t)length,
				  .op = op};

	return call(__HYPERVISOR_grant_table_op, GNTTABOP_cache_flush, in(&f, sizeof(f)), 1, 0);
}

static void table_grants(void)
{
	struct gnttab_set_version version = {.version = 2};

	row("grant-map-no-flags", GRANT(map_grant_ref, gnttab_map_grant_ref, {.dom = dom}));
	row("grant-map-device",
	    GRANT(map_grant_ref, gnttab_map_grant_ref, {.dom = dom, .flags = GNTMAP_device_map}));
	row("grant-map-nobody",
	    GRANT(map_grant_ref, gnttab_map_grant_ref, {.dom = 999, .flags = GNTMAP_host_map}));
	row("grant-map-far", GRANT(map_grant_ref, gnttab_map_grant_ref,
				   {.dom = dom, .ref = ~0u, .flags = GNTMAP_host_map}));
	row("grant-map-empty", GRANT(map_grant_ref, gnttab_map_grant_ref,
				     {.dom = dom, .ref = 9, .flags = GNTMAP_host_map}));
	row("grant-unmap-handle",
	    GRANT(unmap_grant_ref, gnttab_unmap_grant_ref, {.handle = 0xfffff}));
	row("grant-copy-nobody", GRANT(copy, gnttab_copy,
				       {.source = {.domid = 999},
					.dest = {.domid = DOMID_SELF, .u.gmfn = 0},
					.len = 8,
					.flags = GNTCOPY_source_gref}));
	row("grant-copy-frame-of-another", GRANT(copy, gnttab_copy,
						 {.source = {.domid = dom, .u.gmfn = 0x40000},
						  .dest = {.domid = DOMID_SELF},
						  .len = 8}));
	row("grant-copy-long", GRANT(copy, gnttab_copy,
				     {.source = {.domid = DOMID_SELF, .offset = 4090},
				      .dest = {.domid = DOMID_SELF},
				      .len = 8}));
	row("grant-size-nobody", GRANT(query_size, gnttab_query_size, {.dom = 999}));
	row("grant-setup-nobody", GRANT(setup_table, gnttab_setup_table, {.dom = 999}));
	row("grant-setup-many",
	    GRANT(setup_table, gnttab_setup_table, {.dom = dom, .nr_frames = 100000}));
	row("grant-status-frames",
	    GRANT(get_status_frames, gnttab_get_status_frames, {.dom = dom, .nr_frames = 1}));
	row("grant-swap-far",
	    GRANT(swap_grant_ref, gnttab_swap_grant_ref, {.ref_a = ~0u, .ref_b = 8}));
	row("grant-version-2", call(__HYPERVISOR_grant_table_op, GNTTABOP_set_version,
				    in(&version, sizeof(version)), 1, 0));
	version.version = 7;
	row("grant-version-7", call(__HYPERVISOR_grant_table_op, GNTTABOP_set_version,
				    in(&version, sizeof(version)), 1, 0));
	row("grant-count-negative",
	    call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, in("", 1), 1ul << 31, 0));
	row("grant-op-upper-bits",
	    call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size | 1 << 12, in("", 1), 0, 0));
	row("grant-fault", call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, 16, 1, 0));
	row("flush-question", flush(0, 0, 0, 0));
	row("flush-no-op", flush(0x9010000, 0, 8, 0));
	row("flush-offset", flush(0, 4096, 0, GNTTAB_CACHE_CLEAN));
	row("flush-length", flush(0, 0, 4097, GNTTAB_CACHE_CLEAN));
	row("flush-across", flush(0, 4095, 2, GNTTAB_CACHE_CLEAN));
	row("flush-unknown-op", flush(0, 0, 8, 4));
	row("flush-by-reference", flush(0, 0, 8, GNTTAB_CACHE_SOURCE_GREF | GNTTAB_CACHE_CLEAN));
	row("flush-device", flush(0x9010000, 0, 8, GNTTAB_CACHE_CLEAN));
	row("flush-nowhere", flush(1ul << 46, 0, 8, GNTTAB_CACHE_INVAL));
}

static long param(unsigned cmd, uint16_t domain, unsigned index, uint64_t value)
{
	struct xen_hvm_param p = {.domid = domain, .index = index, .value = value};

	return call(__HYPERVISOR_hvm_op, cmd, in(&p, sizeof(p)), 0, 0);
}

static void table_small(void)
{
	struct sched_poll poll = {.nr_ports = 1000};
	struct sched_watchdog dog = {.id = 99, .timeout = 10};
	struct xen_platform_op platform = {.cmd = XENPF_settime64, .interface_version = 1};

	row("param-get-64", param(HVMOP_get_param, dom, 64, 0));
	row("param-get-unknown", param(HVMOP_get_param, dom, 3, 0));
	row("param-get-nobody", param(HVMOP_get_param, 999, 1, 0));
	row("param-get-own-ring",
	    param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_MONITOR_RING_PFN, 0));
	row("param-get-ring", param(HVMOP_get_param, dom, HVM_PARAM_MONITOR_RING_PFN, 0));
	row("param-set-own", param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_STORE_PFN, 0));
	row("param-set-64", param(HVMOP_set_param, dom, 64, 0));
	row("param-set-unknown", param(HVMOP_set_param, dom, 3, 0));
	row("param-set", param(HVMOP_set_param, dom, HVM_PARAM_STORE_PFN, 5));
	row("param-set-nobody", param(HVMOP_set_param, 999, HVM_PARAM_STORE_PFN, 5));
	row("hvm-op-unknown", call(__HYPERVISOR_hvm_op, 99, in("", 1), 0, 0));
	row("sched-unknown", call(__HYPERVISOR_sched_op, 99, in("", 1), 0, 0));
	row("sched-poll-1000",
	    call(__HYPERVISOR_sched_op, SCHEDOP_poll, in(&poll, sizeof(poll)), 0, 0));
	row("sched-watchdog-99",
	    call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, in(&dog, sizeof(dog)), 0, 0));
	dog = (struct sched_watchdog){.id = 2, .timeout = 0};
	row("sched-watchdog-not-set",
	    call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, in(&dog, sizeof(dog)), 0, 0));
	row("vcpu-unknown", call(__HYPERVISOR_vcpu_op, 99, 0, in("", 1), 0));
	row("vcpu-999", call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 999, in("", 1), 0));
	row("platform-version",
	    call(__HYPERVISOR_platform_op, in(&platform, sizeof(platform)), 0, 0, 0));
	platform =
		(struct xen_platform_op){.cmd = 999, .interface_version = XENPF_INTERFACE_VERSION};
	row("platform-unknown",
	    call(__HYPERVISOR_platform_op, in(&platform, sizeof(platform)), 0, 0, 0));
	row("physdev-unknown", call(__HYPERVISOR_physdev_op, 999, in("", 1), 0, 0));
	row("version-unknown", call(__HYPERVISOR_xen_version, 99, in("", 1), 0, 0));
	row("console-unknown", call(__HYPERVISOR_console_io, 99, 1, in("", 1), 0));
	row("grant-unknown", call(__HYPERVISOR_grant_table_op, 99, in("", 1), 1, 0));
	row("multicall-fault", call(__HYPERVISOR_multicall, 16, 1, 0, 0));
	row("multicall-none", call(__HYPERVISOR_multicall, 16, 0, 0, 0));
	row("vm-assist-unknown", call(__HYPERVISOR_vm_assist, 0, 99, 0, 0));
	row("hypercall-63", call(63, 0, 0, 0, 0));
	row("hypercall-mmu-update", call(__HYPERVISOR_mmu_update, 0, 0, 0, 0));
}

static long sysctl(struct xen_sysctl op)
{
	op.interface_version =
		op.interface_version ? op.interface_version : XEN_SYSCTL_INTERFACE_VERSION;
	return call(__HYPERVISOR_sysctl, in(&op, sizeof(op)), 0, 0, 0);
}

static void table_sysctl(void)
{
	row("sysctl-version",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_physinfo, .interface_version = 0x14}));
	row("sysctl-unknown", sysctl((struct xen_sysctl){.cmd = 999}));
	row("sysctl-fault", call(__HYPERVISOR_sysctl, 16, 0, 0, 0));
	row("sysctl-pool-77",
	    sysctl((struct xen_sysctl){
		    .cmd = XEN_SYSCTL_cpupool_op,
		    .u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = 77}}));
	row("sysctl-pool-op-99",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_cpupool_op, .u.cpupool_op = {.op = 99}}));
	row("sysctl-list-fault",
	    sysctl((struct xen_sysctl){
		    .cmd = XEN_SYSCTL_getdomaininfolist,
		    .u.getdomaininfolist = {.first_domain = 0, .max_domains = 1, .buffer.q = 16}}));
	row("sysctl-list-none",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_getdomaininfolist,
				       .u.getdomaininfolist = {.first_domain = 30000,
							       .max_domains = 1,
							       .buffer.q = 16}}));
	row("sysctl-scheduler-9",
	    sysctl((struct xen_sysctl){.cmd = XEN_SYSCTL_scheduler_op,
				       .u.scheduler_op = {.cpupool_id = 77}}));
}

static uint64_t frames(void)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo,
				.interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	if (call(__HYPERVISOR_sysctl, in(&op, sizeof(op)), 0, 0, 0) != 0)
		exit(2);
	memcpy(&op, buffer, sizeof(op));
	return op.u.physinfo.free_pages + op.u.physinfo.scrub_pages;
}

/* What Dom0 has lent to map frames of others is missing here. */
static long dom0_pages(void)
{
	uint16_t self = DOMID_SELF;

	return call(__HYPERVISOR_memory_op, XENMEM_current_reservation, in(&self, sizeof(self)), 0,
		    0);
}

static int pages(uint16_t d)
{
	printf("%ld %ld\n",
	       call(__HYPERVISOR_memory_op, XENMEM_current_reservation, in(&d, sizeof(d)), 0, 0),
	       call(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, in(&d, sizeof(d)), 0, 0));
	return 0;
}

static int cycle(unsigned count)
{
	uint64_t before = frames();

	for (unsigned i = 0; i < count; i++) {
		long error = create(config(), 0, &dom);

		error = error ? error
			      : domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1}));
		error = error ? error
			      : domctl(dom, XEN_DOMCTL_set_paging_mempool_size,
				       OP(paging_mempool, {.size = 2 << 20}));
		error = error ? error
			      : domctl(dom, XEN_DOMCTL_max_mem, OP(max_mem, {.max_memkb = 8192}));
		error = error ? error : reserve(XENMEM_populate_physmap, dom, 0x40000, 1, 9) - 1;
		error = error ? error : reserve(XENMEM_populate_physmap, dom, 0x40201, 1, 0) - 1;
		error = error ? error : add(dom, XENMAPSPACE_grant_table, 5, 0x38005);
		error = error ? error : domctl(dom, XEN_DOMCTL_destroydomain, NONE);
		if (error) {
			printf("cycle %u failed: %ld\n", i, error);
			return 1;
		}
	}
	printf("cycles %u free frames before %lu after %lu\n", count, before, frames());
	return before == frames() ? 0 : 1;
}

int main(int argc, char **argv)
{
	device = open("/dev/xen/privcmd", O_RDWR);
	buffer = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (device < 0 || buffer == MAP_FAILED) {
		perror("hypercalls");
		return 2;
	}
	if (argc == 2 && strcmp(argv[1], "frames") == 0)
		return printf("%lu dom0 %ld\n", frames(), dom0_pages()) < 0;
	if (argc == 3 && strcmp(argv[1], "pages") == 0)
		return pages((uint16_t)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "cycle") == 0)
		return cycle((unsigned)atoi(argv[2]));
	if (create(config(), 0, &dom) != 0) {
		fprintf(stderr, "hypercalls: no domain can be made\n");
		return 2;
	}
	table_create();
	table_vcpus();
	table_pause();
	table_domctl_memory();
	table_memory();
	table_events();
	table_grants();
	table_small();
	table_sysctl();
	row("destroy", domctl(dom, XEN_DOMCTL_destroydomain, NONE));
	row("destroy-again", domctl(dom, XEN_DOMCTL_destroydomain, NONE));
	return 0;
}
