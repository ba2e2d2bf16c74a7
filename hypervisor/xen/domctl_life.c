/* domctl: a domain's life, and its vCPUs' first state. */
#include "core/page.h"
#include "core/pool.h"
#include "core/sched.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/domctl.h"
#include "xen/guest_copy.h"

#define SPIS_MAX 960u /* whole registers of 32 among INTIDs 32 to 1019 */
#define RESTARTED                                                                                  \
	0x444f4dul /* argument 1 of a destroydomain that has begun: the domain may be gone by now */

/* What a guest of this hypervisor may be; all else is -EINVAL, as in Xen. */
static int config_check(struct xen_domctl_createdomain *c)
{
	const uint32_t mandatory = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;

	if (c->flags & ~(mandatory | XEN_DOMCTL_CDF_xs_domain))
		return -EINVAL; /* no IOMMU, no virtual PMU, nothing of x86 */
	if ((c->flags & mandatory) != mandatory || c->iommu_opts || c->vmtrace_size ||
	    c->altp2m_opts)
		return -EINVAL;
	if (c->max_vcpus == 0 || c->max_vcpus > MAX_VCPUS)
		return -EINVAL;
	if (XEN_DOMCTL_GRANT_version(c->grant_opts) != 1 || c->grant_opts >> 4)
		return -EINVAL;
	if (c->arch.gic_version == XEN_DOMCTL_CONFIG_GIC_V2)
		return -ENODEV;
	if (c->arch.gic_version != XEN_DOMCTL_CONFIG_GIC_NATIVE &&
	    c->arch.gic_version != XEN_DOMCTL_CONFIG_GIC_V3)
		return -EINVAL;
	if (c->arch.sve_vl || c->arch.tee_type != XEN_DOMCTL_CONFIG_TEE_NONE ||
	    c->arch.nr_spis > SPIS_MAX)
		return -EINVAL;
	return 0;
}

int64_t domctl_create(struct vcpu *v, struct domain *none, struct xen_domctl *op)
{
	struct xen_domctl_createdomain *c = &op->u.createdomain;
	bool any = op->domain == 0 || op->domain >= DOMID_FIRST_RESERVED;
	struct domain_config config = {
		.id = any ? DOMID_ANY : op->domain,
		.vcpus_max = c->max_vcpus,
		.event_ports = c->max_evtchn_port < 4096 ? c->max_evtchn_port + 1 : 4096,
		.grant_frames = c->max_grant_frames < 0 ? 0 : (unsigned)c->max_grant_frames,
		.maptrack_frames =
			c->max_maptrack_frames < 0 ? 0 : (unsigned)c->max_maptrack_frames,
		.distributor = IPA(GUEST_GICV3_GICD_BASE),
		.redistributors = IPA(GUEST_GICV3_GICR0_BASE),
		.spis = c->arch.nr_spis,
		.pool = c->cpupool_id,
	};
	struct domain *d;
	int error = config_check(c);

	(void)v;
	(void)none;
	if (error)
		return error;
	if (!pool_find(c->cpupool_id))
		return -ESRCH;
	memcpy(config.handle, c->handle, sizeof(config.handle));
	error = domain_create(&config, &d);
	if (error)
		return error;
	op->domain = d->id;
	c->arch.gic_version = XEN_DOMCTL_CONFIG_GIC_V3;
	c->arch.clock_frequency = 0; /* CNTFRQ_EL0 is right */
	return 0;
}

/* -ESRCH for one that is not there, but not at the end of our own work. */
int64_t domctl_destroy(struct vcpu *v, struct domain *none, struct xen_domctl *op)
{
	bool restarted = v->restart[1] == RESTARTED;
	struct domain *d = domain_find(op->domain);
	int error;

	(void)none;
	if (!d)
		return domain_is_leaving(op->domain)
			       ? hypercall_restart(v, v->restart[0], RESTARTED)
		       : restarted ? 0
				   : -ESRCH;
	if (d == v->domain)
		return -EINVAL;
	error = domain_kill(d);
	if (!error && ATOMIC_READ(d->frames) != 0)
		return 0; /* others have frames of it mapped: the rest happens when they give them back */
	return error == 0 || error == -ERESTART ? hypercall_restart(v, v->restart[0], RESTARTED)
						: error;
}

int64_t domctl_pause(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	return domain_pause(d);
}

int64_t domctl_unpause(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	return domain_unpause(d);
}

int64_t domctl_resume(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	domain_resume(d);
	return 0;
}

