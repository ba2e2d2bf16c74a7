#include "core/domain.h"
#include "arch/cpu.h"
#include "core/page.h"
#include "core/unit.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"

struct domain *domains[DOMAIN_MAX];
struct lock domain_list_lock;

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

int domain_create(uint16_t id, unsigned vcpus_max, uint64_t pages_max, struct domain **out)
{
	struct domain *d;
	int error;

	_Static_assert(sizeof(struct domain) <= PAGE_SIZE, "a domain is one page");
	if (id >= DOMAIN_MAX || vcpus_max == 0 || vcpus_max > MAX_VCPUS)
		return -EINVAL;
	LOCK_SCOPE(&domain_list_lock);
	if (domains[id] != NULL)
		return -EEXIST;
	d = heap_pages(0);
	if (d == NULL)
		return -ENOMEM;
	d->id = id;
	d->vcpus_max = vcpus_max;
	d->pages_max = pages_max;
	d->paused = 1;
	d->event_intid = 31;
	d->created = cpu_counter();
	d->counter_offset = d->created;
	d->stage2.table_alloc = table_alloc;
	d->stage2.table_free = table_free;
	d->stage2.table_alloc_pair = table_alloc_pair;
	d->stage2.table_free_pair = table_free_pair;
	error = stage2_create(&d->stage2, (uint16_t)(id + 1));
	if (error != 0) {
		heap_free(d, 0);
		return error;
	}
	for (const struct unit *u = units_begin; u < units_end && error == 0; u++) {
		error = u->domain_create != NULL ? u->domain_create(d) : 0;
		for (; error != 0 && u >= units_begin; u--)
			if (u->domain_destroy != NULL)
				u->domain_destroy(d);
		if (error != 0)
			break;
	}
	if (error != 0) {
		stage2_destroy(&d->stage2);
		heap_free(d, 0);
		return error;
	}
	domains[id] = d;
	*out = d;
	return 0;
}

struct domain *domain_find(uint16_t id)
{
	return id < DOMAIN_MAX ? domains[id] : NULL;
}

struct domain *domain_next(uint16_t id)
{
	for (; id < DOMAIN_MAX; id++)
		if (domains[id] != NULL)
			return domains[id];
	return NULL;
}

int domain_pause(struct domain *d)
{
	__atomic_add_fetch(&d->paused, 1, __ATOMIC_ACQ_REL);
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_kick(d->vcpu[i], WORK_STOP);
	return 0;
}

int domain_unpause(struct domain *d)
{
	if (__atomic_load_n(&d->paused, __ATOMIC_ACQUIRE) == 0)
		return -EINVAL;
	if (__atomic_sub_fetch(&d->paused, 1, __ATOMIC_ACQ_REL) != 0)
		return 0;
	if (d->state == DOMAIN_CREATED)
		d->state = DOMAIN_RUNNING;
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_kick(d->vcpu[i], WORK_STOP);
	return 0;
}

void domain_shutdown(struct domain *d, enum shutdown_reason reason)
{
	static const char *const names[] = {"power-off", "reboot", "suspend", "crash", "watchdog", "soft reset"};

	log_info("domain %u stops: %s", d->id, reason < ARRAY_SIZE(names) ? names[reason] : "unknown reason");
	if (d->privileged) {
		if (reason == SHUT_POWEROFF)
			machine_off();
		machine_reset();
	}
	d->reason = reason;
	d->state = DOMAIN_SHUT;
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] != NULL)
			vcpu_kick(d->vcpu[i], WORK_STOP);
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->domain_shutdown != NULL)
			u->domain_shutdown(d);
}
