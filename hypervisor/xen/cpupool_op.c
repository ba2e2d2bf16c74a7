/* sysctl cpupool_op and scheduler_op, domctl scheduler_op: xen/sysctl.h, xen/domctl.h. We say that we are Credit2, whose
 * parameters (weight and cap of a domain, rate limit of a pool) are ours too. */
#include "core/cpu_power.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"
#include "xen/hypercall.h"

#define LEAVING 0x435055ul /* argument 1 of a call that waits for its CPU to leave */

/* The next pool with this id or a higher one. */
static int64_t info(struct vcpu *v, struct xen_sysctl_cpupool_op *op)
{
	struct pool *p = pool_next(op->cpupool_id);

	if (!p)
		return -ENOENT;
	op->cpupool_id = p->id;
	op->sched_id = XEN_SCHEDULER_CREDIT2;
	op->n_dom = p->domains;
	return cpumap_out(v, p->members, op->cpumap.bitmap.q, op->cpumap.nr_bits);
}

static uint32_t free_cpus(void)
{
	uint32_t map = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		map |= cpus[i].pool ? 0 : 1u << i;
	return map;
}

static int64_t create(struct xen_sysctl_cpupool_op *op)
{
	unsigned id = op->cpupool_id == XEN_SYSCTL_CPUPOOL_PAR_ANY ? ~0u : op->cpupool_id;
	int error;

	if (op->sched_id != XEN_SCHEDULER_CREDIT2)
		return -ENOENT; /* as Xen says of a scheduler that it was not built with */
	error = pool_create(&id);
	op->cpupool_id = id;
	return error;
}

static int64_t add_cpu(struct xen_sysctl_cpupool_op *op)
{
	struct pool *p = pool_find(op->cpupool_id);
	uint32_t map = free_cpus();
	int error;

	if (op->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY && map)
		op->cpu = (uint32_t)__builtin_ctz(map);
	if (op->cpu >= cpu_count)
		return -EINVAL;
	if (!p)
		return -ENOENT;
	error = pool_cpu_add(p, op->cpu);
	cpu_power_update();
	return error;
}

static int64_t remove_cpu(struct vcpu *v, struct xen_sysctl_cpupool_op *op)
{
	struct pool *p = pool_find(op->cpupool_id);
	int error;

	if (!p)
		return -ENOENT;
	if (op->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY && p->members)
		op->cpu = 31 - (uint32_t)__builtin_clz(p->members);
	if (op->cpu >= cpu_count)
		return -EINVAL;
	if (v->restart[1] != LEAVING) {
		error = pool_cpu_leave(p, op->cpu);
		if (error)
			return error;
	}
	if (__atomic_load_n(&cpus[op->cpu].pool, __ATOMIC_ACQUIRE) == p)
		return hypercall_restart(v, v->restart[0], LEAVING);
	cpu_power_update();
	return 0;
}

static int64_t move_domain(struct vcpu *v, struct xen_sysctl_cpupool_op *op)
{
	struct domain *d = domain_find((uint16_t)op->domid);
	struct pool *p = pool_find(op->cpupool_id);
	int error;

	if (!d)
		return -ESRCH;
	if (d == v->domain)
		return -EPERM;
	if (!p)
		return -ENOENT;
	error = pool_move(d, p);
	if (error == -ERESTART)
		return hypercall_restart(v, v->restart[0], v->restart[1]);
	cpu_power_update();
	return error;
}

int64_t sysctl_cpupool(struct vcpu *v, struct xen_sysctl *sysctl)
{
	struct xen_sysctl_cpupool_op *op = &sysctl->u.cpupool_op;

	switch (op->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return create(op);
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return pool_destroy(op->cpupool_id);
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return info(v, op);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return add_cpu(op);
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return remove_cpu(v, op);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return move_domain(v, op);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return cpumap_out(v, free_cpus(), op->cpumap.bitmap.q, op->cpumap.nr_bits);
	}
	return -ENOSYS;
}

int64_t sysctl_sched_id(struct vcpu *v, struct xen_sysctl *sysctl)
{
	(void)v;
	sysctl->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
	return 0;
}

int64_t sysctl_scheduler(struct vcpu *v, struct xen_sysctl *sysctl)
{
	struct xen_sysctl_scheduler_op *op = &sysctl->u.scheduler_op;
	uint32_t limit = op->u.sched_credit2.ratelimit_us;
	struct pool *p = pool_find(op->cpupool_id);

	(void)v;
	if (!p)
		return -ESRCH;
	if (op->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_SYSCTL_SCHEDOP_putinfo:
		if (limit && (limit > XEN_SYSCTL_SCHED_RATELIMIT_MAX ||
			      limit < XEN_SYSCTL_SCHED_RATELIMIT_MIN))
			return -EINVAL;
		lock_take(&p->lock);
		p->credit.ratelimit = time_ticks_of_ns(limit * 1000ul);
		lock_drop(&p->lock);
		return 0;
	case XEN_SYSCTL_SCHEDOP_getinfo:
		op->u.sched_credit2.ratelimit_us =
			(uint32_t)(time_ns_of_ticks(p->credit.ratelimit) / 1000);
		return 0;
	}
	return -EINVAL;
}

int64_t domctl_scheduler(struct vcpu *v, struct domain *d, struct xen_domctl *domctl)
{
	struct xen_domctl_scheduler_op *op = &domctl->u.scheduler_op;

	(void)v;
	if (op->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo: /* weight 0: as it is; cap ~0 too */
		return sched_set_domain(
			d, op->u.credit2.weight ? op->u.credit2.weight : d->credit.weight,
			op->u.credit2.cap != 0xffff ? op->u.credit2.cap : d->credit.cap);
	case XEN_DOMCTL_SCHEDOP_getinfo:
		op->u.credit2.weight = d->credit.weight;
		op->u.credit2.cap = d->credit.cap;
		return 0;
	}
	return -EINVAL;
}
