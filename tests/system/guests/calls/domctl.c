#include "dom0.h"
#include <string.h>

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

long domctl(uint16_t domain, uint32_t cmd, struct xen_domctl op)
{
	return domctl_at(XEN_DOMCTL_INTERFACE_VERSION, domain, cmd, &op);
}

struct xen_domctl_createdomain config(void)
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

long create(struct xen_domctl_createdomain c, uint16_t wanted, uint16_t *id)
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
	say(name, result);
}

void table_create(void)
{
	struct xen_domctl_createdomain c;
	struct xen_domctl op = NONE;
	uint16_t id;

	say("domctl-version", domctl_at(0x16, 0, XEN_DOMCTL_getdomaininfo, &op));
	say("domctl-nobody", domctl(999, XEN_DOMCTL_getdomaininfo, NONE));
	say("domctl-self", domctl(DOMID_SELF, XEN_DOMCTL_getdomaininfo, NONE));
	say("domctl-unknown", domctl(0, 999, NONE));
	say("domctl-unknown-nobody", domctl(999, 999, NONE));
	say("domctl-fault", call(__HYPERVISOR_domctl, 16, 0, 0, 0));
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
	say("create-existing", create(config(), dom, &id));
}

void table_vcpus(void)
{
	static struct vcpu_guest_context context;
	struct xen_domctl op = OP(vcpucontext, {.vcpu = 0});

	memset(&context, 0, sizeof(context));
	say("address-size-first",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	say("context-before-vcpus", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	say("vcpuinfo-before-vcpus",
	    domctl(dom, XEN_DOMCTL_getvcpuinfo, OP(getvcpuinfo, {.vcpu = 0})));
	say("vcpus-more", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 2})));
	say("vcpus-none", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 0})));
	say("vcpus-of-dom0", domctl(0, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	say("vcpus", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	say("vcpus-again", domctl(dom, XEN_DOMCTL_max_vcpus, OP(max_vcpus, {.max = 1})));
	say("vcpuinfo-99", domctl(dom, XEN_DOMCTL_getvcpuinfo, OP(getvcpuinfo, {.vcpu = 99})));
	op.u.vcpucontext.vcpu = 99;
	say("context-99", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	op.u.vcpucontext.vcpu = 0;
	PTR(op.u.vcpucontext.ctxt, 16);
	say("context-fault", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	say("getcontext-uninitialised", domctl(dom, XEN_DOMCTL_getvcpucontext, op));
	PTR(op.u.vcpucontext.ctxt, &context);
	context.user_regs.cpsr = 0x3c9; /* EL2h */
	say("context-el2", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	context.user_regs.cpsr = 0x1d3; /* AArch32 SVC */
	say("context-aarch32", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	say("context-of-dom0", domctl(0, XEN_DOMCTL_setvcpucontext, op));
	context.user_regs.cpsr = 0x1c5;
	say("context-good", domctl(dom, XEN_DOMCTL_setvcpucontext, op));
	say("getcontext-99", domctl(dom, XEN_DOMCTL_getvcpucontext, OP(vcpucontext, {.vcpu = 99})));
	say("getcontext-of-dom0",
	    domctl(0, XEN_DOMCTL_getvcpucontext, OP(vcpucontext, {.vcpu = 0})));
	say("affinity-99",
	    domctl(dom, XEN_DOMCTL_getvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 1})));
	say("set-affinity-99",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 1})));
	say("affinity-flags-99",
	    domctl(dom, XEN_DOMCTL_getvcpuaffinity, OP(vcpuaffinity, {.vcpu = 99, .flags = 0})));
	say("affinity-flags",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity, OP(vcpuaffinity, {.vcpu = 0, .flags = 0})));
	say("affinity-empty",
	    domctl(dom, XEN_DOMCTL_setvcpuaffinity,
		   OP(vcpuaffinity,
		      {.vcpu = 0,
		       .flags = 1,
		       .cpumap_hard = {.nr_bits = 8,
				       .bitmap.q = (uint64_t)(uintptr_t)(buffer + 2048)}})));
}

void table_pause(void)
{
	say("pause-self", domctl(0, XEN_DOMCTL_pausedomain, NONE));
	say("pause-nobody", domctl(999, XEN_DOMCTL_pausedomain, NONE));
	say("pause", domctl(dom, XEN_DOMCTL_pausedomain, NONE));
	say("unpause", domctl(dom, XEN_DOMCTL_unpausedomain, NONE));
	say("unpause-dom0", domctl(0, XEN_DOMCTL_unpausedomain, NONE));
	say("destroy-self", domctl(0, XEN_DOMCTL_destroydomain, NONE));
	say("destroy-nobody", domctl(999, XEN_DOMCTL_destroydomain, NONE));
	say("resume-running", domctl(dom, XEN_DOMCTL_resumedomain, NONE));
}

