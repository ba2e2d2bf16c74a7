/* What the ABI adds to a domain: shared_info, HVM parameters, wall clock. */
#include "core/console.h"
#include "core/event.h"
#include "core/page.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/unit.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"

static uint64_t wallclock_boot_ns; /* 1970 until somebody knows better */
static struct lock wallclock_lock =
	LOCK(LOCK_WALLCLOCK); /* a shared_info that is written does not go */

/* Linux adds its own monotonic time, which is that of the virtual counter: so the time when that was 0 (xen/xen.h, wc_*). */
static void wallclock_show(const struct domain *d)
{
	struct shared_info *s = d->xen->shared;
	uint64_t ns = wallclock_boot_ns, seconds;

	if (d->counter_offset >= time_boot)
		ns += time_ns_of_ticks(d->counter_offset - time_boot);
	else if (ns > time_ns_of_ticks(time_boot - d->counter_offset))
		ns -= time_ns_of_ticks(time_boot - d->counter_offset);
	seconds = ns / 1000000000 + d->xen->time_offset;
	ATOMIC_WRITE(s->wc_version, s->wc_version + 1); /* odd: being changed */
	cpu_barrier_store();
	s->wc_sec = (uint32_t)seconds;
	s->wc_sec_hi = (uint32_t)(seconds >> 32);
	s->wc_nsec = (uint32_t)(ns % 1000000000);
	cpu_barrier_store();
	ATOMIC_WRITE(s->wc_version, s->wc_version + 1);
}

void wallclock_set(uint64_t boot_ns)
{
	LOCK_SCOPE(&domain_list_lock);
	lock_take(&wallclock_lock);
	wallclock_boot_ns = boot_ns;
	for (unsigned i = 0; i < DOMAIN_MAX; i++)
		if (domains[i] && domains[i]->xen->shared)
			wallclock_show(domains[i]);
	lock_drop(&wallclock_lock);
}

int64_t domctl_time_offset(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	LOCK_SCOPE(&wallclock_lock);
	d->xen->time_offset = (uint64_t)op->u.settimeoffset.time_offset_seconds;
	if (d->xen->shared)
		wallclock_show(d);
	return 0;
}

uint64_t *hvm_param(struct domain *d, unsigned index)
{
	return index < ARRAY_SIZE(d->xen->hvm_param) ? &d->xen->hvm_param[index] : NULL;
}

/* Input for hvc0. */
static void console_input(void)
{
	struct domain *d = domain_find(0);

	if (d)
		event_raise_virq(d, VIRQ_CONSOLE, 0);
}

static int xen_domain_create(struct domain *d)
{
	d->xen = heap_pages(0);
	if (!d->xen)
		return -ENOMEM;
	d->xen->shared = heap_pages(0);
	if (!d->xen->shared)
		return -ENOMEM;
	page_share(d->xen->shared, d);
	return 0;
}

static void runstate_forget(struct domain *d, unsigned i)
{
	struct page **pages = d->xen->runstate_page[i];

	if (!pages[0])
		return;
	sched_tell(d->vcpu[i], (void *[2]){NULL, NULL}, 0);
	for (unsigned k = 0; k < 2; k++) {
		if (pages[k])
			page_put(pages[k]);
		pages[k] = NULL;
	}
}

/* Nobody sends it events any more when its channels are closed; then the words they were marked in can go. */
static int xen_domain_relinquish(struct domain *d)
{
	struct shared_info *shared;

	if (!d->xen || !d->xen->shared)
		return 0;
	if (d->events) {
		int error = event_end(d);

		if (error)
			return error;
		lock_take(&d->events->lock);
		for (unsigned i = 0; i < MAX_VCPUS; i++)
			d->events->vcpus[i].selector = NULL;
		lock_drop(&d->events->lock);
	}
	for (unsigned i = 0; i < MAX_VCPUS; i++)
		if (d->xen->info_page[i]) {
			page_put(d->xen->info_page[i]);
			d->xen->info_page[i] = NULL;
		}
	for (unsigned i = 0; i < d->vcpus_max; i++)
		runstate_forget(d, i);
	lock_take(&wallclock_lock);
	shared = d->xen->shared;
	d->xen->shared = NULL;
	lock_drop(&wallclock_lock);
	page_put(page_of(va_to_pa(shared)));
	return 0;
}

static void xen_domain_destroy(struct domain *d)
{
	if (d->xen)
		heap_free(d->xen, 0);
	d->xen = NULL;
}

/* Whoever watches domains looks at all of them. */
static void xen_domain_changed(struct domain *d)
{
	struct domain *tools = domain_find(0);

	(void)d;
	if (tools)
		event_raise_virq(tools, VIRQ_DOM_EXC, 0);
}

/* vCPU 0 has a place of its own in shared_info; the others have none until they register one. All domains' units are made
 * before the first vCPU is, so the event table is there. */
static int xen_vcpu_create(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct shared_info *s = d->xen->shared;

	if (v->id != 0)
		return 0;
	d->events->pending = s->evtchn_pending;
	d->events->mask = s->evtchn_mask;
	d->events->vcpus[0].upcall = &s->vcpu_info[0].evtchn_upcall_pending;
	d->events->vcpus[0].selector = &s->vcpu_info[0].evtchn_pending_sel;
	wallclock_show(d);
	if (d->id == 0)
		console_on_input(console_input);
	return 0;
}

UNIT(xen_unit) = {
	.name = "xen",
	.domain_create = xen_domain_create,
	.domain_relinquish = xen_domain_relinquish,
	.domain_destroy = xen_domain_destroy,
	.domain_shutdown = xen_domain_changed,
	.domain_dead = xen_domain_changed,
	.vcpu_create = xen_vcpu_create,
};
