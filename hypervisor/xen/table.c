/* hvc #0xea1: number in x16, arguments in x0 to x4, result in x0 (xen/arch-arm.h). */
#include "core/memory.h"
#include "guest/trap.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

_Static_assert(ENOSYS == 38 && ERESTART == 85 && EFAULT == 14 && EINVAL == 22 && EPERM == 1,
	       "the numbers of Xen's errno.h");
_Static_assert(sizeof(struct xen_sysctl) <= OP_MAX_SIZE && sizeof(struct xen_domctl) <= OP_MAX_SIZE,
	       "op_run's buffer");

static hypercall_handler multicall;

/* Who may ask what: Dom0 everything. Others no call of the tools' and no operation that is OP_PRIVILEGED, and domain_by_id() gives
 * them no domain but their own; grants and channels that another domain has offered to them they name to core/. */
static const struct {
	hypercall_handler *run;
	bool tools; /* Dom0 only: else -EPERM, whatever the arguments */
} table[] = {
	[__HYPERVISOR_platform_op] = {hypercall_platform, true},
	[__HYPERVISOR_memory_op] = {hypercall_memory, false},
	[__HYPERVISOR_multicall] = {multicall, false},
	[__HYPERVISOR_xen_version] = {hypercall_version, false},
	[__HYPERVISOR_console_io] = {hypercall_console, true},
	[__HYPERVISOR_grant_table_op] = {hypercall_grant, false},
	[__HYPERVISOR_vm_assist] = {hypercall_vm_assist, false},
	[__HYPERVISOR_vcpu_op] = {hypercall_vcpu, false},
	[__HYPERVISOR_sched_op] = {hypercall_sched, false},
	[__HYPERVISOR_event_channel_op] = {hypercall_event, false},
	[__HYPERVISOR_physdev_op] = {hypercall_physdev, false},
	[__HYPERVISOR_hvm_op] = {hypercall_hvm, false},
	[__HYPERVISOR_sysctl] = {hypercall_sysctl, true},
	[__HYPERVISOR_domctl] = {hypercall_domctl, true},
	[__HYPERVISOR_arch_0] = {hypercall_power, true}, /* xen/domus_power.h */
};

static int64_t dispatch(struct vcpu *v, uint64_t number, const uint64_t *a)
{
	if (number >= ARRAY_SIZE(table) || !table[number].run)
		return -ENOSYS;
	if (table[number].tools && !v->domain->privileged)
		return -EPERM;
	v->restart[2] = a[2];
	return table[number].run(v, a);
}

void hypercall(struct vcpu *v, struct frame *f)
{
	int64_t result = dispatch(v, f->x[16], f->x);

	if (unlikely(result == -ERESTART)) {
		f->x[0] = v->restart[0];
		f->x[1] = v->restart[1];
		f->x[2] = v->restart[2];
		f->elr -= 4; /* HVC leaves ELR behind the instruction */
	} else {
		f->x[0] = (uint64_t)result;
	}
	if (unlikely(ATOMIC_READ(domain_reap_wanted)))
		domain_reap();
}

int64_t hypercall_restart(struct vcpu *v, uint64_t a0, uint64_t a1)
{
	v->restart[0] = a0;
	v->restart[1] = a1;
	return -ERESTART;
}

/* Every entry's result goes into the entry; the call as a whole fails only when an entry cannot be read or written. However many
 * there are, it stops between two of them. */
static int64_t multicall(struct vcpu *v, const uint64_t *a)
{
	gva_t at = GVA(a[0]);
	uint64_t left = a[1];

	for (bool yield = false; left > 0 && !yield; left--, at.raw += sizeof(multicall_entry_t)) {
		multicall_entry_t entry;
		gva_t args = GVA(at.raw + offsetof(multicall_entry_t, args));
		gva_t result = GVA(at.raw + offsetof(multicall_entry_t, result));

		if (guest_copy_in(v, &entry, at, sizeof(entry)))
			return -EFAULT;
		entry.result = entry.op == __HYPERVISOR_multicall
				       ? (xen_ulong_t)-EINVAL
				       : (xen_ulong_t)dispatch(v, entry.op, entry.args);
		if ((int64_t)entry.result == -ERESTART) { /* this entry goes on where it stopped */
			if (guest_copy_out(v, args, v->restart, sizeof(v->restart)))
				return -EFAULT;
			break;
		}
		if (guest_copy_out(v, result, &entry.result, sizeof(entry.result)))
			return -EFAULT;
		yield = vcpu_should_yield(v);
	}
	v->restart[2] = a[2];
	return left ? hypercall_restart(v, at.raw, left) : 0;
}

int64_t op_run(struct vcpu *v, const struct op *ops, unsigned rows, uint64_t cmd, gva_t at)
{
	_Alignas(16) uint8_t in[OP_MAX_SIZE];
	const struct op *op;
	int64_t result;

	if (cmd >= rows || !ops[cmd].run)
		return -ENOSYS;
	op = &ops[cmd];
	if ((op->flags & OP_PRIVILEGED) && !v->domain->privileged)
		return -EPERM;
	if (op->size && guest_copy_in(v, in, at, op->size))
		return -EFAULT;
	result = op->run(v, in, at);
	if (result >= 0 && (op->flags & OP_OUT) && guest_copy_out(v, at, in, op->size))
		return -EFAULT;
	return result;
}

int domain_by_id(struct vcpu *v, uint16_t id, struct domain **out)
{
	*out = id == DOMID_SELF ? v->domain : domain_find(id);
	if (!*out)
		return -ESRCH;
	return *out == v->domain || v->domain->privileged ? 0 : -EPERM;
}
