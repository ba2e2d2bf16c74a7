/* Rows that need a second domain: an emulated UART's register, an event to another domain and back, a switch from one vCPU to
 * another. Dom0 makes a domain and copies this very image into it, which sees by x0 that it is the guest. Both sides wait in WFI,
 * interrupts masked, for the interrupt of the event channels, as a kernel's idle loop does. */
#include "bench.h"
#include "domu.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

#define IS_DOMU	   1u /* x0 of the guest; Dom0's is the address of a device tree */
#define PAGES	   64u
#define RING	   (62u * 4096) /* in the guest's memory: the UART's ring, and what it tells Dom0 */
#define REPORT	   (63u * 4096)
#define EVENTS	   16384u /* rounds */
#define YIELDS	   16384u
#define UART_FLAGS (GUEST_PL011_BASE + 0x18)

struct report {
	uint64_t port; /* of the guest, bound to Dom0's */
	uint64_t uart_ticks, nothing;
	volatile uint64_t turns; /* how often it came to its turn and gave it away */
};

extern char _start[], bss_begin[], bss_end[];
static volatile uint8_t window[PAGES * 4096]
	__attribute__((section(".window,\"aw\",@nobits//"), aligned(4096)));

/* ---- events ------------------------------------------------------------------------------------------------------------- */
/* Ends the interrupt if there is one; true: there was. */
static bool upcall_end(void)
{
	uint64_t intid = icc_read(ICC_IAR1) & 0xffffff;

	*(volatile uint8_t *)&shared_info.vcpu_info[0].evtchn_upcall_pending = 0;
	(void)__atomic_exchange_n(&shared_info.vcpu_info[0].evtchn_pending_sel, 0,
				  __ATOMIC_SEQ_CST);
	if (intid >= 1020)
		return false;
	icc_write(ICC_EOIR1, intid);
	return true;
}

static bool event_is_pending(unsigned port)
{
	return __atomic_load_n(&shared_info.evtchn_pending[port / 64], __ATOMIC_SEQ_CST) >>
		       port % 64 &
	       1;
}

static void event_wait(unsigned port)
{
	while (!event_is_pending(port))
		wfi();
	(void)upcall_end();
	__atomic_fetch_and(&shared_info.evtchn_pending[port / 64], ~(1ul << port % 64),
			   __ATOMIC_SEQ_CST);
}

static void event_send(unsigned port)
{
	struct evtchn_send send = {.port = port};

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (uint64_t)&send, 0);
}

/* From here on the port interrupts; what came before is forgotten. */
static void event_open(unsigned port)
{
	__atomic_fetch_and(&shared_info.evtchn_mask[port / 64], ~(1ul << port % 64),
			   __ATOMIC_SEQ_CST);
	shared_info.evtchn_pending[port / 64] = 0;
	while (upcall_end())
		;
}

static void yield(void)
{
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

/* ---- the guest ------------------------------------------------------------------------------------------------------------ */
static void guest_gic(void)
{
	uint64_t own = GUEST_GICV3_GICR0_BASE + 0x10000;

	write32(GUEST_GICV3_GICD_BASE, 0x12);
	gic_cpu_init();
	write8(own + 0x400 + GUEST_EVTCHN_PPI, 0x80);
	write32(own + ISENABLER, 1u << GUEST_EVTCHN_PPI);
}

void domu_main(void)
{
	struct report *r = (struct report *)(DOMU_RAM + REPORT);
	unsigned port = (unsigned)r->port;

	if (guest_tree != IS_DOMU)
		return;
	shared_info_show();
	guest_gic();
	event_open(port);
	calibrate();
	r->nothing = nothing;
	r->uart_ticks = SUM(, "", "ldr w0, [%[a]]\n", UART_FLAGS, );
	event_send(port);
	for (unsigned i = 0; i < EVENTS + 1; i++) {
		event_wait(port);
		event_send(port);
	}
	for (;;) {
		r->turns++;
		yield();
	}
}

/* ---- Dom0 ----------------------------------------------------------------------------------------------------------------- */
/* A channel between Dom0 and the guest; the number of Dom0's end, *theirs of the other one. */
static unsigned connect(const struct domu *d, uint64_t *theirs)
{
	struct evtchn_alloc_unbound alloc = {.dom = d->id, .remote_dom = 0};
	struct evtchn_bind_interdomain bind = {.remote_dom = d->id};
	struct xen_hvm_param irq = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ};

	must("alloc_unbound",
	     hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uint64_t)&alloc, 0),
	     0);
	bind.remote_port = alloc.port;
	must("bind_interdomain",
	     hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, (uint64_t)&bind,
		       0),
	     0);
	must("callback", hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (uint64_t)&irq, 0), 0);
	gic_enable((unsigned)irq.value & 0xff, 0x80);
	event_open(bind.local_port);
	*theirs = alloc.port;
	return bind.local_port;
}

static void uart_make(const struct domu *d)
{
	static xen_domctl_t op;

	op.u.vuart_op = (struct xen_domctl_vuart_op){.cmd = XEN_DOMCTL_VUART_OP_INIT,
						     .type = XEN_DOMCTL_VUART_TYPE_VPL011,
						     .gfn = (DOMU_RAM + RING) >> 12};
	must("vuart_op", domctl(d->id, XEN_DOMCTL_vuart_op, &op), 0);
}

static void image_copy(const struct domu *d)
{
	uint64_t size = (uint64_t)(bss_begin - _start);

	must("size", bss_end - _start <= RING, true);
	for (uint64_t at = 0; at < PAGES * 4096; at += 8)
		*(volatile uint64_t *)(d->window + at) = at < size ? *(uint64_t *)(_start + at) : 0;
}

/* After shared_info_show(). */
void domains(void)
{
	static struct domu d = {.pages = PAGES, .window = window};
	struct report *r = (struct report *)(window + REPORT);
	uint64_t from, ticks, turns;
	unsigned port;

	domu_make(&d, 0, 1);
	image_copy(&d);
	uart_make(&d);
	port = connect(&d, &r->port);
	domu_flush(window, sizeof(window));
	domu_context(&d, DOMU_RAM, IS_DOMU, 0);
	domu_unpause(&d);
	event_wait(port); /* the guest has done its rounds with nobody else there */
	row("vuart_read", r->uart_ticks, r->nothing * 16);

	from = counter();
	for (unsigned i = 0; i < EVENTS; i++) {
		event_send(port);
		event_wait(port);
	}
	row_print("event_round_trip", (counter() - from) * 1600 / EVENTS);
	event_send(port);
	event_wait(port);

	for (unsigned i = 0; i < 64; i++)
		yield();
	turns = r->turns;
	from = counter();
	for (unsigned i = 0; i < YIELDS; i++)
		yield();
	ticks = counter() - from;
	turns = r->turns - turns;
	/* as many turns as those of the other one: every call was a switch */
	print("%u turns against %u", turns, (uint64_t)YIELDS);
	if (turns <= YIELDS + 8 && turns + 8 >= YIELDS)
		row_print("context_switch", ticks * 1600 / (2 * YIELDS));
	domu_destroy(&d);
}