int64_t domctl_max_vcpus(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	int error = 0;

	(void)v;
	if (op->u.max_vcpus.max != d->vcpus_max)
		return -EINVAL;
	LOCK_SCOPE(&domain_list_lock); /* of two callers one makes them */
	if (ATOMIC_READ(d->state) >= DOMAIN_DYING)
		return -EINVAL;
	for (unsigned i = 0; i < d->vcpus_max && error == 0; i++) {
		struct vcpu *made;

		if (!d->vcpu[i])
			error = vcpu_create(d, i, &cpus[0], &made);
	}
	return error;
}

static struct vcpu *vcpu_at(struct domain *d, uint32_t id)
{
	return id < d->vcpus_max ? d->vcpu[id] : NULL;
}

/* EL1 with either stack pointer, or EL0; AArch64. */
static bool mode_is_valid(uint64_t cpsr)
{
	uint64_t mode = cpsr & (PSR_MODE_BIT | 0xf);

	return mode == PSR_MODE_EL1h || mode == PSR_MODE_EL1t || mode == PSR_MODE_EL0t;
}

static void context_set(struct vcpu *t, const struct vcpu_guest_context *c)
{
	struct vcpu_state *s = &t->state;

	vcpu_state_reset(s, 1ul << 31 | vcpu_affinity(t->id), c->user_regs.pc64, 0);
	memcpy(s->frame.x, &c->user_regs.x0, sizeof(s->frame.x));
	s->frame.spsr = c->user_regs.cpsr & 0xf00003dful; /* condition flags, masks, mode */
	s->spsr_el1 = c->user_regs.spsr_el1;
	s->sp_el0 = c->user_regs.sp_el0;
	s->sp_el1 = c->user_regs.sp_el1;
	s->elr_el1 = c->user_regs.elr_el1;
	s->sctlr = c->sctlr;
	s->tcr = c->ttbcr;
	s->ttbr0 = c->ttbr0;
	s->ttbr1 = c->ttbr1;
}

/* Runs nowhere from now on, its state is in memory: 0. Else it is as before: -EBUSY when nobody has paused it, or the call has to
 * come again, as its CPU is about to let go of it. */
static int64_t hold(struct vcpu *v, struct vcpu *t)
{
	bool paused = ATOMIC_READ(t->domain->paused) != 0 || !ATOMIC_READ(t->online);

	vcpu_pause(t);
	if (sched_parked(t))
		return 0;
	vcpu_unpause(t);
	return paused ? hypercall_restart(v, v->restart[0], v->restart[1]) : -EBUSY;
}

static int context_load(struct vcpu *v, struct vcpu *t, gva_t at)
{
	struct vcpu_guest_context c;

	if (!at.raw) {
		sched_set_online(t, false);
		return 0;
	}
	if (guest_copy_in(v, &c, at, sizeof(c)))
		return -EFAULT;
	if (!mode_is_valid(c.user_regs.cpsr))
		return -EINVAL;
	sched_set_online(t, false);
	context_set(t, &c);
	t->reset = true;
	sched_set_online(t, (c.flags & VGCF_online) != 0);
	return 0;
}

/* The state of a vCPU that does not run: the tools set it before a domain starts, or while it is paused. */
int64_t domctl_set_vcpu_context(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct vcpu *t = vcpu_at(d, op->u.vcpucontext.vcpu);
	int64_t error;

	if (!t)
		return -EINVAL;
	error = hold(v, t);
	if (error)
		return error;
	error = context_load(v, t, GVA((uint64_t)op->u.vcpucontext.ctxt.p));
	vcpu_unpause(t);
	return error;
}

/* As it was set, or as it was when the vCPU last left its CPU. */
int64_t domctl_get_vcpu_context(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct vcpu *t = vcpu_at(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context c = {0};
	const struct vcpu_state *s;
	int64_t error;

	if (!t)
		return -EINVAL;
	if (!op->u.vcpucontext.ctxt.p)
		return -EFAULT;
	if (!ATOMIC_READ(t->online) && !t->reset)
		return -ENODATA; /* it has no state yet */
	error = hold(v, t);
	if (error)
		return error;
	s = &t->state;
	c.flags = t->online ? VGCF_online : 0;
	memcpy(&c.user_regs.x0, s->frame.x, sizeof(s->frame.x));
	c.user_regs.pc64 = s->frame.elr;
	c.user_regs.cpsr = s->frame.spsr;
	c.user_regs.spsr_el1 = s->spsr_el1;
	c.user_regs.sp_el0 = s->sp_el0;
	c.user_regs.sp_el1 = s->sp_el1;
	c.user_regs.elr_el1 = s->elr_el1;
	c.sctlr = s->sctlr;
	c.ttbcr = s->tcr;
	c.ttbr0 = s->ttbr0;
	c.ttbr1 = s->ttbr1;
	vcpu_unpause(t);
	return guest_copy_out(v, GVA((uint64_t)op->u.vcpucontext.ctxt.p), &c, sizeof(c));
}
