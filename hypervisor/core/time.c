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
	return ticks / time_frequency * 1000000000UL +
	       ticks % time_frequency * 1000000000UL / time_frequency;
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

/* Lock held. */
static void rearm(struct cpu *c)
{
	if (c->timers != NULL)
		timer_arm(c->timers->deadline);
	else
		timer_stop();
}

void timer_rearm(void)
{
	LOCK_SCOPE(&cpu_this()->timer_lock);
	rearm(cpu_this());
}

static void insert(struct cpu *c, struct timer *t)
{
	struct timer **at = &c->timers;

	while (*at != NULL && (*at)->deadline <= t->deadline)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	__atomic_store_n(&t->cpu, c, __ATOMIC_RELAXED);
}

static void take_out(struct timer *t)
{
	for (struct timer **at = &t->cpu->timers; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	__atomic_store_n(&t->cpu, NULL, __ATOMIC_RELAXED);
}

/* Its function may be running on a CPU that has taken it off its list already. */
static void wait_fired(const struct timer *t)
{
	for (unsigned i = 0; i < cpu_count; i++)
		while (&cpus[i] != cpu_this() &&
		       __atomic_load_n(&cpus[i].firing, __ATOMIC_ACQUIRE) == t)
			cpu_relax();
}

void timer_cancel(struct timer *t)
{
	struct cpu *c;

	while ((c = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED)) != NULL) {
		LOCK_SCOPE(&c->timer_lock);
		if (t->cpu == c)
			take_out(t);
	}
	wait_fired(t);
}

void timer_set(struct timer *t, uint64_t deadline)
{
	struct cpu *c = cpu_this();

	if (t->cpu != NULL)
		timer_cancel(t);
	LOCK_SCOPE(&c->timer_lock);
	t->deadline = deadline;
	insert(c, t);
	if (c->timers == t)
		rearm(c);
}

static struct timer *next_due(struct cpu *c)
{
	struct timer *t;

	LOCK_SCOPE(&c->timer_lock);
	t = c->timers;
	if (t == NULL || t->deadline > cpu_counter()) {
		rearm(c);
		t = NULL;
	} else {
		take_out(t);
	}
	__atomic_store_n(&c->firing, t, __ATOMIC_RELEASE);
	return t;
}

static void timer_irq(unsigned intid, void *arg)
{
	struct cpu *c = cpu_this();
	struct timer *t;

	(void)intid;
	(void)arg;
	while ((t = next_due(c)) != NULL)
		t->fire(t->arg);
}

void timer_give_away(struct cpu *to)
{
	struct cpu *c = cpu_this();
	struct timer *t;

	timer_stop();
	do {
		lock_take(&c->timer_lock);
		t = c->timers;
		if (t != NULL)
			take_out(t);
		lock_drop(&c->timer_lock);
		if (t != NULL) {
			LOCK_SCOPE(&to->timer_lock);
			insert(to, t);
		}
	} while (t != NULL);
}

void time_cpu_init(void)
{
	timer_stop();
	if (irq_register(timer_intid, false, timer_irq, NULL) != 0)
		panic("the hypervisor's timer interrupt %u is taken", timer_intid);
}

void time_init(const void *fdt)
{
	int node = dt_compatible(fdt, -1, "arm,armv8-timer"),
	    gic_node = dt_compatible(fdt, -1, "arm,gic-v3");
	unsigned flags;

	time_boot = cpu_counter();
	time_frequency = node >= 0 ? dt_number(fdt, node, "clock-frequency", 0) : 0;
	if (time_frequency == 0)
		time_frequency = cpu_counter_frequency();
	if (time_frequency == 0)
		panic("the firmware did not set CNTFRQ_EL0 and the device tree names no "
		      "clock-frequency");
	/* secure, physical, virtual, hypervisor */
	if (node < 0 || !dt_interrupt(fdt, node, 3, gic_node, &timer_intid, &flags))
		timer_intid = 26;
}
