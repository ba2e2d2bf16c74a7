#include "calls.h"
#include <xen/event_channel.h>

#define FREE 2000u /* a port that is in no use, beyond what a domain of the toolstack's has */
#define FAR  (1u << 20)
#define NEG  (1u << 31)

/* The port that a call just made is closed again. */
static long bound(long result, uint32_t port)
{
	if (result == 0)
		EVENT(EVTCHNOP_close, evtchn_close, {.port = port});
	return result;
}

static long alloc_unbound(uint16_t domain, uint16_t remote)
{
	long result = EVENT(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound,
			    {.dom = domain, .remote_dom = remote});

	/* a port of another domain's is not ours to close, and goes with it */
	return domain == dom ? result
			     : bound(result, ((struct evtchn_alloc_unbound *)(void *)buffer)->port);
}

static long bind_virq(uint32_t virq, uint32_t vcpu)
{
	long result = EVENT(EVTCHNOP_bind_virq, evtchn_bind_virq, {.virq = virq, .vcpu = vcpu});

	return bound(result, ((struct evtchn_bind_virq *)(void *)buffer)->port);
}

static void rows_ports(void)
{
	static const struct {
		const char *name;
		uint32_t port;
	} ports[] = {{"0", 0},	   {"free", FREE},    {"4096", 4096},
		     {"far", FAR}, {"negative", NEG}, {"last", ~0u}};

	for (unsigned i = 0; i < COUNT(ports); i++) {
		const struct kind k = {ports[i].name, 0};
		uint32_t port = ports[i].port;

		row_kind("close", &k, EVENT(EVTCHNOP_close, evtchn_close, {.port = port}));
		row_kind("send", &k, EVENT(EVTCHNOP_send, evtchn_send, {.port = port}));
		row_kind("unmask", &k, EVENT(EVTCHNOP_unmask, evtchn_unmask, {.port = port}));
		row_kind("bind-vcpu", &k,
			 EVENT(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, {.port = port}));
		row_kind("bind-vcpu-99", &k,
			 EVENT(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, {.port = port, .vcpu = 99}));
		row_kind("priority", &k,
			 EVENT(EVTCHNOP_set_priority, evtchn_set_priority, {.port = port}));
		row_kind("status", &k,
			 EVENT(EVTCHNOP_status, evtchn_status, {.dom = DOMID_SELF, .port = port}));
		row_kind("bind-other", &k,
			 EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
			       {.remote_dom = dom, .remote_port = port}));
		row_kind("bind-self", &k,
			 EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
			       {.remote_dom = DOMID_SELF, .remote_port = port}));
	}
}

static void rows_domains(void)
{
	FOR(k, 0)
	{
		row_kind("alloc-of", k, alloc_unbound(k->id, DOMID_SELF));
		row_kind("alloc-for", k, alloc_unbound(DOMID_SELF, k->id));
		row_kind("status-1-of", k,
			 EVENT(EVTCHNOP_status, evtchn_status, {.dom = k->id, .port = 1}));
		row_kind("status-far-of", k,
			 EVENT(EVTCHNOP_status, evtchn_status, {.dom = k->id, .port = FAR}));
		row_kind("bind-free-of", k,
			 EVENT(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain,
			       {.remote_dom = k->id, .remote_port = FREE}));
	}
	FOR(k, OTHERS + privileged) /* a reset of one's own channels is the end of the console */
	row_kind("reset", k, EVENT(EVTCHNOP_reset, evtchn_reset, {.dom = k->id}));
}

static void rows_bindings(void)
{
	static const uint32_t vcpus[] = {1, 99, 1u << 31};

	for (unsigned i = 0; i < COUNT(vcpus); i++) {
		row_number("ipi-vcpu", i,
			   EVENT(EVTCHNOP_bind_ipi, evtchn_bind_ipi,
				 {.vcpu = privileged ? 99 : vcpus[i]}));
		row_number("virq-timer-vcpu", i, bind_virq(VIRQ_TIMER, privileged ? 99 : vcpus[i]));
		row_number("virq-console-vcpu", i, bind_virq(VIRQ_CONSOLE, vcpus[i]));
	}
	row("virq-24", bind_virq(24, 0));
	row("virq-negative", bind_virq(NEG, 0));
	row("virq-24-vcpu-99", bind_virq(24, 99));
	for (unsigned i = 0; i < 24 && !privileged; i++)
		row_number("virq", i, bind_virq(i, 0));
	for (unsigned i = 0; i < 4; i++)
		row_number("pirq", i,
			   EVENT(EVTCHNOP_bind_pirq, evtchn_bind_pirq,
				 {.pirq = i ? 1u << (i * 10) : 40, .flags = i}));
}

void rows_events(void)
{
	for (unsigned i = 0; i < 16; i++)
		row_number("event-fault", i,
			   call(__HYPERVISOR_event_channel_op, i, UNMAPPED, 0, 0));
	row("event-unknown", event(99, "", 1));
	row("event-negative", event(~0u, "", 1));
	row("event-upper-bits",
	    call(__HYPERVISOR_event_channel_op, HIGH | EVTCHNOP_close, UNMAPPED, 0, 0));
	row("fifo-vcpu-99", EVENT(EVTCHNOP_init_control, evtchn_init_control, {.vcpu = 99}));
	row("fifo-offset", EVENT(EVTCHNOP_init_control, evtchn_init_control, {.offset = 4095}));
	row("fifo-expand",
	    EVENT(EVTCHNOP_expand_array, evtchn_expand_array, {.array_gfn = ~0ul >> 12}));
	rows_ports();
	rows_domains();
	rows_bindings();
}