void table_domctl_memory(void)
{
	say("address-size-32",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 48})));
	say("address-size-64",
	    domctl(dom, XEN_DOMCTL_set_address_size, OP(address_size, {.size = 64})));
	say("get-address-size", domctl(dom, XEN_DOMCTL_get_address_size, NONE));
	say("flush-overflow",
	    domctl(dom, XEN_DOMCTL_cacheflush, OP(cacheflush, {.start_pfn = ~0ul, .nr_pfns = 2})));
	say("flush-huge", domctl(dom, XEN_DOMCTL_cacheflush,
				 OP(cacheflush, {.start_pfn = 0, .nr_pfns = 1ul << 40})));
	say("flush-hole", domctl(dom, XEN_DOMCTL_cacheflush,
				 OP(cacheflush, {.start_pfn = 0x90000, .nr_pfns = 4})));
	say("flush-nothing", domctl(dom, XEN_DOMCTL_cacheflush,
				    OP(cacheflush, {.start_pfn = 0x40000, .nr_pfns = 0})));
	say("mempool-odd",
	    domctl(dom, XEN_DOMCTL_set_paging_mempool_size, OP(paging_mempool, {.size = 4097})));
	say("mempool",
	    domctl(dom, XEN_DOMCTL_set_paging_mempool_size, OP(paging_mempool, {.size = 2 << 20})));
	say("iomem-overflow",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = ~0ul, .nr_mfns = 2, .allow_access = 1})));
	say("iomem-none",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x9010, .nr_mfns = 0, .allow_access = 1})));
	say("iomem-of-xen",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x8000, .nr_mfns = 1, .allow_access = 1})));
	say("map-not-permitted",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 1})));
	say("map-overflow",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = ~0ul, .first_mfn = 0x9010, .nr_mfns = 2, .add_mapping = 1})));
	say("map-gic",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x8000, .first_mfn = 0x8000, .nr_mfns = 1, .add_mapping = 1})));
	say("iomem",
	    domctl(dom, XEN_DOMCTL_iomem_permission,
		   OP(iomem_permission, {.first_mfn = 0x9010, .nr_mfns = 1, .allow_access = 1})));
	say("map",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 1})));
	say("map-65", domctl(dom, XEN_DOMCTL_memory_mapping,
			     OP(memory_mapping, {.first_gfn = 0x9010,
						 .first_mfn = 0x9010,
						 .nr_mfns = 65,
						 .add_mapping = 1})));
	say("unmap",
	    domctl(dom, XEN_DOMCTL_memory_mapping,
		   OP(memory_mapping,
		      {.first_gfn = 0x9010, .first_mfn = 0x9010, .nr_mfns = 1, .add_mapping = 0})));
	say("llc-colors", domctl(dom, XEN_DOMCTL_set_llc_colors, NONE));
	say("shadow-op", domctl(dom, XEN_DOMCTL_shadow_op, NONE));
	say("hvm-context", domctl(dom, XEN_DOMCTL_gethvmcontext, NONE));
	say("vuart-bad", domctl(dom, XEN_DOMCTL_vuart_op, OP(vuart_op, {.cmd = 7})));
	say("bind-irq-type",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 34, .irq_type = PT_IRQ_TYPE_MSI, .u.spi.spi = 34})));
	say("bind-irq-other",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 34, .irq_type = PT_IRQ_TYPE_SPI, .u.spi.spi = 35})));
	say("bind-irq-ppi",
	    domctl(dom, XEN_DOMCTL_bind_pt_irq,
		   OP(bind_pt_irq,
		      {.machine_irq = 20, .irq_type = PT_IRQ_TYPE_SPI, .u.spi.spi = 20})));
	say("time-offset", domctl(dom, XEN_DOMCTL_settimeoffset,
				  OP(settimeoffset, {.time_offset_seconds = -3600})));
	say("time-offset-nobody", domctl(999, XEN_DOMCTL_settimeoffset, NONE));
	for (unsigned cmd = 1; cmd < 92; cmd++)
		row_number("domctl-nobody", cmd, domctl(999, cmd, NONE));
	say("max-mem", domctl(dom, XEN_DOMCTL_max_mem, OP(max_mem, {.max_memkb = 8192})));
}
