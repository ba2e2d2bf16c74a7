/* vcpu_op, sched_op and vm_assist: xen/vcpu.h, xen/sched.h. */
#include "core/event.h"
#include "core/memory.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/watchdog.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

#define POLL_PORTS 128 /* of one SCHEDOP_poll, as in Xen; Linux polls one */

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
	if (op.offset >= PAGE_SIZE || op.mfn >> (64 - PAGE_SHIFT))
		return -EINVAL;
	/* once only: a second place would leave the first one's page in use for ever */
	if (e->selector && !(t->id == 0 && e->selector == &before->evtchn_pending_sel))
		return -EBUSY;
	if (op.offset > PAGE_SIZE - sizeof(*info) || op.offset % sizeof(uint64_t))
		return -ENXIO;
	if (t != v && t->online)
		return -EINVAL; /* of itself, or of one that does not run */
	error = memory_frame_get(v->domain, IPA(op.mfn << PAGE_SHIFT), true, &pa, &page);
	if (error)
		return -EINVAL;
	/* the reference is kept: the frame stays the guest's as long as it runs. Of two callers one is first */
	if (!__atomic_compare_exchange_n(&v->domain->xen->info_page[t->id], &none, page, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		page_put(page);
		return -EBUSY;
	}
	info = (struct vcpu_info *)((char *)pa_to_va(pa) + op.offset);
	if (t->id == 0)
		*info = *before;
	else
		memset(info, 0, sizeof(*info));
	event_register_vcpu(t, &info->evtchn_upcall_pending, &info->evtchn_pending_sel);
	return 0;
}

_Static_assert(sizeof(struct runstate_info) == sizeof(struct vcpu_runstate_info) &&
		       offsetof(struct runstate_info, since) ==
			       offsetof(struct vcpu_runstate_info, state_entry_time) &&
		       (int)RUN_RUNNABLE == RUNSTATE_runnable &&
		       (int)RUN_BLOCKED == RUNSTATE_blocked &&
		       (int)RUN_OFFLINE == RUNSTATE_offline && XEN_RUNSTATE_UPDATE == BIT(63),
	       "struct runstate_info");

/* The pages are looked up now and kept: when the state changes, the guest's page tables may be another program's. */
static int64_t register_runstate(struct vcpu *v, struct vcpu *t, gva_t at)
{
	struct vcpu_register_runstate_memory_area op;
	struct page *pages[2] = {NULL, NULL}, **old = v->domain->xen->runstate_page[t->id];
	void *to[2] = {NULL, NULL};
	uint64_t first;

	if (guest_copy_in(v, &op, at, sizeof(op)))
		return -EFAULT;
	first = PAGE_SIZE - (op.addr.p & PAGE_MASK);
	if (first > sizeof(struct runstate_info))
		first = sizeof(struct runstate_info);
	if (op.addr.p) { /* else: no more */
		to[0] = op.addr.p % sizeof(uint64_t) ? NULL
						     : guest_page_get(v, GVA(op.addr.p), &pages[0]);
		if (to[0] && first < sizeof(struct runstate_info))
			to[1] = guest_page_get(v, GVA(op.addr.p + first), &pages[1]);
		if (!to[0] || (first < sizeof(struct runstate_info) && !to[1])) {
			if (to[0])
				page_put(pages[0]);
			return -EINVAL;
		}
	}
	LOCK_SCOPE(&v->domain->events->lock); /* of two callers one is first */
	sched_tell(t, to, (uint32_t)first);
	for (unsigned i = 0; i < 2; i++) {
		if (old[i])
			page_put(old[i]);
		old[i] = pages[i];
	}
	return 0;
}

int64_t hypercall_vcpu(struct vcpu *v, const uint64_t *a)
{
	uint32_t id = (uint32_t)a[1];
	struct vcpu *t = id < v->domain->vcpus_max ? v->domain->vcpu[id] : NULL;

	if (!t)
		return -ENOENT;
	switch ((uint32_t)a[0]) {
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
	domain_shutdown(v->domain, (uint8_t)op->reason);
	return 0;
}

/* What the domain's end will be told to be, whoever ends it. */
static int64_t op_shutdown_code(struct vcpu *v, void *in, gva_t at)
{
	uint8_t reason = (uint8_t)((struct sched_shutdown *)in)->reason;

	(void)at;
	if (ATOMIC_READ(v->domain->latched) == 0)
		ATOMIC_WRITE(v->domain->latched, 1u + reason);
	return 0;
}

static int64_t op_remote_shutdown(struct vcpu *v, void *in, gva_t at)
{
	struct sched_remote_shutdown *op = in;
	struct domain *d = domain_find(op->domain_id);

	(void)at;
	if (!d)
		return -ESRCH;
	if (!v->domain->privileged)
		return -EPERM;
	domain_shutdown(d, (uint8_t)op->reason);
	return 0;
}

/* Nobody runs on one CPU of its own choice: CPU pools and affinities are the tools'. */
static int64_t op_pin_override(struct vcpu *v, void *in, gva_t at)
{
	(void)v;
	(void)at;
	return ((struct sched_pin_override *)in)->pcpu < 0 ? 0 : -EINVAL;
}

static int64_t op_poll(struct vcpu *v, void *in, gva_t at)
{
	struct sched_poll *op = in;
	evtchn_port_t asked[POLL_PORTS];
	uint16_t ports[POLL_PORTS];
	uint64_t now = cpu_counter(), deadline = ~0ul;

	(void)at;
	if (op->nr_ports > POLL_PORTS)
		return -EINVAL;
	if (guest_copy_in(v, asked, GVA(op->ports.q), op->nr_ports * sizeof(asked[0])))
		return -EFAULT;
	for (unsigned i = 0; i < op->nr_ports; i++) {
		if (asked[i] - 1 >= EVENT_PORTS - 1)
			return -EINVAL;
		ports[i] = (uint16_t)asked[i];
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
	[SCHEDOP_remote_shutdown] = {op_remote_shutdown, sizeof(struct sched_remote_shutdown), 0},
	[SCHEDOP_shutdown_code] = {op_shutdown_code, sizeof(struct sched_shutdown), 0},
	[SCHEDOP_watchdog] = {op_watchdog, sizeof(struct sched_watchdog), 0},
	[SCHEDOP_pin_override] = {op_pin_override, sizeof(struct sched_pin_override),
				  OP_PRIVILEGED},
};

int64_t hypercall_sched(struct vcpu *v, const uint64_t *a)
{
	return op_run(v, sched_ops, ARRAY_SIZE(sched_ops), (uint32_t)a[0], GVA(a[1]));
}

/* The bit of the run state area that says that it is being changed. */
int64_t hypercall_vm_assist(struct vcpu *v, const uint64_t *a)
{
	uint32_t cmd = (uint32_t)a[0];

	if ((uint32_t)a[1] != VMASST_TYPE_runstate_update_flag)
		return -EINVAL;
	if (cmd > VMASST_CMD_disable)
		return -ENOSYS;
	ATOMIC_WRITE(v->domain->runstate_flag, cmd == VMASST_CMD_enable);
	return 0;
}
