#include "core/domain.h"
#include "arch/cpu.h"
#include "core/console.h"
#include "core/domain_life.h"
#include "core/page.h"
#include "core/unit.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"

#define PAUSES_MAX 255u

struct domain *domains[DOMAIN_MAX];
struct lock domain_list_lock = LOCK(LOCK_DOMAINS);

static pa_t table_alloc(void)
{
	void *va = heap_pages(0);

	return va != NULL ? va_to_pa(va) : PA(0);
}

static void table_free(pa_t pa)
{
	page_free(pa, 0);
}

static pa_t table_alloc_pair(void)
{
	void *va = heap_pages(1);

	return va != NULL ? va_to_pa(va) : PA(0);
}

static void table_free_pair(pa_t pa)
{
	page_free(pa, 1);
}

/* Mostly the first place that is looked at. What is GONE is not in the table. */
struct domain *domain_find(uint16_t id)
{
	for (unsigned i = 0; i < DOMAIN_MAX; i++) {
		struct domain *d =
			__atomic_load_n(&domains[(id + i) % DOMAIN_MAX], __ATOMIC_ACQUIRE);

		if (d != NULL && d->id == id)
			return d;
	}
	return NULL;
}

/* The number after the last one that was given: a number comes back late, so that nobody takes a new domain for an old one. */
static uint16_t id_next(void)
{
	static uint16_t last;

	do
		last = last + 1 < DOMID_FIRST_RESERVED ? (uint16_t)(last + 1) : 1;
	while (domain_find(last) != NULL);
	return last;
}

static int slot_take(uint16_t id, uint8_t *slot)
{
	for (unsigned i = 0; i < DOMAIN_MAX; i++)
		if (domains[(id + i) % DOMAIN_MAX] == NULL &&
		    !domain_place_is_taken((id + i) % DOMAIN_MAX)) {
			*slot = (uint8_t)((id + i) % DOMAIN_MAX);
			return 0;
		}
	return -ENOMEM;
}

/* What the units made, and the structure. The domain is in no table and owns no memory but theirs. */
void domain_release(struct domain *d)
{
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_destroy(d->vcpu[i]);
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->domain_destroy != NULL)
			u->domain_destroy(d);
	stage2_destroy(&d->stage2);
	heap_free(d, 0);
}

/* A domain that nobody has seen yet: its units have little to give back. */
static void undo(struct domain *d)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		while (u->domain_relinquish != NULL && u->domain_relinquish(d) != 0)
			;
	domain_release(d);
}

static void stage2_memory(struct stage2 *s)
{
	s->table_alloc = table_alloc;
	s->table_free = table_free;
	s->table_alloc_pair = table_alloc_pair;
	s->table_free_pair = table_free_pair;
}

int domain_create(const struct domain_config *config, struct domain **out)
{
	uint16_t id = config->id;
	struct domain *d;
	uint8_t slot;
	int error;

	_Static_assert(sizeof(struct domain) <= PAGE_SIZE, "a domain is one page");
	if ((id >= DOMID_FIRST_RESERVED && id != DOMID_ANY) || config->vcpus_max == 0 ||
	    config->vcpus_max > MAX_VCPUS)
		return -EINVAL;
	LOCK_SCOPE(&domain_list_lock);
	if (id != DOMID_ANY && domain_find(id) != NULL)
		return -EEXIST;
	if (slot_take(0, &slot) != 0)
		return -ENOMEM;
	if (id == DOMID_ANY)
		id = id_next();
	(void)slot_take(id, &slot);
	d = heap_pages(0);
	if (d == NULL)
		return -ENOMEM;
	lock_init(&d->memory_lock, LOCK_MEMORY);
	d->id = id;
	d->slot = slot;
	d->config = *config;
	d->vcpus_max = config->vcpus_max;
	d->pages_max = config->pages_max;
	memcpy(d->handle, config->handle, sizeof(d->handle));
	d->paused = 1;
	d->event_intid = 31;
	d->created = cpu_counter();
	d->counter_offset = d->created;
	stage2_memory(&d->stage2);
	error = stage2_create(&d->stage2, (uint16_t)(slot + 1));
	if (error != 0) {
		heap_free(d, 0);
		return error;
	}
	for (const struct unit *u = units_begin; u < units_end && error == 0; u++)
		error = u->domain_create != NULL ? u->domain_create(d) : 0;
	if (error != 0) {
		undo(d);
		return error;
	}
	__atomic_store_n(&domains[slot], d, __ATOMIC_RELEASE);
	*out = d;
	return 0;
}

