/* Event channels: the 2-level kind, 4096 ports of one bit each in a page that hypervisor and guest share. Lock order: the table
 * of the domain with the lower id first. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H
#include "core/vcpu.h"
#include "lib/lock.h"

#define EVENT_PORTS 4096u
#define EVENT_VIRQS 24u

/*  state        peer                      made by                 close makes it
 *  FREE         -                         -                       -
 *  UNBOUND      the domain that may bind  event_alloc_unbound     FREE
 *  INTERDOMAIN  domain and its port       event_bind_interdomain  FREE; the peer's becomes UNBOUND for us
 *  VIRQ         the virq                  event_bind_virq         FREE
 *  IPI          -                         event_bind_ipi          FREE
 * The numbers are those that EVTCHNOP_status shows, but for FREE and RESERVED (port 0). */
enum event_state {
	EVENT_FREE,
	EVENT_UNBOUND,
	EVENT_INTERDOMAIN,
	EVENT_RESERVED,
	EVENT_VIRQ,
	EVENT_IPI
};

struct event_port {
	uint8_t state;
	uint8_t vcpu;	 /* who is told */
	uint16_t domain; /* UNBOUND, INTERDOMAIN: the peer */
	uint16_t peer;	 /* INTERDOMAIN: its port; VIRQ: the virq */
};

/* Where vCPU's share of the words lies; NULL until it is registered: nothing is delivered then. */
struct event_vcpu {
	uint8_t *upcall;    /* evtchn_upcall_pending */
	uint64_t *selector; /* evtchn_pending_sel */
	uint16_t polled;    /* SCHEDOP_poll: the port that ends the wait; 0: any */
};

struct event_table {
	struct lock lock;
	uint64_t *pending, *mask; /* EVENT_PORTS bits each, shared with the guest */
	/* a port whose events the hypervisor takes itself: 0, or consumed() is called instead, with the sender's event lock held.
	 * The guest may not use the port. Set once, before the domain runs */
	uint16_t consumed_port;
	void (*consumed)(struct domain *d);
	uint32_t polling;	  /* bit = vCPU in SCHEDOP_poll */
	unsigned ports;		  /* that the domain may have, port 0 included; 0: it ends */
	uint64_t used[EVENT_PORTS / 64];
	struct event_vcpu vcpus[MAX_VCPUS];
	uint16_t virq[EVENT_VIRQS][MAX_VCPUS]; /* port, 0 = not bound */
	struct event_port port[EVENT_PORTS];
};

/* All return 0 or a negative errno, and take the locks themselves. `remote` is a domain id as a hypercall resolved it. */
int event_alloc_unbound(struct domain *d, uint16_t remote, unsigned *port);
int event_bind_interdomain(struct domain *d, uint16_t remote, unsigned remote_port, unsigned *port);
int event_bind_virq(struct domain *d, unsigned virq, unsigned vcpu, unsigned *port);
int event_bind_ipi(struct domain *d, unsigned vcpu, unsigned *port);
int event_close(struct domain *d, unsigned port);
int event_send(struct domain *d, unsigned port);
int event_unmask(struct domain *d, unsigned port);
int event_bind_vcpu(struct domain *d, unsigned port, unsigned vcpu);
int event_status(struct domain *d, unsigned port, struct event_port *out);
/* Closes every port, in steps: -ERESTART asks to be called again. */
int event_reset(struct domain *d);
/* The domain ends: the same for good. */
int event_end(struct domain *d);

/* Raises a virq (global ones: on vCPU 0). Any CPU; takes the domain's event lock. */
void event_raise_virq(struct domain *d, unsigned virq, unsigned vcpu);
/* The vCPU's words are here from now on; everything counts as pending once, as Xen does. */
void event_register_vcpu(struct vcpu *v, uint8_t *upcall, uint64_t *selector);
/* SCHEDOP_poll: v, which runs here, stops until one of the ports is pending or the counter reaches deadline (~0: never). With
 * several ports any event of the domain ends it. */
void event_poll(struct vcpu *v, const uint16_t *ports, unsigned count, uint64_t deadline);
/* After the guest enabled the PPI or was reset: delivers again what upcall_pending still says. */
void event_resample(struct vcpu *v);

#endif
