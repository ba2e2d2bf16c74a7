#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/bits.h"
#include "lib/errno.h"

struct pool pools[POOL_MAX];

static struct pool *pool_of_cluster(unsigned i)
{
	for (unsigned n = 0; n < i; n++)
		if (cpus[n].cluster == cpus[i].cluster)
			return cpus[n].pool;
	for (unsigned n = 0; n < POOL_MAX; n++)
		if (!pools[n].used)
			return &pools[n];
	return &pools[0];
}

void pool_init(void)
{
	for (unsigned i = 0; i < POOL_MAX; i++)
		lock_init(&pools[i].lock, LOCK_POOL);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct pool *p = pool_of_cluster(i);

		if (!p->used) {
			p->id = (unsigned)(p - pools);
			p->used = true;
			credit_pool_init(&p->credit, time_frequency, CREDIT_RATELIMIT_US);
		}
		p->members |= 1u << i;
		cpus[i].pool = p;
	}
}

struct pool *pool_next(unsigned id)
{
	for (; id < POOL_MAX; id++)
		if (pools[id].used)
			return &pools[id];
	return NULL;
}

struct pool *pool_find(unsigned id)
{
	return id < POOL_MAX && pools[id].used ? &pools[id] : NULL;
}

struct pool *pool_lock(struct pool **where)
{
	for (;;) {
		struct pool *p = __atomic_load_n(where, __ATOMIC_ACQUIRE);

		if (p == NULL)
			return NULL;
		lock_take(&p->lock);
		if (p == __atomic_load_n(where, __ATOMIC_RELAXED))
			return p;
		lock_drop(&p->lock);
	}
}

/* ---- what the tools change --------------------------------------------------------------------------------------------- */
static struct lock list_lock = LOCK(LOCK_POOL_LIST); /* who is used, which CPU is where */

int pool_create(unsigned *id)
{
	LOCK_SCOPE(&list_lock);
	for (unsigned i = 0; *id == ~0u && i < POOL_MAX; i++)
		if (!pools[i].used)
			*id = i;
	if (*id >= POOL_MAX)
		return -ENOSPC;
	if (pools[*id].used)
		return -EEXIST;
	pools[*id].id = *id;
	pools[*id].domains = 0;
	pools[*id].members = 0;
	credit_pool_init(&pools[*id].credit, time_frequency, CREDIT_RATELIMIT_US);
	pools[*id].used = true;
	return 0;
}

int pool_destroy(unsigned id)
{
	struct pool *p = pool_find(id);

	if (p == NULL)
		return -ENOENT;
	LOCK_SCOPE(&list_lock);
	lock_take(&p->lock);
	p->used = p->domains != 0 || p->members != 0;
	lock_drop(&p->lock);
	return p->used ? -EBUSY : 0;
}

int pool_cpu_add(struct pool *p, unsigned cpu)
{
	if (cpu >= cpu_count)
		return -ENODEV;
	LOCK_SCOPE(&list_lock);
	if (cpus[cpu].pool != NULL)
		return -ENODEV;
	lock_take(&p->lock);
	p->members |= 1u << cpu;
	__atomic_store_n(&cpus[cpu].pool, p, __ATOMIC_RELEASE);
	lock_drop(&p->lock);
	sched_ask((int)cpu); /* it joins by itself, when it is on */
	return 0;
}

/* Lock held. vCPUs of p's domains that only `gone` may run may run everywhere. */
static void break_affinity(struct pool *p, uint32_t gone)
{
	for (struct domain *d = domain_next(0); d != NULL; d = domain_next((uint16_t)(d->id + 1)))
		for (unsigned i = 0; d->pool == p && i < d->vcpus_max; i++)
			if (d->vcpu[i] != NULL && !(d->vcpu[i]->credit.hard & p->members & ~gone))
				d->vcpu[i]->credit.hard = ~0u;
}

int pool_cpu_leave(struct pool *p, unsigned cpu)
{
	uint32_t others;

	if (cpu >= cpu_count)
		return -ENODEV;
	LOCK_SCOPE(&list_lock);
	if (cpus[cpu].pool != p || !(p->members >> cpu & 1))
		return -ENODEV;
	if (p->members == 1u << cpu && p->domains != 0)
		return -EBUSY;
	lock_take(&p->lock);
	break_affinity(p, 1u << cpu);
	p->members &= ~(1u << cpu);
	if (!(p->credit.cpus >> cpu & 1))
		cpus[cpu].pool = NULL; /* it is off */
	credit_cpu_leave(&p->credit, cpu);
	others = p->credit.cpus;
	lock_drop(&p->lock);
	sched_ask((int)cpu); /* lets go of what it runs, then of the pool */
	for (; others != 0; others &= others - 1)
		sched_ask((int)bits_first(others));
	return 0;
}

static bool all_parked(struct domain *d)
{
	bool all = true;

	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			all &= sched_parked(d->vcpu[i]);
	return all;
}

static void pause_all(struct domain *d, void (*one)(struct vcpu *))
{
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			one(d->vcpu[i]);
}

/* None of d's vCPUs runs, and none will: all are paused. Both locks are held. */
static void transfer(struct domain *d, struct pool *from, struct pool *to)
{
	for (unsigned i = 0; i < d->vcpus_max; i++) {
		struct vcpu *v = d->vcpu[i];

		if (v == NULL)
			continue;
		credit_remove(&v->credit);
		if (v->run == VCPU_RUNNABLE)
			v->run = VCPU_BLOCKED;
		if (!(v->credit.hard & to->members))
			v->credit.hard = ~0u;
		v->cpu = &cpus[bits_first(v->credit.hard & to->members)];
		credit_transfer(&to->credit, &v->credit, v->cpu->id);
		credit_rehome(&to->credit, &v->credit);
	}
	d->credit.refill = 0;
	from->domains--;
	to->domains++;
	__atomic_store_n(&d->pool, to, __ATOMIC_RELEASE);
}

int pool_move(struct domain *d, struct pool *to)
{
	struct pool *from = d->pool, *none = NULL, *first = from < to ? from : to,
		    *second = from < to ? to : from;

	if (from == to)
		return 0;
	if (to->members == 0)
		return -EBUSY;
	if (__atomic_compare_exchange_n(&d->moving_to, &none, to, false, __ATOMIC_ACQ_REL,
					__ATOMIC_RELAXED))
		pause_all(d, vcpu_pause);
	else if (none != to)
		return -EBUSY;
	if (!all_parked(d))
		return -ERESTART;
	lock_take(&list_lock);
	lock_take(&first->lock);
	lock_take(&second->lock);
	transfer(d, from, to);
	lock_drop(&second->lock);
	lock_drop(&first->lock);
	lock_drop(&list_lock);
	__atomic_store_n(&d->moving_to, NULL, __ATOMIC_RELEASE);
	pause_all(d, vcpu_unpause);
	return 0;
}
