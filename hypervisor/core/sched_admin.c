/* What tools and a domain's life want of the scheduler: vCPUs off their CPUs, affinity, weight and cap, a place in a pool. */
#include "core/cpu_power.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/unit.h"
#include "lib/bits.h"
#include "lib/errno.h"

RARE bool sched_parked(struct vcpu *v)
{
	struct pool *p = pool_lock(&v->domain->pool);
	bool parked = v->credit.loaded < 0 && v->run != VCPU_RUNNING;
	struct cpu *at = v->cpu;

	if (!parked)
		v->unload = true;
	lock_drop(&p->lock);
	if (!parked)
		sched_ask((int)at->id);
	return parked;
}

RARE bool sched_retire(struct vcpu *v)
{
	struct pool *p;

	if (!sched_parked(v))
		return false;
	p = pool_lock(&v->domain->pool);
	credit_remove(&v->credit);
	if (v->run == VCPU_RUNNABLE)
		ATOMIC_WRITE(v->run, VCPU_BLOCKED);
	lock_drop(&p->lock);
	timer_cancel(&v->sleep);
	return true;
}

RARE int sched_set_affinity(struct vcpu *v, uint32_t hard, uint32_t soft)
{
	struct pool *p = pool_lock(&v->domain->pool);
	int error = (hard & p->members) != 0 ? 0 : -EINVAL, cpu = -1;
	struct cpu *at = v->cpu;

	if (!error) {
		v->credit.hard = hard;
		v->credit.soft = soft;
		credit_rehome(&p->credit, &v->credit);
		if (v->run == VCPU_RUNNABLE)
			cpu = credit_place(&p->credit, &v->credit, cpu_counter());
	}
	lock_drop(&p->lock);
	if (!error)
		sched_ask((int)at->id);
	sched_ask(cpu);
	return error;
}

RARE int sched_set_domain(struct domain *d, unsigned weight, unsigned cap)
{
	struct pool *p;

	if (weight == 0 || weight > UINT16_MAX || cap > 100 * MAX_CPUS)
		return -EINVAL;
	p = pool_lock(&d->pool);
	/* what runs now goes on by the old values until it is charged next, which is soon */
	for (uint32_t w = p->credit.cpus; w != 0; w &= w - 1)
		credit_charge(&p->credit, bits_first(w), cpu_counter());
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			credit_weigh(&p->credit, &d->vcpu[i]->credit, weight);
	d->credit.weight = (uint16_t)weight;
	if (d->credit.cap != cap) {
		d->credit.cap = (uint16_t)cap;
		d->credit.budget = 0;
		d->credit.refill = cpu_counter();
	}
	lock_drop(&p->lock);
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_kick(d->vcpu[i], WORK_STOP);
	return 0;
}

static RARE int sched_domain_create(struct domain *d)
{
	struct pool *p = pool_find(d->config.pool);

	int error = 0;

	if (p == NULL)
		return -ENOENT;
	d->credit.weight = CREDIT_WEIGHT;
	lock_take(&p->lock);
	if (!p->used)
		error = -ENOENT;
	else if (p->members == 0)
		error = -ENODEV;
	if (error == 0) {
		p->domains++;
		d->pool = p;
	}
	lock_drop(&p->lock);
	cpu_power_update(); /* they come up while the domain is made */
	return error;
}

static RARE void sched_domain_destroy(struct domain *d)
{
	struct pool *p = pool_lock(&d->pool);

	if (p == NULL)
		return;
	p->domains--;
	d->pool = NULL;
	lock_drop(&p->lock);
	cpu_power_update(); /* it was counted until now, and not listed any more */
}

UNIT(sched_admin_unit) = {
	.name = "sched_admin",
	.domain_create = sched_domain_create,
	.domain_destroy = sched_domain_destroy,
};
