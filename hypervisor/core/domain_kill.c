/* The end of a domain, in steps that are short enough to be taken with interrupts masked.
 *
 * Whoever found a domain may use the pointer until its CPU leaves EL2's code, without counting: so a domain that is GONE is
 * freed when every CPU has taken an SGI since, because EL2 takes interrupts only where it holds no pointer. */
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
	struct domain *d = domain_find_any(id);

	if (d != NULL && __atomic_sub_fetch(&d->frames, n, __ATOMIC_ACQ_REL) == 0 &&
	    ATOMIC_READ(d->state) == DOMAIN_ZOMBIE)
		ATOMIC_WRITE(domain_reap_wanted, 1);
}

bool domain_is_leaving(uint16_t id)
{
	struct domain *d = domain_find_any(id);

	return d != NULL && ATOMIC_READ(d->state) >= DOMAIN_DYING;
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

void domain_reap(void)
{
	uint32_t mask = 0;

	LOCK_SCOPE(&domain_list_lock);
	ATOMIC_WRITE(domain_reap_wanted, 0);
	cpu_barrier_full(); /* what becomes free after this look asks again */
	for (unsigned i = 0; i < DOMAIN_MAX; i++) {
		struct domain *d = domains[i];

		if (!is_empty_zombie(d))
			continue;
		mask = online_mask();
		__atomic_store_n(&d->forget, mask, __ATOMIC_RELEASE);
		__atomic_store_n(&d->state, DOMAIN_GONE, __ATOMIC_RELEASE);
	}
	cpu_barrier_full();
	for (; mask != 0; mask &= mask - 1)
		gic_send_sgi(cpus[bits_first(mask)].mpidr, SGI_FORGET);
}

void domain_cpu_passed(void)
{
	uint32_t here = 1u << cpu_this()->id;

	LOCK_SCOPE(&domain_list_lock);
	for (unsigned i = 0; i < DOMAIN_MAX; i++) {
		struct domain *d = domains[i];

		if (d == NULL || d->state != DOMAIN_GONE || !(d->forget & here))
			continue;
		d->forget &= ~here;
		if (d->forget != 0)
			continue;
		tell_dead(d);
		__atomic_store_n(&domains[i], NULL, __ATOMIC_RELEASE);
		domain_release(d);
		if (domain_find(0) != NULL)
			memory_compact(domain_find(0));
	}
}
