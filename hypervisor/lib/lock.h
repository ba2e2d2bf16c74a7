/* Spinlock: one word, whoever runs takes it. Not a ticket lock: where the CPUs are themselves virtual (QEMU on a busy host), the
 * next in line may not be running, and all others would wait for it. Sections are short and have no loop that takes the lock
 * again at once, so nobody starves. EL2 runs with interrupts masked from entry to exit (docs/hypervisor.md), so a lock never has
 * to mask them: an interrupt cannot come between lock and unlock. */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H
#include "arch/cpu.h"
#include "lib/types.h"

/* The lock order, outermost first: who holds a lock takes only those that stand below it. Built with LOCK_ORDER (the host's tests
 * are, and `make hypervisor LOCK_ORDER=1 HV=build/hypervisor/checked`), core/lock_order.c holds every CPU to it. */
enum lock_rank {
	LOCK_NO_RANK, /* nobody said lock_init() */
	LOCK_DOMAINS, /* core/domain.c: the list of domains, their birth and death */
	LOCK_WATCHDOG, /* core/watchdog.c: a domain's; waits for one that fires, which shuts the domain down */
	LOCK_VSCU,	/* guest/vscu.c: Dom0's mailbox */
	LOCK_POWER,	/* core/power.c: the rails */
	LOCK_CPU_POWER, /* core/cpu_power.c: CPUs that go off and come back */
	LOCK_POOL_LIST, /* core/pool.c: which pools there are, which CPU is where */
	LOCK_EVENTS, /* core/event.c: a domain's event channels; of two domains the lower id first */
	LOCK_GRANTS,	/* core/grant.c: a domain's grant table */
	LOCK_MEMORY,	/* core/memory.c: a domain's guest-physical memory */
	LOCK_PAGES,	/* core/page.c: the allocator */
	LOCK_VUART,	/* guest/vuart.c: a domain's emulated UART */
	LOCK_VGIC,	/* guest/vgic.h: a domain's interrupts */
	LOCK_POOL,	/* core/pool.h: who runs where; of two pools the lower id first */
	LOCK_WALLCLOCK, /* xen/domain.c */
	LOCK_IRQ,	/* core/irq.c: whose the machine's interrupts are */
	LOCK_TIMERS,	/* core/time.c: a CPU's deadlines */
	LOCK_SCU,	/* drivers/scu.c: the mailbox of the system controller */
	LOCK_CONSOLE,	/* core/console.c: anybody may log with any lock held */
	LOCK_RANKS
};

struct lock {
	uint32_t held; /* 0: free */
	uint8_t rank;
};
#define LOCK(rank_)                                                                                \
	{                                                                                          \
		.rank = (rank_)                                                                    \
	}

/* Memory for a lock that is cleared already. */
static inline void lock_init(struct lock *l, enum lock_rank rank)
{
	l->rank = (uint8_t)rank;
}

/* core/lock_order.c: before a lock is taken, and after it was dropped. */
void lock_order_take(const struct lock *l);
void lock_order_drop(const struct lock *l);

static inline void lock_take(struct lock *l)
{
#ifdef LOCK_ORDER
	lock_order_take(l);
#endif
	cpu_locks++; /* not 0, and at hand: so it is also what "held" looks like */
	while (__atomic_exchange_n(&l->held, (uint32_t)cpu_locks, __ATOMIC_ACQUIRE) != 0)
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED) != 0)
			cpu_relax();
}
static inline void lock_drop(struct lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
	cpu_locks--;
#ifdef LOCK_ORDER
	lock_order_drop(l);
#endif
}
static inline struct lock *lock_taken(struct lock *l)
{
	lock_take(l);
	return l;
}
static inline void lock_scope_end(struct lock **l)
{
	lock_drop(*l);
}
/* Holds the lock until the enclosing block ends, whichever way it ends. */
#define LOCK_SCOPE(l)                                                                              \
	struct lock *lock_scope_ __attribute__((cleanup(lock_scope_end), unused)) = lock_taken(l)

#endif
