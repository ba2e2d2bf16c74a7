/* A Dom0 that makes four domains of one CPU-bound vCPU each, with weights 1:1:2:4, lets them share the machine's only core for two
 * seconds and prints how far each came: a domain counts in its own memory, and its run time is asked for as well. Then the second
 * one gets a cap. Before all that it has the core for itself and prints for how long the hypervisor took it away at most. All by the
 * toolstack's own hypercalls, so that part runs on stock Xen too.
 *
 * On a machine with several CPUs it makes one domain in CPU pool 1 instead, moves it to pool 0 and destroys it, and prints after
 * each step how many CPUs are on. */
#include "domu.h"
#include "hold.h"

#include <xen/sysctl.h>

#define DOMAINS 4
#define COUNTER 0x800 /* in the domain's only page */

static const uint16_t weight[DOMAINS] = {256, 256, 512, 1024};
/* ldr x0, [x1]; add x0, x0, #1; str x0, [x1]; b . - 12; x1 is set by the context */
static const uint32_t program[] = {0xf9400020, 0x91000400, 0xf9000020, 0x17fffffd};

static _Alignas(
	4096) volatile uint64_t pages[DOMAINS][512]; /* Dom0's windows on the domains' pages */
static struct domu dom[DOMAINS];
static xen_domctl_t op;

static void make(unsigned i, uint32_t pool)
{
	dom[i] = (struct domu){.pages = 1, .window = (volatile uint8_t *)pages[i]};
	domu_make(&dom[i], pool, 0);
	for (unsigned n = 0; n < sizeof(program) / 4; n++)
		((volatile uint32_t *)pages[i])[n] = program[n];
	domu_flush(pages[i], 4096);
	domu_context(&dom[i], DOMU_RAM, 0, DOMU_RAM + COUNTER);
}

static void schedule(unsigned i, unsigned share, unsigned cap)
{
	op.u.scheduler_op = (struct xen_domctl_scheduler_op){.sched_id = XEN_SCHEDULER_CREDIT2,
							     .cmd = XEN_DOMCTL_SCHEDOP_putinfo};
	op.u.scheduler_op.u.credit2.weight = (uint16_t)share;
	op.u.scheduler_op.u.credit2.cap = (uint16_t)cap;
	must("scheduler_op", domctl(dom[i].id, XEN_DOMCTL_scheduler_op, &op), 0);
}

static uint64_t count(unsigned i)
{
	domu_flush(&pages[i][COUNTER / 8], 8);
	return pages[i][COUNTER / 8];
}

static uint64_t ran(unsigned i)
{
	must("getdomaininfo", domctl(dom[i].id, XEN_DOMCTL_getdomaininfo, &op), 0);
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
	return hypercall(__HYPERVISOR_sysctl, (uint64_t)s, 0, 0);
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
	uint64_t before = dom[0].id ? count(0) : 0;

	(void)WAIT_FOR(cpus_on() == expected);
	if (runs)
		(void)WAIT_FOR(count(0) > before);
	else
		sleep_us(20000);
	print("%s: %u CPUs on, domain %s", when, (uint64_t)cpus_on(),
	      dom[0].id && count(0) > before ? "runs" : "rests");
}

static void pools(void)
{
	static xen_sysctl_t s = {.u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN}};

	say("at first", 2, false);
	make(0, 1);
	say("made", 4, false);
	domu_unpause(&dom[0]);
	say("unpaused", 4, true);
	s.u.cpupool_op.domid = dom[0].id;
	must("cpupool_op", sysctl(&s, XEN_SYSCTL_cpupool_op), 0);
	say("moved", 2, true);
	/* to and fro, CPUs still on their way on or off: it ends in pool 1 */
	for (unsigned n = 1; n <= 101; n++) {
		s.u.cpupool_op.cpupool_id = n & 1;
		must("cpupool_op", sysctl(&s, XEN_SYSCTL_cpupool_op), 0);
		delay_us(n * 7);
	}
	say("moved back", 4, true);
	domu_destroy(&dom[0]);
	say("destroyed", 2, false);
}

/* Before there is anybody else: one second of time, with an interrupt of its own every 5 ms. */
static void alone(void)
{
	static struct hold h;

	hold_measure(&h, ticks_of_us(1000000), ticks_of_us(5000), 40);
	print("alone: %u looks in %u ticks, longest hold %u ticks", h.looks, h.ticks, h.longest);
}

static void share(void)
{
	alone();
	for (unsigned i = 0; i < DOMAINS; i++) {
		make(i, 0);
		schedule(i, weight[i], 0);
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		domu_unpause(&dom[i]);
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