struct domain *domain_next(uint16_t id)
{
	struct domain *best = NULL;

	for (unsigned i = 0; i < DOMAIN_MAX; i++) {
		struct domain *d = __atomic_load_n(&domains[i], __ATOMIC_ACQUIRE);

		if (d != NULL && d->id >= id && (best == NULL || d->id < best->id))
			best = d;
	}
	return best;
}

static void kick_all(struct domain *d)
{
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_kick(d->vcpu[i], WORK_STOP);
}

int domain_pause(struct domain *d)
{
	uint32_t paused = ATOMIC_READ(d->paused);

	do
		if (paused >= PAUSES_MAX)
			return -EOVERFLOW;
	while (!__atomic_compare_exchange_n(&d->paused, &paused, paused + 1, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	kick_all(d);
	return 0;
}

/* From one state to another, if it still is in the first. */
bool domain_state_change(struct domain *d, enum domain_state from, enum domain_state to)
{
	return __atomic_compare_exchange_n(&d->state, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

int domain_unpause(struct domain *d)
{
	uint32_t paused = ATOMIC_READ(d->paused);

	do
		if (paused == 0)
			return -EINVAL;
	while (!__atomic_compare_exchange_n(&d->paused, &paused, paused - 1, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	if (paused != 1)
		return 0;
	domain_state_change(d, DOMAIN_CREATED, DOMAIN_RUNNING);
	kick_all(d);
	return 0;
}

#define GUEST_LINES 10u /* at once, then one a second */

bool log_guest(struct domain *d)
{
	uint64_t now = cpu_counter(), second = cpu_counter_frequency(), burst = GUEST_LINES * second;
	uint64_t from = ATOMIC_READ(d->log_from), next;

	do {
		if (from > now)
			return false;
		next = (from + burst > now ? from : now - burst) + second;
	} while (!__atomic_compare_exchange_n(&d->log_from, &from, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* What the vCPU that runs here looks like, for the log of a crash. */
static void dump(struct vcpu *v)
{
	const struct frame *f =
		(const struct frame *)(cpu_this()->boot_stack - sizeof(struct frame));

	vcpu_state_save(&v->state);
	log_error("d%uv%u pc %lx pstate %lx sp_el0 %lx sp_el1 %lx", v->domain->id, v->id, f->elr,
		  f->spsr, v->state.sp_el0, v->state.sp_el1);
	for (unsigned i = 0; i < 30; i += 5)
		log_error("  x%u %lx %lx %lx %lx %lx", i, f->x[i], f->x[i + 1], f->x[i + 2],
			  f->x[i + 3], f->x[i + 4]);
	log_error("  x30 %lx elr_el1 %lx spsr_el1 %lx esr_el1 %lx far_el1 %lx", f->x[30],
		  v->state.elr_el1, v->state.spsr_el1, v->state.esr, v->state.far);
	log_error("  sctlr %lx ttbr0 %lx ttbr1 %lx vbar %lx", v->state.sctlr, v->state.ttbr0,
		  v->state.ttbr1, v->state.vbar);
}

void domain_shutdown(struct domain *d, unsigned reason)
{
	static const char *const names[] = {"power-off", "reboot",   "suspend",
					    "crash",	 "watchdog", "soft reset"};
	uint32_t none = 0;

	if (d->latched)
		reason = d->latched - 1;
	if (d->privileged) {
		log_info("domain %u stops: %s", d->id,
			 reason < ARRAY_SIZE(names) ? names[reason] : "unknown reason");
		console_finish();
		if (reason == SHUT_POWEROFF)
			machine_off();
		machine_reset();
	}
	if (!__atomic_compare_exchange_n(&d->shut, &none, reason + 1u, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	log_info("domain %u stops: %s", d->id,
		 reason < ARRAY_SIZE(names) ? names[reason] : "unknown reason");
	if (reason == SHUT_CRASH && vcpu_current() != NULL && vcpu_current()->domain == d)
		dump(vcpu_current());
	domain_state_change(d, DOMAIN_RUNNING, DOMAIN_SHUT);
	kick_all(d);
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->domain_shutdown != NULL)
			u->domain_shutdown(d);
}

void domain_resume(struct domain *d)
{
	if (!domain_state_change(d, DOMAIN_SHUT, DOMAIN_RUNNING))
		return;
	d->latched = 0;
	ATOMIC_WRITE(d->shut, 0);
	kick_all(d);
}

void domain_crash(struct vcpu *v, const char *why)
{
	log_error("d%uv%u: %s", v->domain->id, v->id, why);
	domain_shutdown(v->domain, SHUT_CRASH);
}
