/* Domus's own hypercall, see domus_power.h. */
#include "arch/psci.h"
#include "core/power.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/domus_power.h"
#include "xen/hypercall.h"

_Static_assert(DOMUS_POWER_HYPERCALL == __HYPERVISOR_arch_0,
	       "a number that Xen leaves to the architecture");
_Static_assert(DOMUS_OWNER_NOBODY == POWER_NOBODY && DOMUS_OWNER_HYPERVISOR == POWER_HYPERVISOR,
	       "and in core/power.h");
_Static_assert(POWER_NOBODY == DOMID_INVALID && POWER_HYPERVISOR == DOMID_XEN, "and in Xen's");
_Static_assert(sizeof(struct domus_rail) <= OP_MAX_SIZE, "op_run's buffer");

static int64_t op_info(struct vcpu *v, void *in, gva_t at)
{
	struct domus_power_info *op = in;
	const char *name = power_backend_name();

	(void)v;
	(void)at;
	memset(op, 0, sizeof(*op));
	if (name == NULL)
		return 0;
	op->version = DOMUS_POWER_VERSION;
	op->rails = power_count();
	string_copy(op->backend, name, sizeof(op->backend));
	return 0;
}

static int64_t op_get(struct vcpu *v, void *in, gva_t at)
{
	struct domus_rail *op = in;
	uint32_t index = op->index;
	struct rail r;
	int error = power_get(index, &r);

	(void)v;
	(void)at;
	if (error != 0)
		return error;
	*op = (struct domus_rail){
		.index = index,
		.id = r.id,
		.owner = r.owner,
		.driver = r.driver,
		.wanted = r.wanted,
		.actual = r.actual,
		.busy = r.step != RAIL_SETTLED || r.todo != RAIL_SETTLED,
		.reason = r.reason,
		.error = r.error,
		.resources = r.resources,
		.since = r.since,
		.read = r.read,
	};
	memcpy(op->device, r.name, sizeof(op->device));
	if (r.why != NULL)
		string_copy(op->why, r.why, sizeof(op->why));
	return 0;
}

static int64_t op_set(struct vcpu *v, void *in, gva_t at)
{
	const struct domus_power_set *op = in;

	(void)v;
	(void)at;
	return op->on > 1 ? -EINVAL : power_set(op->id, op->on != 0);
}

static int64_t op_give(struct vcpu *v, void *in, gva_t at)
{
	const struct domus_power_give *op = in;

	(void)v;
	(void)at;
	return power_give(op->id, op->owner, op->driver);
}

static int64_t op_refresh(struct vcpu *v, void *in, gva_t at)
{
	const struct domus_power_set *op = in;

	(void)v;
	(void)at;
	return power_refresh(op->id);
}

static int64_t op_find(struct vcpu *v, void *in, gva_t at)
{
	struct domus_power_find *op = in;
	int index = power_at(op->address);

	(void)v;
	(void)at;
	if (index < 0)
		return index;
	op->index = (uint32_t)index;
	op->zero = 0;
	return 0;
}

static int64_t op_core(struct vcpu *v, void *in, gva_t at)
{
	struct domus_power_core *op = in;
	const struct cpu *c;

	(void)v;
	(void)at;
	if (op->index >= cpu_count)
		return -ENOENT;
	c = &cpus[op->index];
	op->affinity = psci_affinity(c->mpidr);
	op->mpidr = c->mpidr;
	op->cluster = c->cluster;
	op->zero = 0;
	return 0;
}

static const struct op ops[] = {
	[DOMUS_POWER_info] = {op_info, sizeof(struct domus_power_info), OP_OUT | OP_PRIVILEGED},
	[DOMUS_POWER_get] = {op_get, sizeof(struct domus_rail), OP_OUT | OP_PRIVILEGED},
	[DOMUS_POWER_set] = {op_set, sizeof(struct domus_power_set), OP_PRIVILEGED},
	[DOMUS_POWER_give] = {op_give, sizeof(struct domus_power_give), OP_PRIVILEGED},
	[DOMUS_POWER_refresh] = {op_refresh, sizeof(struct domus_power_set), OP_PRIVILEGED},
	[DOMUS_POWER_find] = {op_find, sizeof(struct domus_power_find), OP_OUT | OP_PRIVILEGED},
	[DOMUS_POWER_core] = {op_core, sizeof(struct domus_power_core), OP_OUT | OP_PRIVILEGED},
};

int64_t hypercall_power(struct vcpu *v, const uint64_t *a)
{
	return op_run(v, ops, ARRAY_SIZE(ops), (uint32_t)a[0], GVA(a[1]));
}
