/* A guest's timers. Arm ARM D11.2: a timer's condition is met while the counter is at or behind CVAL; its line is up while it
 * is met, enabled and not masked. */
#include "guest/vtimer.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/unit.h"
#include "guest/vgic.h"
#include "lib/dt.h"
#include "lib/errno.h"

#define CTL_ENABLE  1u
#define CTL_IMASK   2u
#define CTL_ISTATUS 4u

unsigned vtimer_virtual_ppi = 27, vtimer_physical_ppi = 30;

static bool is_on(uint64_t ctl)
{
	return (ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
}

static bool condition(const struct vtimer_vcpu *t)
{
	return cpu_counter() >= t->cval;
}

static void update(struct vtimer_vcpu *t)
{
	bool on = is_on(t->ctl), met = condition(t);
	bool was = t->vcpu->lines >> vtimer_physical_ppi & 1;

	if (on && met && !was)
		vcpu_set_line(t->vcpu, vtimer_physical_ppi, true);
	else if (!(on && met) && was)
		vgic_line_down(t->vcpu, vtimer_physical_ppi);
	if (on && !met)
		timer_set(&t->timer, t->cval);
	else
		timer_cancel(&t->timer);
}

static void fire(void *arg)
{
	update(arg);
}

uint64_t vtimer_read(struct vcpu *v, enum vtimer_register r)
{
	struct vtimer_vcpu *t = v->vtimer;

	switch (r) {
	case VTIMER_TVAL:
		return (uint32_t)(t->cval - cpu_counter());
	case VTIMER_CTL: /* ISTATUS is unknown while the timer is off; 0 is what hardware says */
		return t->ctl | ((t->ctl & CTL_ENABLE) && condition(t) ? CTL_ISTATUS : 0);
	case VTIMER_CVAL:
		break;
	}
	return t->cval;
}

void vtimer_write(struct vcpu *v, enum vtimer_register r, uint64_t value)
{
	struct vtimer_vcpu *t = v->vtimer;

	switch (r) {
	case VTIMER_TVAL:
		t->cval = cpu_counter() + (uint64_t)(int64_t)(int32_t)value;
		break;
	case VTIMER_CTL:
		t->ctl = value & (CTL_ENABLE | CTL_IMASK);
		break;
	case VTIMER_CVAL:
		t->cval = value;
		break;
	}
	update(t);
}

void vtimer_reset(struct vcpu *v)
{
	struct vtimer_vcpu *t = v->vtimer;

	timer_cancel(&t->timer);
	t->ctl = t->cval = 0;
	vcpu_set_line(v, vtimer_physical_ppi, false);
	guest_timer_reset(v->domain->counter_offset);
}

/* When a timer with these registers interrupts, in the machine's counter; ~0: never. One whose time has come counts only where the
 * interrupt is enabled: else nothing wakes by it. */
static uint64_t deadline(const struct vcpu *v, unsigned ppi, uint64_t ctl, uint64_t cval,
			 uint64_t offset)
{
	uint64_t at = cval + offset;

	if (!is_on(ctl) || at < cval)
		return ~0ul;
	return at > cpu_counter() || vgic_is_enabled(v, ppi) ? at : ~0ul;
}

uint64_t vtimer_leave(struct vcpu *v)
{
	struct vtimer_vcpu *t = v->vtimer;
	uint64_t virtual, physical;

	timer_cancel(&t->timer);
	guest_timer_save(&t->cntv);
	virtual = deadline(v, vtimer_virtual_ppi, t->cntv.ctl, t->cntv.cval,
			   v->domain->counter_offset);
	physical = deadline(v, vtimer_physical_ppi, t->ctl, t->cval, 0);
	return virtual < physical ? virtual : physical;
}

uint32_t vtimer_lines(const struct vcpu *v)
{
	const struct vtimer_vcpu *t = v->vtimer;
	uint64_t now = cpu_counter();
	uint32_t lines = 0;

	if (is_on(t->cntv.ctl) && now - v->domain->counter_offset >= t->cntv.cval)
		lines |= 1u << vtimer_virtual_ppi;
	if (is_on(t->ctl) && now >= t->cval)
		lines |= 1u << vtimer_physical_ppi;
	return lines;
}

void vtimer_arrive(struct vcpu *v)
{
	guest_timer_load(&v->vtimer->cntv, v->domain->counter_offset);
	update(v->vtimer);
}

/* CNTV's interrupt on this CPU: the guest whose registers are here has programmed it. */
static void virtual_irq(unsigned intid, void *arg)
{
	struct vcpu *v = vcpu_current();

	(void)arg;
	if (v)
		vgic_forward(v, intid);
	else
		irq_guest_deactivate(intid);
}

void vtimer_init(const void *fdt)
{
	int node = dt_compatible(fdt, -1, "arm,armv8-timer"),
	    controller = dt_compatible(fdt, -1, "arm,gic-v3");
	unsigned intid, flags;

	if (node < 0)
		return;
	/* order of the binding: secure physical, non-secure physical, virtual, hypervisor */
	if (dt_interrupt(fdt, node, 1, controller, &intid, &flags))
		vtimer_physical_ppi = intid;
	if (dt_interrupt(fdt, node, 2, controller, &intid, &flags))
		vtimer_virtual_ppi = intid;
}

int vtimer_cpu_init(void)
{
	static bool registered; /* by the boot CPU, alone then */
	int error = 0;

	guest_timer_cpu_init();
	if (registered)
		irq_enable_here(vtimer_virtual_ppi);
	else
		error = irq_register_forwarded(vtimer_virtual_ppi, virtual_irq);
	registered = true;
	return error;
}

struct vtimer {
	struct vtimer_vcpu vcpus[MAX_VCPUS];
};
_Static_assert(sizeof(struct vtimer) <= PAGE_SIZE, "one page a domain");

static int vtimer_domain_create(struct domain *d)
{
	d->vtimer = heap_pages(0);
	return d->vtimer ? 0 : -ENOMEM;
}

static void vtimer_domain_destroy(struct domain *d)
{
	if (d->vtimer)
		heap_free(d->vtimer, 0);
	d->vtimer = NULL;
}

static int vtimer_vcpu_create(struct vcpu *v)
{
	struct vtimer_vcpu *t = &v->domain->vtimer->vcpus[v->id];

	t->vcpu = v;
	t->timer.fire = fire;
	t->timer.arg = t;
	v->vtimer = t;
	return 0;
}

UNIT(vtimer_unit) = {
	.name = "vtimer",
	.domain_create = vtimer_domain_create,
	.domain_destroy = vtimer_domain_destroy,
	.vcpu_create = vtimer_vcpu_create,
};
