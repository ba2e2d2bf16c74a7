/* Ticket spinlock. EL2 runs with interrupts masked from entry to exit (docs/hypervisor.md), so a lock never has to mask them:
 * an interrupt cannot come between lock and unlock. The lock order stands in docs/hypervisor.md and nowhere else. */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H
#include "arch/cpu.h"
#include "lib/types.h"

struct lock {
	uint16_t next;	/* the ticket of the next one to come */
	uint16_t owner; /* the ticket that holds the lock */
};

static inline void lock_take(struct lock *l)
{
	uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != mine)
		cpu_relax();
}
static inline void lock_drop(struct lock *l)
{
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}
static inline void lock_scope_end(struct lock **l)
{
	lock_drop(*l);
}
/* Holds the lock until the enclosing block ends, whichever way it ends. */
#define LOCK_SCOPE(l)                                                                                                  \
	struct lock *lock_scope_ __attribute__((cleanup(lock_scope_end), unused)) = (lock_take(l), (l))

#endif
