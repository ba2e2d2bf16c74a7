#include "core/pool.h"
#include "core/time.h"
#include "lib/bits.h"
#include "lib/print.h"

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
