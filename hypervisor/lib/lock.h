/* Spinlock: one word, whoever runs takes it. Not a ticket lock: where the CPUs are themselves virtual (QEMU on a busy host), the
 * next in line may not be running, and all others would wait for it. Sections are short, so nobody starves. EL2 runs with interrupts masked from entry to exit (docs/hypervisor.md), so a lock never has to mask them:
 * an interrupt cannot come between lock and unlock. The lock order stands in docs/hypervisor.md and nowhere else. */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H
#include "arch/cpu.h"
#include "lib/types.h"

struct lock {
	uint32_t held;
};

static inline void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE) != 0)
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED) != 0)
			cpu_relax();
}
static inline void lock_drop(struct lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}
static inline void lock_scope_end(struct lock **l)
{
	lock_drop(*l);
}
/* Holds the lock until the enclosing block ends, whichever way it ends. */
#define LOCK_SCOPE(l)                                                                                                  \
	struct lock *lock_scope_ __attribute__((cleanup(lock_scope_end), unused)) = (lock_take(l), (l))

#endif
