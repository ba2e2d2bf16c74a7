#include "core/event.h"
#include "core/page.h"
#include "core/sched.h"
#include "core/unit.h"
#include "lib/bits.h"
#include "lib/errno.h"

/* A table of 4096 ports in whole pages. */
static unsigned table_order(void)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < sizeof(struct event_table))
		order++;
	return order;
}

static struct event_port *port_at(struct event_table *t, unsigned port)
{
	if (port == 0 || port >= EVENT_PORTS || t->port[port].state == EVENT_FREE)
		return NULL;
	return &t->port[port];
}

/* The lowest free port becomes `as`; 0 when there is none. Lock held. */
static unsigned port_take(struct event_table *t, struct event_port as)
{
	for (unsigned w = 0; w * 64 < t->ports; w++) {
		unsigned port = w * 64;

		if (t->used[w] == ~0ul)
			continue;
		port += bits_first(~t->used[w]);
		if (port >= t->ports)
			return 0;
		t->used[w] |= BIT(port % 64);
		t->port[port] = as;
		return port;
	}
	return 0;
}

/* ---- delivery: 2-level ABI, xen/event_channel.h ---------------------------------------------------------------------- */
static void vcpu_deliver(struct domain *d, unsigned id, unsigned word)
{
	struct event_vcpu *e = &d->events->vcpus[id];

	if (!d->vcpu[id] || !e->selector)
		return;
	if (__atomic_fetch_or(e->selector, BIT(word), __ATOMIC_SEQ_CST) & BIT(word))
		return;
	if (__atomic_exchange_n(e->upcall, 1, __ATOMIC_SEQ_CST) == 0)
		vcpu_mark_irq(d->vcpu[id], d->event_intid);
}

static void wake_pollers(struct domain *d, unsigned port)
{
	for (uint32_t w = __atomic_load_n(&d->events->polling, __ATOMIC_SEQ_CST); w; w &= w - 1) {
		unsigned i = bits_first(w);
		unsigned polled = d->events->vcpus[i].polled;

		if ((polled && polled != port) || !d->vcpu[i])
			continue;
		__atomic_fetch_and(&d->events->polling, ~(1u << i), __ATOMIC_SEQ_CST);
		vcpu_wake(d->vcpu[i]);
	}
}

static void port_deliver(struct domain *d, unsigned port)
{
	struct event_table *t = d->events;
	unsigned word = port / 64;
	uint64_t bit = BIT(port % 64);

	if (unlikely(port == t->consumed_port)) {
		t->consumed(d);
		return;
	}
	if (!t->pending) /* nobody has made its vCPUs yet */
		return;
	if (__atomic_fetch_or(&t->pending[word], bit, __ATOMIC_SEQ_CST) & bit)
		return;
	if (!(__atomic_load_n(&t->mask[word], __ATOMIC_SEQ_CST) & bit))
		vcpu_deliver(d, t->port[port].vcpu, word);
	if (__atomic_load_n(&t->polling, __ATOMIC_SEQ_CST))
		wake_pollers(d, port);
}

void event_resample(struct vcpu *v)
{
	struct event_vcpu *e = &v->domain->events->vcpus[v->id];

	if (e->upcall && __atomic_load_n(e->upcall, __ATOMIC_SEQ_CST))
		vcpu_mark_irq(v, v->domain->event_intid);
}

/* ---- binding --------------------------------------------------------------------------------------------------------- */
int event_alloc_unbound(struct domain *d, uint16_t remote, unsigned *port)
{
	LOCK_SCOPE(&d->events->lock);
	*port = port_take(d->events, (struct event_port){.state = EVENT_UNBOUND, .domain = remote});
	return *port ? 0 : -ENOSPC;
}

static void lock_both(struct domain *a, struct domain *b)
{
	struct domain *first = a->id <= b->id ? a : b, *second = a->id <= b->id ? b : a;

	lock_take(&first->events->lock);
	if (a != b)
		lock_take(&second->events->lock);
}

static void unlock_both(struct domain *a, struct domain *b)
{
	lock_drop(&a->events->lock);
	if (a != b)
		lock_drop(&b->events->lock);
}

int event_bind_interdomain(struct domain *d, uint16_t remote, unsigned remote_port, unsigned *port)
{
	struct domain *r = domain_find(remote);
	struct event_port *rp;
	int error = 0;

	if (!r)
		return -ESRCH;
	lock_both(d, r);
	rp = port_at(r->events, remote_port);
	if (!rp || rp->state != EVENT_UNBOUND || rp->domain != d->id)
		error = -EINVAL;
	else {
		*port = port_take(d->events, (struct event_port){.state = EVENT_INTERDOMAIN,
								 .domain = remote,
								 .peer = (uint16_t)remote_port});
		error = *port ? 0 : -ENOSPC;
	}
	if (!error) {
		rp->state = EVENT_INTERDOMAIN;
		rp->peer = (uint16_t)*port;
		port_deliver(d, *port); /* something may have been sent before we were bound */
	}
	unlock_both(d, r);
	return error;
}

