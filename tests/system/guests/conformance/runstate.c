/* What the hypervisor tells about a vCPU's time (struct vcpu_runstate_info of xen/vcpu.h): Linux takes its steal time from it, and
 * whether another vCPU waits for a CPU. */
#include "case.h"

enum { RUNNING, RUNNABLE, BLOCKED, OFFLINE };
struct runstate {
	volatile uint32_t state;
	volatile uint64_t since, time[4];
};
#define UPDATE (1ul << 63)

static _Alignas(4096) uint8_t pages[8192];
/* the second one lies in two pages */
static struct runstate *const area[2] = {(struct runstate *)pages,
					 (struct runstate *)(pages + 4096 - 16)};

static int64_t tell(unsigned vcpu, volatile void *at)
{
	uint64_t op = (uint64_t)at;

	return hypercall(24, 5, vcpu, (uint64_t)&op); /* vcpu_op, register_runstate_memory_area */
}

/* All time is in one of the states: whatever happened between two looks, their sum grew as the time of the last change did. */
static bool adds_up(const struct runstate *a, const struct runstate *b)
{
	uint64_t sum = 0, passed = b->since - a->since;

	for (unsigned i = 0; i < 4; i++)
		sum += b->time[i] - a->time[i];
	return sum <= passed + 4 && passed <= sum + 4; /* each is rounded to nanoseconds */
}

static void copy(struct runstate *to, const struct runstate *from)
{
	do {
		to->since = from->since;
		asm volatile("dmb ish" ::: "memory");
		to->state = from->state;
		for (unsigned i = 0; i < 4; i++)
			to->time[i] = from->time[i];
		asm volatile("dmb ish" ::: "memory");
	} while (to->since != from->since || (to->since & UPDATE));
}

/* Sleeps until the virtual timer's interrupt is pending, which nobody takes: interrupts are masked in all cases here. */
static void sleep_a_little(void)
{
	gic_enable(PPI_VTIMER, 0x80);
	sysreg_write(cntv_tval_el0, ticks_of_us(2000));
	sysreg_write(cntv_ctl_el0, 1);
	while (!(sysreg_read(cntv_ctl_el0) & 4))
		wfi();
	sysreg_write(cntv_ctl_el0, 0);
	gic_disable(PPI_VTIMER);
}

CASE(runstate_of_the_vcpu_that_looks, 1)
{
	for (unsigned i = 0; i < 2; i++) {
		struct runstate before, after;

		EQUAL(tell(0, area[i]), 0);
		EQUAL(area[i]->state, RUNNING);
		copy(&before, area[i]);
		/* the time may be over before it sleeps: then once more */
		CHECK(WAIT_FOR((sleep_a_little(), area[i]->time[BLOCKED]) > before.time[BLOCKED]),
		      before.time[BLOCKED], 0);
		copy(&after, area[i]);
		EQUAL(after.state, RUNNING);
		CHECK(after.time[RUNNING] > before.time[RUNNING], before.time[RUNNING],
		      after.time[RUNNING]);
		CHECK(adds_up(&before, &after), before.since, after.since);
		EQUAL(tell(0, NULL), 0);
		sleep_a_little();
		EQUAL(area[i]->since, after.since); /* it is not written any more */
	}
}

CASE(runstate_wants_memory, 1)
{
	EQUAL(tell(0, (void *)8), -22);
	EQUAL(tell(0, pages + 4), -22);
	EQUAL(tell(99, pages), -2);
}

static volatile unsigned phase;

static void other(struct cpu *c)
{
	(void)c;
	irq_disable();
	gic_enable(3, 0x80);
	while (phase == 0)
		wfi();
	icc_write(ICC_EOIR1, icc_read(ICC_IAR1));
	while (phase == 1)
		;
}

/* With fewer CPUs than vCPUs the other one is never seen running, as it is this one that looks. */
CASE(runstate_of_another_vcpu, 2)
{
	struct runstate before, after;

	phase = 0;
	EQUAL(hypercall(21, 0, 5, 0),
	      0); /* vm_assist: the bit that says that it is being changed */
	EQUAL(tell(1, area[1]), 0);
	EQUAL(area[1]->state, OFFLINE);
	copy(&before, area[1]);
	EQUAL(cpu_start(1, other), 0);
	CHECK(WAIT_FOR(area[1]->state == BLOCKED), area[1]->state, 0);
	phase = 1;
	icc_write(ICC_SGI1R, 3ul << 24 | 2);
	CHECK(WAIT_FOR(area[1]->state <= RUNNABLE), area[1]->state, 0);
	delay_us(3000);
	CHECK(area[1]->state <= RUNNABLE, area[1]->state, 0);
	phase = 2;
	CHECK(WAIT_FOR(area[1]->state == OFFLINE), area[1]->state, 0);
	copy(&after, area[1]);
	CHECK(after.time[RUNNING] > before.time[RUNNING], before.time[RUNNING],
	      after.time[RUNNING]);
	CHECK(after.time[BLOCKED] > before.time[BLOCKED], before.time[BLOCKED],
	      after.time[BLOCKED]);
	CHECK(after.time[OFFLINE] > before.time[OFFLINE], before.time[OFFLINE],
	      after.time[OFFLINE]);
	CHECK(adds_up(&before, &after), before.since, after.since);
	EQUAL(tell(1, NULL), 0);
	EQUAL(hypercall(21, 1, 5, 0), 0);
	CHECK(cpu_wait_off(1), 0, 0);
}
