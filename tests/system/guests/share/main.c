/* A Dom0 that makes four domains of one CPU-bound vCPU each, with weights 1:1:2:4, lets them share the machine's only core for two
 * seconds and prints how far each came: a domain counts in its own memory, and its run time is asked for as well. Then the second
 * one gets a cap. All by the toolstack's own hypercalls, so that part runs on stock Xen too.
 *
 * On a machine with several CPUs it makes one domain in CPU pool 1 instead, moves it to pool 0 and destroys it, and prints after
 * each step how many CPUs are on. */
#include "bare.h"

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define DOMAINS	     4
#define GUEST_RAM    0x40000000ul
#define COUNTER	     0x800 /* in the domain's only page */
#define DOMCTL	     36
#define MEMORY	     12
#define SYSCTL	     35
#define DOM0_ADDRESS ((uint64_t)pages[i])

static const uint16_t weight[DOMAINS] = {256, 256, 512, 1024};
/* ldr x0, [x1]; add x0, x0, #1; str x0, [x1]; b . - 12; x1 is set by the context */
static const uint32_t program[] = {0xf9400020, 0x91000400, 0xf9000020, 0x17fffffd};

static _Alignas(
	4096) volatile uint64_t pages[DOMAINS][512]; /* Dom0's windows on the domains' pages */
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
	struct xen_add_to_physmap_batch batch = {.domid = DOMID_SELF,
						 .space = XENMAPSPACE_gmfn_foreign,
						 .size = 1,
						 .u.foreign_domid = dom[i]};

	batch.idxs.p = &index;
	batch.gpfns.p = &gfn;
	batch.errs.p = &error;
	must("map", hypercall(MEMORY, XENMEM_add_to_physmap_batch, (uint64_t)&batch, 0), 0);
	must("map", error, 0);
}

static void make(unsigned i, uint32_t pool)
{
	static vcpu_guest_context_t context;
	xen_pfn_t gfn = GUEST_RAM >> 12;
	struct xen_memory_reservation page = {.nr_extents = 1, .domid = 0};

	op = (xen_domctl_t){.u.createdomain = {.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
					       .max_vcpus = 1,
					       .cpupool_id = pool,
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
		print("%s %u: counted %u, ran %u ns", what, (uint64_t)i, count(i) - counted[i],
		      ran(i) - time[i]);
}

static int64_t sysctl(xen_sysctl_t *s, uint32_t command)
{
	s->cmd = command;
	s->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall(SYSCTL, (uint64_t)s, 0, 0);
}

static uint32_t cpus_on(void)
{
	static xen_sysctl_t s;

	must("physinfo", sysctl(&s, XEN_SYSCTL_physinfo), 0);
	return s.u.physinfo.nr_cpus;
}

/* CPUs come and go soon after the call that is the reason: how many there are in the end, and whether the domain counts. */
static void say(const char *when, uint32_t expected, bool runs)
{
	uint64_t before = dom[0] ? count(0) : 0;

	(void)WAIT_FOR(cpus_on() == expected);
	if (runs)
		(void)WAIT_FOR(count(0) > before);
	else
		sleep_us(20000);
	print("%s: %u CPUs on, domain %s", when, (uint64_t)cpus_on(),
	      dom[0] && count(0) > before ? "runs" : "rests");
}

static void pools(void)
{
	static xen_sysctl_t s = {.u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN}};

	say("at first", 2, false);
	make(0, 1);
	say("made", 4, false);
	must("unpause", domctl(0, XEN_DOMCTL_unpausedomain), 0);
	say("unpaused", 4, true);
	s.u.cpupool_op.domid = dom[0];
	must("cpupool_op", sysctl(&s, XEN_SYSCTL_cpupool_op), 0);
	say("moved", 2, true);
	/* to and fro, CPUs still on their way on or off: it ends in pool 1 */
	for (unsigned n = 1; n <= 101; n++) {
		s.u.cpupool_op.cpupool_id = n & 1;
		must("cpupool_op", sysctl(&s, XEN_SYSCTL_cpupool_op), 0);
		delay_us(n * 7);
	}
	say("moved back", 4, true);
	must("destroy", domctl(0, XEN_DOMCTL_destroydomain), 0);
	dom[0] = 0;
	say("destroyed", 2, false);
}

static void share(void)
{
	for (unsigned i = 0; i < DOMAINS; i++) {
		make(i, 0);
		schedule(i, weight[i], 0);
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		must("unpause", domctl(i, XEN_DOMCTL_unpausedomain), 0);
	sleep_us(50000);
	measure("weights", 2000000);
	schedule(1, 1024, 10);
	sleep_us(50000);
	measure("cap", 1000000);
}

void guest_main(void)
{
	gic_init();
	gic_enable(PPI_VTIMER, 0x80); /* pending is enough to end a WFI */
	if (cpu_count() > 1)
		pools();
	else
		share();
	print("share ends");
	power_off();
}
