/* Who handles which interrupt. Descriptors change under `lock`; the dispatch reads them without: an interrupt is disabled in
 * the GIC while its descriptor changes. */
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "lib/errno.h"
#include "lib/print.h"

static struct irq {
	irq_handler *handler;
	void *arg;
	struct domain *domain;
	bool forwarded; /* not deactivated here */
} irqs[IRQ_MAX];
static struct lock lock = LOCK(LOCK_IRQ);

int irq_register(unsigned intid, bool edge, irq_handler *handler, void *arg)
{
	if (intid >= IRQ_MAX || intid >= gic.interrupts)
		return -EINVAL;
	LOCK_SCOPE(&lock);
	if (irqs[intid].domain != NULL || (irqs[intid].handler != NULL && irqs[intid].handler != handler))
		return -EBUSY;
	irqs[intid] = (struct irq){.handler = handler, .arg = arg};
	if (intid >= 32) {
		gic_set_edge(intid, edge);
		gic_set_target(intid, cpus[0].mpidr);
	}
	gic_set_priority(intid, 0x80);
	gic_enable(intid, true);
	return 0;
}

int irq_register_forwarded(unsigned intid, irq_handler *handler)
{
	int error = irq_register(intid, false, handler, NULL);

	if (error == 0)
		irqs[intid].forwarded = true; /* nobody has made it fire yet */
	return error;
}

void irq_enable_here(unsigned intid)
{
	gic_set_priority(intid, 0x80);
	gic_enable(intid, true);
}

int irq_route_guest(unsigned intid, struct domain *d)
{
	if (intid < 32 || intid >= IRQ_MAX || intid >= gic.interrupts)
		return -EINVAL;
	LOCK_SCOPE(&lock);
	if (irqs[intid].handler != NULL || irqs[intid].domain != NULL)
		return -EBUSY;
	gic_enable(intid, false);
	irqs[intid].domain = d;
	d->irqs[intid / 32] |= 1u << intid % 32;
	gic_set_edge(intid, false); /* as the vGIC says after its reset */
	gic_set_priority(intid, 0xa0);
	gic_set_target(intid, d->vcpu[0] != NULL ? d->vcpu[0]->cpu->mpidr : cpus[0].mpidr);
	return 0;
}

int irq_unroute_guest(unsigned intid, struct domain *d)
{
	if (intid < 32 || intid >= IRQ_MAX)
		return -EINVAL;
	LOCK_SCOPE(&lock);
	if (irqs[intid].domain != d)
		return -EINVAL;
	gic_enable(intid, false);
	gic_set_active(intid, false);
	irqs[intid].domain = NULL;
	d->irqs[intid / 32] &= ~(1u << intid % 32);
	return 0;
}

int irq_take(unsigned intid, struct domain *d)
{
	struct domain *from = irq_owner(intid);

	if (from != NULL && (!from->privileged || gic_is_enabled(intid)))
		return -EBUSY;
	if (from != NULL)
		(void)irq_unroute_guest(intid, from);
	return irq_route_guest(intid, d);
}

int irq_give_back(unsigned intid, struct domain *d)
{
	int error = irq_unroute_guest(intid, d);
	struct domain *dom0 = domain_find(0);

	return error == 0 && dom0 != NULL ? irq_route_guest(intid, dom0) : error;
}

struct domain *irq_owner(unsigned intid)
{
	return intid < IRQ_MAX ? irqs[intid].domain : NULL;
}

/* The register has the triggers of 16 interrupts, which may be several domains'. */
void irq_guest_trigger(unsigned intid, bool edge)
{
	LOCK_SCOPE(&lock);
	gic_set_edge(intid, edge);
}

void irq_guest_target(unsigned intid, struct cpu *cpu)
{
	LOCK_SCOPE(&lock);
	gic_set_target(intid, cpu->online ? cpu->mpidr : cpus[0].mpidr);
}

void irq_cpu_leave(struct cpu *c)
{
	LOCK_SCOPE(&lock);
	gic_move_targets(c->mpidr, cpus[0].mpidr);
}

void irq_guest_deactivate(unsigned intid)
{
	gic_deactivate(intid);
}

/* To the vCPU of the owner that lives here: the machine's routing follows the guest's. */
static void to_guest(unsigned intid, struct domain *d)
{
	struct vcpu *v = cpu_this()->vcpu;

	vcpu_mark_irq(v != NULL && v->domain == d ? v : d->vcpu[0], intid);
}

void irq_dispatch(void)
{
	uint32_t intid = gic_acknowledge();
	const struct irq *irq;

	if (intid >= IRQ_MAX)
		return;
	irq = &irqs[intid];
	gic_drop(intid);
	if (irq->handler != NULL) {
		irq->handler(intid, irq->arg);
	} else if (irq->domain != NULL) {
		to_guest(intid, irq->domain);
		return;
	} else if (intid == SGI_STOP) {
		machine_stop();
	} else if (intid >= 16) {
		log_debug("interrupt %u that nobody waits for", intid);
	}
	if (!irq->forwarded)
		gic_deactivate(intid);
}
