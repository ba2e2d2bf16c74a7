/* CPU pools: a CPU is in one pool or in none, a domain lives in one pool. At boot there is one for each cluster, so that a domain
 * sees cores of one kind. */
#ifndef CORE_POOL_H
#define CORE_POOL_H
#include "core/cpu.h"
#include "core/credit.h"
#include "core/domain.h"

#define POOL_MAX 16

struct pool {
	struct lock
		lock; /* all below, and the credit_vcpu, credit_domain and run state of the vCPUs of its domains */
	bool used;
	unsigned id;
	unsigned domains; /* that live here */
	uint32_t members; /* CPUs that belong to it, those that are switched off too */
	struct credit_pool credit;
};
extern struct pool pools[POOL_MAX];

/* Boot, when cpus[] is known: a pool for each cluster; the boot CPU's is pool 0. */
void pool_init(void);
/* The pool with this id, or the next one; NULL. */
struct pool *pool_find(unsigned id);
struct pool *pool_next(unsigned id);
/* Locks the pool that *where names at that moment, and returns it; NULL (nothing locked) when it names none. */
struct pool *pool_lock(struct pool **where);
/* An empty pool: *id is the number that it shall have, or gets when it is ~0. -EEXIST, -ENOSPC. */
int pool_create(unsigned *id);
/* -ENOENT, -EBUSY when it still has CPUs or domains. */
int pool_destroy(unsigned id);
/* A CPU that is in no pool joins one. -ENODEV: it is in a pool, or there is no such CPU. */
int pool_cpu_add(struct pool *p, unsigned cpu);
/* A CPU begins to leave its pool: -EBUSY when it is the last one and domains live there, -ENODEV when it is not in p. vCPUs that
 * may run nowhere else may from now on run everywhere. It is out (cpus[cpu].pool is NULL) soon after, when its scheduler ran. */
int pool_cpu_leave(struct pool *p, unsigned cpu);
/* d lives in another pool from now on: 0; -ERESTART: ask again until its vCPUs are off their CPUs; -EBUSY: a pool without CPUs,
 * or d is moving to another one. */
int pool_move(struct domain *d, struct pool *to);
/* With the pool's lock: CPUs that are up and may run a vCPU with this affinity. */
static inline uint32_t pool_cpus(const struct pool *p, uint32_t affinity)
{
	return p->credit.cpus & affinity;
}

#endif
