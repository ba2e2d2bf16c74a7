/* The small ones: hvm_op, console_io, platform_op, physdev_op. */
#include "core/console.h"
#include "core/event.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

/* ---- hvm_op ---------------------------------------------------------------------------------------------------------- */
enum param_access { PARAM_NONE, PARAM_READ, PARAM_TOOLS }; /* of the domain itself; the tools may always */

static enum param_access param_access(unsigned index)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
		return PARAM_READ;
	case HVM_PARAM_MONITOR_RING_PFN:
		return PARAM_TOOLS;
	}
	return PARAM_NONE;
}

/* What both have to check. */
static int param_find(struct vcpu *v, const struct xen_hvm_param *op, bool set, struct domain **d)
{
	enum param_access access = param_access(op->index);
	int error = domain_by_id(v, op->domid, d);

	if (error)
		return error;
	if (access == PARAM_NONE)
		return -EINVAL;
	return *d == v->domain && (set || access == PARAM_TOOLS) ? -EPERM : 0;
}

static int64_t op_get_param(struct vcpu *v, void *in, gva_t at)
{
	struct xen_hvm_param *op = in;
	struct domain *d;
	int error = param_find(v, op, false, &d);
	uint64_t param;

	(void)at;
	if (error)
		return error;
	param = *hvm_param(d, op->index);
	/* type 2: a PPI; flags 2: level, low (xen/hvm/params.h) */
	op->value = op->index == HVM_PARAM_CALLBACK_IRQ && param == 0
			    ? (2ul << 56 | 2ul << 8 | d->event_intid)
			    : param;
	return 0;
}

static int64_t op_set_param(struct vcpu *v, void *in, gva_t at)
{
	struct xen_hvm_param *op = in;
	struct domain *d;
	int error = param_find(v, op, true, &d);

	(void)at;
	if (!error)
		*hvm_param(d, op->index) = op->value;
	return error;
}

static const struct op hvm_ops[] = {
	[HVMOP_set_param] = {op_set_param, sizeof(struct xen_hvm_param), 0},
	[HVMOP_get_param] = {op_get_param, sizeof(struct xen_hvm_param), OP_OUT},
};

int64_t hypercall_hvm(struct vcpu *v, const uint64_t *a)
{
	return op_run(v, hvm_ops, ARRAY_SIZE(hvm_ops), a[0], GVA(a[1]));
}

/* ---- console_io: Dom0's hvc0 and earlycon ------------------------------------------------------------------------------ */
/* A UART is slow, and not waited for: a write goes on with what is left of it. A line up to the size of `text` stays in one piece. */
int64_t hypercall_console(struct vcpu *v, const uint64_t *a)
{
	gva_t at = GVA(a[2]);
	uint32_t cmd = (uint32_t)a[0], count = (uint32_t)a[1];
	char text[128];
	size_t part;

	if (cmd == CONSOLEIO_read) {
		if ((int32_t)count < 0)
			return -E2BIG;
		part = console_read(text, count < sizeof(text) ? count : sizeof(text));
		return guest_copy_out(v, at, text, part) ? -EFAULT : (int64_t)part;
	}
	if (cmd != CONSOLEIO_write)
		return -ENOSYS;
	while (count > 0) {
		bool taken;

		part = count < sizeof(text) ? count : sizeof(text);
		if (guest_copy_in(v, text, at, part))
			return -EFAULT;
		taken = console_write(text, part);
		if (taken) {
			at.raw += part;
			count -= (uint32_t)part;
		}
		v->restart[2] = at.raw;
		if (!taken || (count > 0 && vcpu_should_yield(v)))
			return hypercall_restart(v, cmd, count);
	}
	return 0;
}

/* ---- platform_op ------------------------------------------------------------------------------------------------------ */
int64_t hypercall_platform(struct vcpu *v, const uint64_t *a)
{
	struct xen_platform_op op;

	if (guest_copy_in(v, &op, GVA(a[0]),
			  offsetof(struct xen_platform_op, u) + sizeof(op.u.settime64)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd != XENPF_settime64)
		return -ENOSYS;
	/* in nanoseconds a year of 584 still fits */
	if (op.u.settime64.mbz || op.u.settime64.secs > ~0ul / 1000000000 - 1 ||
	    op.u.settime64.nsecs >= 1000000000 ||
	    op.u.settime64.system_time > op.u.settime64.secs * 1000000000)
		return -EINVAL;
	wallclock_set(op.u.settime64.secs * 1000000000 + op.u.settime64.nsecs -
		      op.u.settime64.system_time);
	return 0;
}

/* ---- physdev_op: Dom0 has all PCI devices anyhow, so being told of one is fine and nothing to do ------------------------ */
int64_t hypercall_physdev(struct vcpu *v, const uint64_t *a)
{
	_Static_assert(PHYSDEVOP_pci_device_remove == PHYSDEVOP_pci_device_add + 1,
		       "one after the other");
	return v->domain->privileged && a[0] - PHYSDEVOP_pci_device_add <= 1 ? 0 : -ENOSYS;
}
