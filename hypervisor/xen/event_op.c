/* event_channel_op: xen/event_channel.h. */
#include "core/event.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/hypercall.h"

static int64_t op_alloc_unbound(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_alloc_unbound *op = in;
	struct domain *d;
	unsigned port = 0;
	uint16_t remote = op->remote_dom == DOMID_SELF ? v->domain->id : op->remote_dom;
	int error = domain_by_id(v, op->dom, &d);

	(void)at;
	if (!error && !domain_find(remote))
		error = -ESRCH;
	if (error)
		return error;
	error = event_alloc_unbound(d, remote, &port);
	op->port = port;
	return error;
}

static int64_t op_bind_interdomain(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_bind_interdomain *op = in;
	unsigned port = 0;
	uint16_t remote = op->remote_dom == DOMID_SELF ? v->domain->id : op->remote_dom;
	int error = event_bind_interdomain(v->domain, remote, op->remote_port, &port);

	(void)at;
	op->local_port = port;
	return error;
}

static int64_t op_bind_virq(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_bind_virq *op = in;
	unsigned port = 0;
	int error = event_bind_virq(v->domain, op->virq, op->vcpu, &port);

	(void)at; /* a guest may have any: those of the machine are sent to Dom0 alone */
	op->port = port;
	return error;
}

static int64_t op_bind_ipi(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_bind_ipi *op = in;
	unsigned port = 0;
	int error = event_bind_ipi(v->domain, op->vcpu, &port);

	(void)at;
	op->port = port;
	return error;
}

/* The hypervisor's own end in this domain. */
static bool is_consumed(const struct vcpu *v, unsigned port)
{
	return port != 0 && port == v->domain->events->consumed_port;
}

static int64_t with_own_port(struct vcpu *v, const evtchn_port_t *port,
			     int (*run)(struct domain *, unsigned))
{
	return is_consumed(v, *port) ? -EINVAL : run(v->domain, *port);
}

static int64_t op_close(struct vcpu *v, void *in, gva_t at)
{
	(void)at;
	return with_own_port(v, in, event_close);
}

static int64_t op_send(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_send *op = in;

	(void)at;
	return is_consumed(v, op->port) ? -EINVAL : event_send(v->domain, op->port);
}

static int64_t op_unmask(struct vcpu *v, void *in, gva_t at)
{
	(void)at;
	return with_own_port(v, in, event_unmask);
}

static int64_t op_bind_vcpu(struct vcpu *v, void *in, gva_t at)
{
	struct evtchn_bind_vcpu *op = in;

	(void)at;
	return event_bind_vcpu(v->domain, op->port, op->vcpu);
}

static int64_t op_status(struct vcpu *v, void *in, gva_t at)
{
	static const uint8_t status[] = {
		[EVENT_FREE] = EVTCHNSTAT_closed,
		[EVENT_UNBOUND] = EVTCHNSTAT_unbound,
		[EVENT_INTERDOMAIN] = EVTCHNSTAT_interdomain,
		[EVENT_RESERVED] = EVTCHNSTAT_closed,
		[EVENT_VIRQ] = EVTCHNSTAT_virq,
		[EVENT_IPI] = EVTCHNSTAT_ipi,
	};
	struct evtchn_status *op = in;
	struct event_port port;
	struct domain *d;
	int error = domain_by_id(v, op->dom, &d);

	(void)at;
	if (error != -ESRCH && event_status(d, op->port, &port))
		error = -EINVAL; /* before the question whose it is, as in Xen */
	if (error)
		return error;
	op->status = status[port.state];
	op->vcpu = port.vcpu;
	if (port.state == EVENT_UNBOUND) {
		op->u.unbound.dom = port.domain;
	} else if (port.state == EVENT_INTERDOMAIN) {
		op->u.interdomain.dom = port.domain;
		op->u.interdomain.port = port.peer;
	} else if (port.state == EVENT_VIRQ) {
		op->u.virq = port.peer;
	}
	return 0;
}

static int64_t op_reset(struct vcpu *v, void *in, gva_t at)
{
	struct domain *d;
	int error = domain_by_id(v, ((struct evtchn_reset *)in)->dom, &d);

	if (!error)
		error = event_reset(d);
	return error == -ERESTART ? hypercall_restart(v, EVTCHNOP_reset, at.raw) : error;
}

/* Interrupts of the machine come by the GIC. */
static int64_t op_bind_pirq(struct vcpu *v, void *in, gva_t at)
{
	(void)v;
	(void)in;
	(void)at;
	return -EOPNOTSUPP;
}

/* Channels of the 2-level ABI have none. */
static int64_t op_set_priority(struct vcpu *v, void *in, gva_t at)
{
	struct event_port port;
	int error = event_status(v->domain, ((struct evtchn_set_priority *)in)->port, &port);

	(void)at;
	return error || port.state == EVENT_FREE ? -EINVAL : -ENOSYS;
}

static const struct op ops[] = {
	[EVTCHNOP_bind_interdomain] = {op_bind_interdomain, sizeof(struct evtchn_bind_interdomain),
				       OP_OUT},
	[EVTCHNOP_bind_virq] = {op_bind_virq, sizeof(struct evtchn_bind_virq), OP_OUT},
	[EVTCHNOP_bind_pirq] = {op_bind_pirq, sizeof(struct evtchn_bind_pirq), 0},
	[EVTCHNOP_close] = {op_close, sizeof(struct evtchn_close), 0},
	[EVTCHNOP_send] = {op_send, sizeof(struct evtchn_send), 0},
	[EVTCHNOP_status] = {op_status, sizeof(struct evtchn_status), OP_OUT},
	[EVTCHNOP_alloc_unbound] = {op_alloc_unbound, sizeof(struct evtchn_alloc_unbound), OP_OUT},
	[EVTCHNOP_bind_ipi] = {op_bind_ipi, sizeof(struct evtchn_bind_ipi), OP_OUT},
	[EVTCHNOP_bind_vcpu] = {op_bind_vcpu, sizeof(struct evtchn_bind_vcpu), 0},
	[EVTCHNOP_unmask] = {op_unmask, sizeof(struct evtchn_unmask), 0},
	[EVTCHNOP_reset] = {op_reset, sizeof(struct evtchn_reset), 0},
	[EVTCHNOP_set_priority] = {op_set_priority, sizeof(struct evtchn_set_priority), 0},
};

int64_t hypercall_event(struct vcpu *v, const uint64_t *a)
{
	return op_run(v, ops, ARRAY_SIZE(ops), (uint32_t)a[0], GVA(a[1]));
}
