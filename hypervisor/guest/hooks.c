/* What guest/ offers to core/sched.c: the way up, as a table at link time. */
#include "core/irq.h"
#include "core/sched.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "guest/vtimer.h"

static void guest_reset(struct vcpu *v)
{
	vtimer_reset(v); /* its lines are down from here on */
	vgic_reset(v);
}

static void guest_arrive(struct vcpu *v)
{
	vgic_arrive(v);
	vtimer_arrive(v); /* its interrupt may come at once */
}

static uint64_t guest_leave(struct vcpu *v)
{
	uint64_t at = vtimer_leave(v); /* its line is down from here on */

	vgic_leave(v);
	return at;
}

static void guest_nothing(struct vcpu *v)
{
	(void)v;
}

int guest_cpu_init(void)
{
	static bool registered; /* by the boot CPU, alone then */
	int error = vtimer_cpu_init();

	if (registered)
		irq_enable_here(gic.maintenance);
	else if (!error)
		error = irq_register(gic.maintenance, false, vgic_maintenance, NULL);
	registered = true;
	return error;
}

const struct sched_hooks guest_hooks = {
	.enter = vgic_enter,
	.irq_pending = vgic_irq_pending,
	.timer = guest_nothing,
	.reset = guest_reset,
	.arrive = guest_arrive,
	.leave = guest_leave,
};
const struct sched_hooks *sched_hooks = &guest_hooks;
