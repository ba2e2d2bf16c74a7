/* The end of a domain, in steps that are short enough to be taken with interrupts masked.
 *
 * Whoever found a domain may use the pointer until its CPU leaves EL2's code, without counting: so a domain that is GONE leaves
 * domains[], and is freed when every CPU has taken an SGI since, because EL2 takes interrupts only where it holds no pointer. The
 * CPU that found it dead frees it, not the last one to take the SGI: that one may be somebody's who has nothing to do with it. */
#include "core/cpu.h"
#include "core/domain_life.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/sched.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/print.h"

uint32_t domain_reap_wanted;

/* By the place in domains[], which stays taken meanwhile. */
static struct {
	struct domain *domain; /* NULL: none. Set under domain_list_lock, cleared by the reaper */
	struct cpu *reaper;
	uint32_t forget; /* bit = CPU that may still hold a pointer to it; atomic */
	uint16_t id;
} gone[DOMAIN_MAX];

/* A ZOMBIE and GONE are both news for who watches domains. */
static void tell_dead(struct domain *d)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->domain_dead != NULL)
			u->domain_dead(d);
}

/* True when no CPU runs it, holds its state or has a deadline of it. */
static bool vcpus_retired(struct domain *d)
{
	bool all = true;

	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			all &= sched_retire(d->vcpu[i]);
	return all;
}

static int give_back(struct domain *d)
{
	for (const struct unit *u = units_begin; u < units_end; u++) {
		int error = u->domain_relinquish != NULL ? u->domain_relinquish(d) : 0;

		if (error != 0)
			return error;
	}
	return memory_relinquish(d);
}

static int kill_step(struct domain *d)
{
	enum domain_state state = ATOMIC_READ(d->state);
	int error;

	lock_take(&domain_list_lock); /* who makes vCPUs has made them, or finds it DYING */
	while (state < DOMAIN_DYING && !domain_state_change(d, state, DOMAIN_DYING))
		state = ATOMIC_READ(d->state);
	lock_drop(&domain_list_lock);
	if (ATOMIC_READ(d->state) != DOMAIN_DYING)
		return 0;
	if (!vcpus_retired(d))
		return -ERESTART;
	error = give_back(d);
	if (error == 0) {
		domain_state_change(d, DOMAIN_DYING, DOMAIN_ZOMBIE);
		tell_dead(d);
		ATOMIC_WRITE(domain_reap_wanted, 1);
	}
	return error;
}

int domain_kill(struct domain *d)
{
	int error;

	if (__atomic_exchange_n(&d->killing, 1, __ATOMIC_ACQUIRE) != 0)
		return -ERESTART; /* another CPU is at it */
	error = kill_step(d);
	__atomic_store_n(&d->killing, 0, __ATOMIC_RELEASE);
	return error;
}

void domain_frames_freed(uint16_t id, uint64_t n)
{
	struct domain *d = domain_find(id);

	if (d != NULL && __atomic_sub_fetch(&d->frames, n, __ATOMIC_ACQ_REL) == 0 &&
	    ATOMIC_READ(d->state) == DOMAIN_ZOMBIE)
		ATOMIC_WRITE(domain_reap_wanted, 1);
}

bool domain_is_leaving(uint16_t id)
{
	struct domain *d = domain_find(id);

	for (unsigned i = 0; d == NULL && i < DOMAIN_MAX; i++)
		if (domain_place_is_taken(i) && gone[i].id == id)
			return true;
	return d != NULL && ATOMIC_READ(d->state) >= DOMAIN_DYING;
}

bool domain_place_is_taken(unsigned place)
{
	return __atomic_load_n(&gone[place].domain, __ATOMIC_ACQUIRE) != NULL;
}

static bool is_empty_zombie(struct domain *d)
{
	return d != NULL && ATOMIC_READ(d->state) == DOMAIN_ZOMBIE &&
	       __atomic_load_n(&d->frames, __ATOMIC_ACQUIRE) == 0;
}

/* All CPUs that are on, this one too: its own SGI comes when it leaves EL2. */
static uint32_t online_mask(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		mask |= ATOMIC_READ(cpus[i].online) ? 1u << i : 0;
	return mask;
}

/* A reaper that is on its way off may not look any more: the boot CPU never goes. */
static void tell_reaper(struct cpu *c, uint32_t places)
{
	__atomic_fetch_or(&c->forgotten, places, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&c->online, __ATOMIC_SEQ_CST)) {
		places = __atomic_exchange_n(&c->forgotten, 0, __ATOMIC_SEQ_CST);
		c = &cpus[0];
		__atomic_fetch_or(&c->forgotten, places, __ATOMIC_SEQ_CST);
	}
	if (c != cpu_this())
		gic_send_sgi(c->mpidr, SGI_FORGET);
}

/* These CPUs hold no pointer to what is gone from that place. Whoever takes away the last bit tells. */
static void passed(unsigned place, uint32_t who)
{
	uint32_t was = __atomic_fetch_and(&gone[place].forget, ~who, __ATOMIC_SEQ_CST);

	if ((was & who) != 0 && (was & ~who) == 0)
		tell_reaper(gone[place].reaper, 1u << place);
}

/* Takes empty zombies out of domains[]; their places. List locked. */
static uint32_t bury(void)
{
	uint32_t places = 0;

	_Static_assert(DOMAIN_MAX <= 32, "places are bits of a word");
	for (unsigned i = 0; i < DOMAIN_MAX; i++) {
		struct domain *d = domains[i];

		if (!is_empty_zombie(d))
			continue;
		__atomic_store_n(&d->state, DOMAIN_GONE, __ATOMIC_RELEASE);
		gone[i].id = d->id;
		gone[i].reaper = cpu_this();
		__atomic_store_n(&gone[i].domain, d, __ATOMIC_RELEASE);
		__atomic_store_n(&domains[i], NULL, __ATOMIC_RELEASE);
		places |= 1u << i;
	}
	return places;
}

void domain_reap(void)
{
	uint32_t mask, places;

	LOCK_SCOPE(&domain_list_lock);
	ATOMIC_WRITE(domain_reap_wanted, 0);
	cpu_barrier_full(); /* what becomes free after this look asks again */
	places = bury();
	if (places == 0)
		return;
	cpu_barrier_full();
	mask = online_mask();
	for (uint32_t w = places; w != 0; w &= w - 1)
		__atomic_store_n(&gone[bits_first(w)].forget, mask, __ATOMIC_SEQ_CST);
	cpu_barrier_full();
	/* a CPU that went off in between has passed, and may have looked too early */
	for (uint32_t w = places; w != 0; w &= w - 1)
		passed(bits_first(w), mask & ~online_mask());
	for (; mask != 0; mask &= mask - 1)
		gic_send_sgi(cpus[bits_first(mask)].mpidr, SGI_FORGET);
}

static void release_gone(unsigned place)
{
	struct domain *d = gone[place].domain;

	tell_dead(d);
	domain_release(d);
	if (domain_find(0) != NULL)
		memory_compact(domain_find(0));
	__atomic_store_n(&gone[place].domain, NULL, __ATOMIC_RELEASE);
}

void domain_cpu_passed(void)
{
	uint32_t here = 1u << cpu_this()->id, mine;

	for (unsigned i = 0; i < DOMAIN_MAX; i++)
		if (ATOMIC_READ(gone[i].forget) & here)
			passed(i, here);
	mine = __atomic_exchange_n(&cpu_this()->forgotten, 0, __ATOMIC_SEQ_CST);
	for (; mine != 0; mine &= mine - 1)
		release_gone(bits_first(mine));
}