/* The virqs that each vCPU has for itself: timer, debug, xenoprof, xenpmu. All others are the domain's. */
static bool virq_is_per_vcpu(unsigned virq)
{
	return virq == 0 || virq == 1 || virq == 7 || virq == 13;
}

int event_bind_virq(struct domain *d, unsigned virq, unsigned vcpu, unsigned *port)
{
	struct event_table *t = d->events;

	if (virq >= EVENT_VIRQS || (vcpu != 0 && !virq_is_per_vcpu(virq)))
		return -EINVAL;
	if (vcpu >= d->vcpus_max || !d->vcpu[vcpu])
		return -ENOENT;
	LOCK_SCOPE(&t->lock);
	if (t->virq[virq][vcpu])
		return -EEXIST;
	*port = port_take(t, (struct event_port){.state = EVENT_VIRQ,
						 .vcpu = (uint8_t)vcpu,
						 .peer = (uint16_t)virq});
	t->virq[virq][vcpu] = (uint16_t)*port;
	return *port ? 0 : -ENOSPC;
}

int event_bind_ipi(struct domain *d, unsigned vcpu, unsigned *port)
{
	if (vcpu >= d->vcpus_max || !d->vcpu[vcpu])
		return -ENOENT;
	LOCK_SCOPE(&d->events->lock);
	*port = port_take(d->events,
			  (struct event_port){.state = EVENT_IPI, .vcpu = (uint8_t)vcpu});
	return *port ? 0 : -ENOSPC;
}

/* Frees the port; both tables' locks are held when it has a peer. */
static void port_close(struct domain *d, struct domain *r, unsigned port)
{
	struct event_port *p = &d->events->port[port];
	uint64_t bit = BIT(port % 64);

	if (p->state == EVENT_INTERDOMAIN && r) {
		struct event_port *rp = &r->events->port[p->peer];

		rp->state = EVENT_UNBOUND;
		rp->domain = d->id;
		rp->peer = 0;
	} else if (p->state == EVENT_VIRQ) {
		d->events->virq[p->peer][virq_is_per_vcpu(p->peer) ? p->vcpu : 0] = 0;
	}
	*p = (struct event_port){0};
	d->events->used[port / 64] &= ~bit;
	if (d->events->pending)
		__atomic_fetch_and(&d->events->pending[port / 64], ~bit, __ATOMIC_SEQ_CST);
}

int event_close(struct domain *d, unsigned port)
{
	struct event_port *p;
	uint16_t remote;

	for (;;) {
		struct domain *r = d;
		bool same;

		lock_take(&d->events->lock);
		p = port_at(d->events, port);
		if (!p || p->state == EVENT_RESERVED) {
			lock_drop(&d->events->lock);
			return -EINVAL;
		}
		remote = p->state == EVENT_INTERDOMAIN ? p->domain : d->id;
		lock_drop(&d->events->lock);
		if (remote != d->id)
			r = domain_find(remote);
		lock_both(d, r ? r : d);
		/* still what we looked at? */
		p = port_at(d->events, port);
		same = p && (p->state == EVENT_INTERDOMAIN ? p->domain : d->id) == remote;
		if (same)
			port_close(d, r, port);
		unlock_both(d, r ? r : d);
		if (same)
			return 0;
	}
}

#define CLOSE_STEP 16u

int event_reset(struct domain *d)
{
	struct event_table *t = d->events;
	unsigned n = 0;

	for (unsigned w = 0; w < ARRAY_SIZE(t->used); w++)
		for (uint64_t used = t->used[w] & ~(w == 0 ? 1ul : 0); used; used &= used - 1) {
			if (n++ == CLOSE_STEP)
				return -ERESTART;
			(void)event_close(d, w * 64 + bits_first(used));
		}
	return 0;
}

int event_end(struct domain *d)
{
	lock_take(&d->events->lock);
	d->events->ports = 0;
	lock_drop(&d->events->lock);
	return event_reset(d);
}

