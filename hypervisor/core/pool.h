/* CPU pools: a CPU is in one pool or in none, a domain lives in one pool. At boot there is one for each cluster, so that a domain
 * sees cores of one kind. */
#ifndef CORE_POOL_H
#define CORE_POOL_H
#include "core/cpu.h"
#include "core/credit.h"
#include "core/domain.h"

#define POOL_MAX 16

struct pool {
	struct lock lock; /* all below, and the credit_vcpu, credit_domain and run state of the vCPUs of its domains */
	bool used;
	unsigned id;
	unsigned domains;  /* that live here */
	uint32_t members;  /* CPUs that belong to it, those that are switched off too */
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
/* With the pool's lock: CPUs that are up and may run a vCPU with this affinity. */
static inline uint32_t pool_cpus(const struct pool *p, uint32_t affinity)
{
	return p->credit.cpus & affinity;
}

#endif
