#include "core/cpu_power.h"
#include "arch/psci.h"
#include "core/irq.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "lib/bits.h"
#include "lib/print.h"

static struct lock lock = LOCK(LOCK_CPU_POWER);
static struct timer again;
static bool again_set;

static bool domain_wants(const struct domain *d, unsigned cpu)
{
	bool none = true;

	if (ATOMIC_READ(d->state) >= DOMAIN_DYING)
		return false;
	for (unsigned i = 0; i < d->vcpus_max; i++) {
		if (d->vcpu[i] == NULL)
			continue;
		none = false;
		if (d->vcpu[i]->credit.hard >> cpu & 1)
			return true;
	}
	return none; /* they are still to be made */
}

static bool is_wanted(const struct cpu *c)
{
	const struct pool *p = c->pool;
	unsigned listed = 0;

	if (c->id == 0)
		return true;
	if (p == NULL || p->domains == 0)
		return false;
	for (struct domain *d = domain_next(0); d != NULL; d = domain_next((uint16_t)(d->id + 1))) {
		if (d->pool != p)
			continue;
		listed++;
		if (domain_wants(d, c->id))
			return true;
	}
	return listed < p->domains; /* one is being made that is not in the list yet */
}

static void look_again(void *arg)
{
	(void)arg;
	ATOMIC_WRITE(again_set, false);
	cpu_power_update();
}

/* Lock held. The firmware may still be at work switching it off: then a little later. */
static void switch_on(struct cpu *c)
{
	int error = cpu_start(c);

	if (error == 0) {
		c->power = CPU_ON;
		return;
	}
	if (error != PSCI_ALREADY_ON && error != PSCI_ON_PENDING) {
		log_error("CPU %u does not come back (PSCI %d)", c->id, error);
		c->power = CPU_ABSENT;
		return;
	}
	if (again_set)
		return;
	again_set = true;
	again.fire = look_again;
	timer_set(&again, cpu_counter() + time_ticks_of_ns(1000000));
}

void cpu_power_update(void)
{
	LOCK_SCOPE(&lock);
	for (unsigned i = 1; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];
		bool wanted = is_wanted(c);

		if (c->power == CPU_ABSENT)
			continue;
		ATOMIC_WRITE(c->unwanted, !wanted);
		if (wanted && c->power == CPU_OFF)
			switch_on(c);
		else if (!wanted && c->power == CPU_ON)
			sched_ask((int)i);
	}
}

void cpu_power_leave(struct cpu *c)
{
	struct pool *p;

	if (likely(!ATOMIC_READ(c->unwanted)))
		return;
	lock_take(&lock);
	if (!c->unwanted) {
		lock_drop(&lock);
		return;
	}
	p = pool_lock(&c->pool);
	if (p != NULL) {
		credit_cpu_leave(&p->credit, c->id);
		lock_drop(&p->lock);
	}
	__atomic_store_n(
		&c->online, false,
		__ATOMIC_SEQ_CST); /* before domain_cpu_passed(): nobody asks this CPU again */
	c->power = CPU_OFF;
	lock_drop(&lock);
	timer_cancel(&c->slice);
	timer_give_away(&cpus[0]);
	irq_cpu_leave(c);
	domain_cpu_passed();
	sched_ask(0); /* it has new deadlines */
	gic_cpu_exit();
	psci_cpu_off();
}

/* One that is GONE is counted in its pool and not in the list, like one that is being made: its end is for sched.c to tell. */
static void power_domain_dead(struct domain *d)
{
	if (ATOMIC_READ(d->state) == DOMAIN_ZOMBIE)
		cpu_power_update();
}

UNIT(cpu_power_unit) = {.name = "cpu power", .domain_dead = power_domain_dead};
