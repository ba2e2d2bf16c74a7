/* domctl: where the vCPUs of a domain may run. */
#include "core/cpu_power.h"
#include "core/pool.h"
#include "core/sched.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"
#include "xen/guest_copy.h"

/* A bitmap of the guest, as far as there can be CPUs. */
static int cpumap_in(struct vcpu *v, const struct xenctl_bitmap *from, uint32_t *map)
{
	uint32_t bytes = from->nr_bits / 8 + (from->nr_bits % 8 != 0);

	*map = 0;
	if (bytes > sizeof(*map))
		bytes = sizeof(*map);
	if (guest_copy_in(v, map, GVA(from->bitmap.q), bytes))
		return -EFAULT;
	if (from->nr_bits < 32)
		*map &= (1u << from->nr_bits) - 1;
	return 0;
}

static int map_out(struct vcpu *v, const struct xenctl_bitmap *to, uint32_t map)
{
	/* "all", also of CPUs that do not exist: that is how the tools know that nothing was chosen */
	return cpumap_out(v, map == ~0u ? ~0ul : map, to->bitmap.q, to->nr_bits);
}

int64_t domctl_get_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	const struct vcpu *t = a->vcpu < d->vcpus_max ? d->vcpu[a->vcpu] : NULL;
	int error = 0;

	if (!t)
		return a->vcpu < d->vcpus_max ? -ESRCH : -EINVAL;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		error = map_out(v, &a->cpumap_hard, t->credit.hard);
	if (!error && (a->flags & XEN_VCPUAFFINITY_SOFT))
		error = map_out(v, &a->cpumap_soft, t->credit.soft);
	return error;
}

/* All CPUs that there are is "all": the tools send it with as many bits as there are CPUs. */
static uint32_t widen(uint32_t map)
{
	uint32_t all = cpu_count < 32 ? (1u << cpu_count) - 1 : ~0u;

	return (map & all) == all ? ~0u : map & all;
}

/* What comes back is what counts: within the pool, and soft within hard. */
int64_t domctl_set_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *t = a->vcpu < d->vcpus_max ? d->vcpu[a->vcpu] : NULL;
	uint32_t hard, soft, members;
	int error = 0;

	if (!t)
		return a->vcpu < d->vcpus_max ? -ESRCH : -EINVAL;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	hard = t->credit.hard;
	soft = t->credit.soft;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		error = cpumap_in(v, &a->cpumap_hard, &hard);
	if (!error && (a->flags & XEN_VCPUAFFINITY_SOFT))
		error = cpumap_in(v, &a->cpumap_soft, &soft);
	if (error)
		return error;
	hard = widen(hard);
	soft = widen(soft);
	if (!soft)
		return -EINVAL;
	error = sched_set_affinity(t, hard, soft);
	if (error)
		return error;
	cpu_power_update();
	members = d->pool->members;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		error = cpumap_out(v, hard & members, a->cpumap_hard.bitmap.q,
				   a->cpumap_hard.nr_bits);
	if (!error && (a->flags & XEN_VCPUAFFINITY_SOFT))
		error = cpumap_out(v, soft & hard & members, a->cpumap_soft.bitmap.q,
				   a->cpumap_soft.nr_bits);
	return error;
}

/* There is one node. */
int64_t domctl_get_node_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return cpumap_out(v, 1, op->u.nodeaffinity.nodemap.bitmap.q,
			  op->u.nodeaffinity.nodemap.nr_bits);
}

int64_t domctl_set_node_affinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	uint32_t nodes;
	int error = cpumap_in(v, &op->u.nodeaffinity.nodemap, &nodes);

	(void)d;
	return error ? error : nodes & 1 ? 0 : -EINVAL;
}
