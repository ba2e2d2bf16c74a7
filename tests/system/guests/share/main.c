/* A Dom0 that makes four domains of one CPU-bound vCPU each, with weights 1:1:2:4, lets them share the machine's only core for two
 * seconds and prints how far each came: a domain counts in its own memory, and its run time is asked for as well. Then the second
 * one gets a cap. All by the toolstack's own hypercalls, so it runs on stock Xen too. */
#include "bare.h"

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/domctl.h>
#include <xen/memory.h>

#define DOMAINS	     4
#define GUEST_RAM    0x40000000ul
#define COUNTER	     0x800 /* in the domain's only page */
#define DOMCTL	     36
#define MEMORY	     12
#define DOM0_ADDRESS ((uint64_t)pages[i])

static const uint16_t weight[DOMAINS] = {256, 256, 512, 1024};
/* ldr x0, [x1]; add x0, x0, #1; str x0, [x1]; b . - 12; x1 is set by the context */
static const uint32_t program[] = {0xf9400020, 0x91000400, 0xf9000020, 0x17fffffd};

static _Alignas(4096) volatile uint64_t pages[DOMAINS][512]; /* Dom0's windows on the domains' pages */
static uint16_t dom[DOMAINS];
static xen_domctl_t op;

/* What the other side, whose caches are off, has written or shall read. */
static void flush(volatile void *at, uint64_t size)
{
	for (uint64_t a = (uint64_t)at & ~63ul; a < (uint64_t)at + size; a += 16)
		asm volatile("dc civac, %0" ::"r"(a) : "memory");
	asm volatile("dsb sy" ::: "memory");
}

static int64_t domctl(unsigned i, uint32_t command)
{
	op.cmd = command;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = dom[i];
	return hypercall(DOMCTL, (uint64_t)&op, 0, 0);
}

static void must(const char *what, int64_t result, int64_t expected)
{
	if (result == expected)
		return;
	print("failed: %s %d", what, result);
	power_off();
}

/* The domain's page appears where Dom0's own page was. */
static void window(unsigned i)
{
	xen_ulong_t index = GUEST_RAM >> 12;
	xen_pfn_t gfn = DOM0_ADDRESS >> 12;
	int error = 1;
	struct xen_add_to_physmap_batch batch = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1, .u.foreign_domid = dom[i]};

	batch.idxs.p = &index;
	batch.gpfns.p = &gfn;
	batch.errs.p = &error;
	must("map", hypercall(MEMORY, XENMEM_add_to_physmap_batch, (uint64_t)&batch, 0), 0);
	must("map", error, 0);
}

static void make(unsigned i)
{
	static vcpu_guest_context_t context;
	xen_pfn_t gfn = GUEST_RAM >> 12;
	struct xen_memory_reservation page = {.nr_extents = 1, .domid = 0};

	op = (xen_domctl_t){.u.createdomain = {.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
					       .max_vcpus = 1,
					       .max_evtchn_port = 1023,
					       .max_grant_frames = 4,
					       .max_maptrack_frames = 4,
					       .grant_opts = XEN_DOMCTL_GRANT_version(1)}};
	dom[i] = 0;
	must("createdomain", domctl(i, XEN_DOMCTL_createdomain), 0);
	dom[i] = op.domain;
	op.u.max_vcpus.max = 1;
	must("max_vcpus", domctl(i, XEN_DOMCTL_max_vcpus), 0);
	op.u.max_mem.max_memkb = 1024;
	must("max_mem", domctl(i, XEN_DOMCTL_max_mem), 0);
	op.u.paging_mempool.size = 2 << 20;
	must("set_paging_mempool_size", domctl(i, XEN_DOMCTL_set_paging_mempool_size), 0);
	op.u.address_size.size = 64;
	must("set_address_size", domctl(i, XEN_DOMCTL_set_address_size), 0);
	page.extent_start.p = &gfn;
	page.domid = dom[i];
	must("populate", hypercall(MEMORY, XENMEM_populate_physmap, (uint64_t)&page, 0), 1);
	window(i);
	for (unsigned n = 0; n < sizeof(program) / 4; n++)
		((volatile uint32_t *)pages[i])[n] = program[n];
	flush(pages[i], 4096);
	context.flags = VGCF_online;
	context.user_regs.x1 = GUEST_RAM + COUNTER;
	context.user_regs.pc64 = GUEST_RAM;
	context.user_regs.cpsr = 0x1c5;
	context.sctlr = 0x00c50078;
	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.p = &context;
	must("setvcpucontext", domctl(i, XEN_DOMCTL_setvcpucontext), 0);
}

static void schedule(unsigned i, unsigned share, unsigned cap)
{
	op.u.scheduler_op = (struct xen_domctl_scheduler_op){.sched_id = XEN_SCHEDULER_CREDIT2,
							     .cmd = XEN_DOMCTL_SCHEDOP_putinfo};
	op.u.scheduler_op.u.credit2.weight = (uint16_t)share;
	op.u.scheduler_op.u.credit2.cap = (uint16_t)cap;
	must("scheduler_op", domctl(i, XEN_DOMCTL_scheduler_op), 0);
}

static uint64_t count(unsigned i)
{
	flush(&pages[i][COUNTER / 8], 8);
	return pages[i][COUNTER / 8];
}

static uint64_t ran(unsigned i)
{
	must("getdomaininfo", domctl(i, XEN_DOMCTL_getdomaininfo), 0);
	return op.u.getdomaininfo.cpu_time;
}

/* Everybody else gets the core meanwhile. */
static void sleep_us(uint64_t us)
{
	uint64_t end = counter() + ticks_of_us(us);

	sysreg_write(cntv_cval_el0, end);
	sysreg_write(cntv_ctl_el0, 1);
	while (counter() < end)
		wfi();
	sysreg_write(cntv_ctl_el0, 0);
}

static void measure(const char *what, uint64_t us)
{
	uint64_t counted[DOMAINS], time[DOMAINS];

	for (unsigned i = 0; i < DOMAINS; i++) {
		counted[i] = count(i);
		time[i] = ran(i);
	}
	sleep_us(us);
	for (unsigned i = 0; i < DOMAINS; i++)
		print("%s %u: counted %u, ran %u ns", what, (uint64_t)i, count(i) - counted[i], ran(i) - time[i]);
}

void guest_main(void)
{
	gic_init();
	gic_enable(PPI_VTIMER, 0x80); /* pending is enough to end a WFI */
	for (unsigned i = 0; i < DOMAINS; i++) {
		make(i);
		schedule(i, weight[i], 0);
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		must("unpause", domctl(i, XEN_DOMCTL_unpausedomain), 0);
	sleep_us(50000);
	measure("weights", 2000000);
	schedule(1, 1024, 10);
	sleep_us(50000);
	measure("cap", 1000000);
	print("share ends");
	power_off();
}
