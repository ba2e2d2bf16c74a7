/* vcpu_op, sched_op and vm_assist: xen/vcpu.h, xen/sched.h. */
#include "core/event.h"
#include "core/memory.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/watchdog.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

#define POLL_PORTS 64 /* of one SCHEDOP_poll; Linux polls one */

static int64_t register_vcpu_info(struct vcpu *v, struct vcpu *t, gva_t at)
{
	struct vcpu_register_vcpu_info op;
	struct event_vcpu *e = &v->domain->events->vcpus[t->id];
	struct vcpu_info *info, *before = &v->domain->xen->shared->vcpu_info[0];
	struct page *page, *none = NULL;
	pa_t pa;
	int error;

	if (guest_copy_in(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.offset > PAGE_SIZE - sizeof(*info) || op.offset % sizeof(uint64_t) ||
	    op.mfn >> (64 - PAGE_SHIFT))
		return -ENXIO;
	/* once only: a second place would leave the first one's page in use for ever */
	if (e->selector && !(t->id == 0 && e->selector == &before->evtchn_pending_sel))
		return -EINVAL;
	if (t != v && t->online)
		return -EINVAL; /* of itself, or of one that does not run */
	error = memory_frame_get(v->domain, IPA(op.mfn << PAGE_SHIFT), true, &pa, &page);
	if (error)
		return -EINVAL;
	/* the reference is kept: the frame stays the guest's as long as it runs. Of two callers one is first */
	if (!__atomic_compare_exchange_n(&v->domain->xen->info_page[t->id], &none, page, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		page_put(page);
		return -EINVAL;
	}
	info = (struct vcpu_info *)((char *)pa_to_va(pa) + op.offset);
	if (t->id == 0)
		*info = *before;
	else
		memset(info, 0, sizeof(*info));
	event_register_vcpu(t, &info->evtchn_upcall_pending, &info->evtchn_pending_sel);
	return 0;
}

/* Nothing else runs on a vCPU's pCPU, so its run state never changes once it runs: it is written here and is true for good. */
static int64_t register_runstate(struct vcpu *v, struct vcpu *t, gva_t at)
{
	struct vcpu_register_runstate_memory_area op;
	struct vcpu_runstate_info info;

	memset(&info, 0, sizeof(info)); /* what lies between the fields goes to the guest too */
	info.state = RUNSTATE_running;
	info.state_entry_time = time_ns();
	if (guest_copy_in(v, &op, at, sizeof(op)))
		return -EFAULT;
	info.time[RUNSTATE_running] = sched_run_ns(t);
	(void)guest_copy_out(v, GVA(op.addr.p), &info, sizeof(info));
	return 0;
}

int64_t hypercall_vcpu(struct vcpu *v, const uint64_t *a)
{
	struct vcpu *t = a[1] < v->domain->vcpus_max ? v->domain->vcpu[a[1]] : NULL;

	if (!t)
		return -ENOENT;
	switch (a[0]) {
	case VCPUOP_register_vcpu_info:
		return register_vcpu_info(v, t, GVA(a[2]));
	case VCPUOP_register_runstate_memory_area:
		return register_runstate(v, t, GVA(a[2]));
	}
	return -EINVAL;
}

/* ---- sched_op -------------------------------------------------------------------------------------------------------- */
static int64_t op_yield(struct vcpu *v, void *in, gva_t at)
{
	(void)in;
	(void)at;
	sched_yield(v);
	return 0;
}

static int64_t op_block(struct vcpu *v, void *in, gva_t at)
{
	(void)in;
	(void)at;
	sched_block(v);
	return 0;
}

static int64_t op_shutdown(struct vcpu *v, void *in, gva_t at)
{
	struct sched_shutdown *op = in;

	(void)at;
	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	domain_shutdown(v->domain, (enum shutdown_reason)op->reason);
	return 0;
}

static int64_t op_poll(struct vcpu *v, void *in, gva_t at)
{
	struct sched_poll *op = in;
	uint16_t ports[POLL_PORTS];
	uint64_t now = cpu_counter(), deadline = ~0ul;

	(void)at;
	if (op->nr_ports > POLL_PORTS)
		return -EINVAL;
	for (unsigned i = 0; i < op->nr_ports; i++) {
		evtchn_port_t port;

		if (guest_copy_in(v, &port, GVA(op->ports.q + i * sizeof(port)), sizeof(port)))
			return -EFAULT;
		if (port >= EVENT_PORTS)
			return -EINVAL;
		ports[i] = (uint16_t)port;
	}
	if (op->timeout) { /* absolute system time, ns */
		uint64_t ns = time_ns();

		deadline = op->timeout > ns ? now + time_ticks_of_ns(op->timeout - ns) : now;
	}
	event_poll(v, ports, op->nr_ports, deadline);
	return 0;
}

static int64_t op_watchdog(struct vcpu *v, void *in, gva_t at)
{
	struct sched_watchdog *op = in;

	(void)at;
	return watchdog_set(v->domain, op->id, op->timeout);
}

static const struct op sched_ops[] = {
	[SCHEDOP_yield] = {op_yield, 0, 0},
	[SCHEDOP_block] = {op_block, 0, 0},
	[SCHEDOP_shutdown] = {op_shutdown, sizeof(struct sched_shutdown), 0},
	[SCHEDOP_poll] = {op_poll, sizeof(struct sched_poll), 0},
	[SCHEDOP_watchdog] = {op_watchdog, sizeof(struct sched_watchdog), 0},
};

int64_t hypercall_sched(struct vcpu *v, const uint64_t *a)
{
	return op_run(v, sched_ops, ARRAY_SIZE(sched_ops), a[0], GVA(a[1]));
}

/* The protocol bit of the run state area: its content never changes, so readers are always right. */
int64_t hypercall_vm_assist(struct vcpu *v, const uint64_t *a)
{
	(void)v;
	if (a[0] > VMASST_CMD_disable)
		return -ENOSYS;
	return a[1] == VMASST_TYPE_runstate_update_flag ? 0 : -EINVAL;
}
