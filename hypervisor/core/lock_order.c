/* Does every CPU keep to the lock order? Part of builds with LOCK_ORDER only (lib/lock.h). */
#include "core/cpu.h"
#include "lib/lock.h"
#include "lib/print.h"

static uint64_t held[MAX_CPUS]; /* two bits for each rank: how many of its locks the CPU holds */
_Static_assert(2 * LOCK_RANKS <= 64, "one word");

static uint64_t *held_here(void)
{
	const struct cpu *c = cpu_this();

	return &held[c != NULL ? c->id : 0]; /* NULL: the boot CPU, before it knows who it is */
}

void lock_order_take(const struct lock *l)
{
	static bool broken; /* saying so takes a lock */
	uint64_t *mine = held_here(), inner = *mine >> 2 * l->rank;
	bool twice = l->rank == LOCK_EVENTS || l->rank == LOCK_POOL;

	if (!broken && (l->rank == LOCK_NO_RANK || inner > twice)) {
		broken = true;
		panic("lock order: rank %u is taken at %lx while %lx are held", l->rank,
		      (uint64_t)__builtin_return_address(0), *mine);
	}
	*mine += 1ul << 2 * l->rank;
}

void lock_order_drop(const struct lock *l)
{
	*held_here() -= 1ul << 2 * l->rank;
}