int event_send(struct domain *d, unsigned port)
{
	struct event_port *p;
	struct domain *r;

	LOCK_SCOPE(&d->events->lock); /* both locks are needed to close, so one keeps the binding */
	p = port_at(d->events, port);
	if (!p)
		return -EINVAL;
	switch (p->state) {
	case EVENT_INTERDOMAIN:
		r = p->domain == d->id ? d : domain_find(p->domain);
		if (r)
			port_deliver(r, p->peer);
		return 0;
	case EVENT_IPI:
		port_deliver(d, port);
		return 0;
	case EVENT_UNBOUND: /* the peer has gone, or is not there yet: lost, as it would be */
		return 0;
	}
	return -EINVAL;
}

int event_unmask(struct domain *d, unsigned port)
{
	struct event_table *t = d->events;
	uint64_t bit = BIT(port % 64);
	struct event_port *p;

	LOCK_SCOPE(&t->lock);
	p = port ? port_at(t, port) : t->port; /* 0 is no channel, but no error */
	if (!p)
		return -EINVAL;
	if (__atomic_fetch_and(&t->mask[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit &&
	    __atomic_load_n(&t->pending[port / 64], __ATOMIC_SEQ_CST) & bit)
		vcpu_deliver(d, p->vcpu, port / 64);
	return 0;
}

int event_bind_vcpu(struct domain *d, unsigned port, unsigned vcpu)
{
	struct event_port *p;

	if (vcpu >= d->vcpus_max || !d->vcpu[vcpu])
		return -ENOENT;
	LOCK_SCOPE(&d->events->lock);
	p = port_at(d->events, port);
	if (!p || p->state == EVENT_RESERVED || p->state == EVENT_IPI ||
	    (p->state == EVENT_VIRQ && virq_is_per_vcpu(p->peer)))
		return -EINVAL;
	p->vcpu = (uint8_t)vcpu;
	return 0;
}

int event_status(struct domain *d, unsigned port, struct event_port *out)
{
	LOCK_SCOPE(&d->events->lock);
	if (port >= d->events->ports)
		return -EINVAL;
	*out = d->events->port[port];
	return 0;
}

void event_raise_virq(struct domain *d, unsigned virq, unsigned vcpu)
{
	unsigned port;

	if (virq >= EVENT_VIRQS || vcpu >= MAX_VCPUS)
		return;
	LOCK_SCOPE(&d->events->lock);
	port = d->events->virq[virq][vcpu];
	if (port)
		port_deliver(d, port);
}

void event_register_vcpu(struct vcpu *v, uint8_t *upcall, uint64_t *selector)
{
	struct event_table *t = v->domain->events;

	LOCK_SCOPE(&t->lock);
	t->vcpus[v->id].upcall = upcall;
	t->vcpus[v->id].selector = selector;
	__atomic_store_n(selector, ~0ul, __ATOMIC_SEQ_CST);
	__atomic_store_n(upcall, 1, __ATOMIC_SEQ_CST);
	vcpu_mark_irq(v, v->domain->event_intid);
}

/* ---- SCHEDOP_poll ---------------------------------------------------------------------------------------------------- */
void event_poll(struct vcpu *v, const uint16_t *ports, unsigned count, uint64_t deadline)
{
	struct event_table *t = v->domain->events;

	t->vcpus[v->id].polled = count == 1 ? ports[0] : 0;
	__atomic_fetch_or(&t->polling, 1u << v->id,
			  __ATOMIC_SEQ_CST); /* before the ports are looked at */
	for (unsigned i = 0; i < count; i++)
		if (__atomic_load_n(&t->pending[ports[i] / 64], __ATOMIC_SEQ_CST) &
		    BIT(ports[i] % 64)) {
			__atomic_fetch_and(&t->polling, ~(1u << v->id), __ATOMIC_SEQ_CST);
			return;
		}
	sched_block_until(v, deadline);
	/* an event that came in between saw the bit in `polling`, but not yet a vCPU to be woken */
	if (!(__atomic_load_n(&t->polling, __ATOMIC_SEQ_CST) >> v->id & 1))
		vcpu_wake(v);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */
static int event_domain_create(struct domain *d)
{
	d->events = heap_pages(table_order());
	if (!d->events)
		return -ENOMEM;
	lock_init(&d->events->lock, LOCK_EVENTS);
	d->events->port[0].state = EVENT_RESERVED;
	d->events->used[0] = 1;
	d->events->ports = d->config.event_ports ? d->config.event_ports : EVENT_PORTS;
	return 0;
}

static void event_domain_destroy(struct domain *d)
{
	if (d->events)
		heap_free(d->events, table_order());
	d->events = NULL;
}

UNIT(event_unit) = {
	.name = "event",
	.domain_create = event_domain_create,
	.domain_destroy = event_domain_destroy,
};
