/* The counter, and a sorted list of deadlines on each CPU behind its CNTHP timer. */
#include "core/time.h"
#include "arch/timer.h"
#include "core/irq.h"
#include "lib/dt.h"
#include "lib/print.h"

uint64_t time_frequency, time_boot;
static unsigned timer_intid = 26;

uint64_t time_ns_of_ticks(uint64_t ticks)
{
	/* whole seconds apart, so that the product fits: rest < 2^32, 10^9 < 2^30 */
	return ticks / time_frequency * 1000000000UL + ticks % time_frequency * 1000000000UL / time_frequency;
}

uint64_t time_ticks_of_ns(uint64_t ns)
{
	uint64_t seconds = ns / 1000000000UL, rest = ns % 1000000000UL;

	if (seconds > UINT64_MAX / 2 / time_frequency)
		return UINT64_MAX / 2;
	return seconds * time_frequency + (rest * time_frequency + 999999999UL) / 1000000000UL;
}

uint64_t time_ns_of(uint64_t counter)
{
	return time_ns_of_ticks(counter - time_boot);
}

uint64_t time_ns(void)
{
	return time_ns_of(cpu_counter());
}

static void rearm(struct cpu *c)
{
	if (c->timers != NULL)
		timer_arm(c->timers->deadline);
	else
		timer_stop();
}

void timer_cancel(struct timer *t)
{
	if (t->cpu == NULL)
		return;
	ASSERT(t->cpu == cpu_this());
	for (struct timer **at = &t->cpu->timers; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	t->cpu = NULL;
}

void timer_set(struct timer *t, uint64_t deadline)
{
	struct timer **at = &cpu_this()->timers;

	timer_cancel(t);
	t->deadline = deadline;
	t->cpu = cpu_this();
	while (*at != NULL && (*at)->deadline <= deadline)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	rearm(t->cpu);
}

static void timer_irq(unsigned intid, void *arg)
{
	struct cpu *c = cpu_this();

	(void)intid;
	(void)arg;
	while (c->timers != NULL && c->timers->deadline <= cpu_counter()) {
		struct timer *t = c->timers;

		c->timers = t->next;
		t->cpu = NULL;
		t->fire(t->arg);
	}
	rearm(c);
}

void time_cpu_init(void)
{
	timer_stop();
	if (irq_register(timer_intid, false, timer_irq, NULL) != 0)
		panic("the hypervisor's timer interrupt %u is taken", timer_intid);
}

void time_init(const void *fdt)
{
	int node = dt_compatible(fdt, -1, "arm,armv8-timer"), gic_node = dt_compatible(fdt, -1, "arm,gic-v3");
	unsigned flags;

	time_boot = cpu_counter();
	time_frequency = node >= 0 ? dt_number(fdt, node, "clock-frequency", 0) : 0;
	if (time_frequency == 0)
		time_frequency = cpu_counter_frequency();
	if (time_frequency == 0)
		panic("the firmware did not set CNTFRQ_EL0 and the device tree names no clock-frequency");
	/* secure, physical, virtual, hypervisor */
	if (node < 0 || !dt_interrupt(fdt, node, 3, gic_node, &timer_intid, &flags))
		timer_intid = 26;
}
