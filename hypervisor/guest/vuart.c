/* The SBSA Generic UART (Arm DEN 0029, appendix B: a subset of PL011 without baud rate or DMA). Its FIFOs are the two rings of a
 * xencons page (xen/io/console.h), which the console daemon of `backend` serves. The guest can write that page too, and so can the
 * daemon: the indices are only believed as far as they make sense. */
#include "core/event.h"
#include "core/memory.h"
#include "core/unit.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "lib/bits.h"
#include "lib/errno.h"

#define VUART_BASE 0x22000000ul /* GUEST_PL011_BASE and GUEST_VPL011_SPI of xen/arch-arm.h */
#define VUART_SPI  32u

enum { DR = 0x00, FR = 0x18, IMSC = 0x38, RIS = 0x3c, MIS = 0x40 };
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)
#define INT_RX	(1u << 4)
#define INT_TX	(1u << 5)
#define INT_RT	(1u << 6)

struct ring {
	char in[1024], out[2048];
	uint32_t in_cons, in_prod, out_cons, out_prod;
};

struct vuart {
	struct lock lock;
	struct domain *domain;
	struct page *page;
	struct ring *ring;
	unsigned port;
	uint32_t mask; /* IMSC */
};

/* Bytes that wait in a ring; more than it holds means that somebody wrote nonsense: then none. */
static uint32_t used(uint32_t produced, uint32_t consumed, uint32_t size)
{
	return produced - consumed <= size ? produced - consumed : 0;
}

static uint32_t received(const struct ring *r)
{
	return used(__atomic_load_n(&r->in_prod, __ATOMIC_ACQUIRE), ATOMIC_READ(r->in_cons),
		    sizeof(r->in));
}

static uint32_t unsent(const struct ring *r)
{
	return used(ATOMIC_READ(r->out_prod), __atomic_load_n(&r->out_cons, __ATOMIC_ACQUIRE),
		    sizeof(r->out));
}

/* Levels: half full, not empty; half empty. */
static uint32_t raw_interrupts(const struct ring *r)
{
	uint32_t in = received(r);

	return (in >= sizeof(r->in) / 2 ? INT_RX : 0) | (in > 0 ? INT_RT : 0) |
	       (unsent(r) <= sizeof(r->out) / 2 ? INT_TX : 0);
}

static uint32_t flags(const struct ring *r)
{
	uint32_t in = received(r), out = unsent(r);

	return (in == 0 ? FR_RXFE : 0) | (in == sizeof(r->in) ? FR_RXFF : 0) |
	       (out == 0 ? FR_TXFE : 0) | (out == sizeof(r->out) ? FR_TXFF : 0);
}

static void update_line(struct vuart *u)
{
	vgic_set_spi(u->domain, VUART_SPI, (raw_interrupts(u->ring) & u->mask) != 0);
}

static uint32_t take_byte(struct ring *r)
{
	uint32_t at = ATOMIC_READ(r->in_cons), byte;

	if (received(r) == 0)
		return 0;
	byte = (uint8_t)r->in[at % sizeof(r->in)];
	__atomic_store_n(&r->in_cons, at + 1, __ATOMIC_RELEASE);
	return byte;
}

/* A byte that finds the ring full is lost, as in a FIFO. */
static void put_byte(struct ring *r, char byte)
{
	uint32_t at = ATOMIC_READ(r->out_prod);

	if (unsent(r) >= sizeof(r->out))
		return;
	r->out[at % sizeof(r->out)] = byte;
	__atomic_store_n(&r->out_prod, at + 1, __ATOMIC_RELEASE);
}

/* Every register but DR: nothing changes by being looked at, so no lock is needed and no line moves. A guest polls FR. */
static uint32_t look(const struct vuart *u, uint64_t offset)
{
	switch (offset) {
	case FR:
		return flags(u->ring);
	case IMSC:
		return u->mask;
	case RIS:
		return raw_interrupts(u->ring);
	case MIS:
		return raw_interrupts(u->ring) & u->mask;
	}
	return 0;
}

static bool vuart_access(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	struct vuart *u = v->domain->vuart;

	if (!m->write && offset != DR) {
		m->value = look(u, offset);
		return true;
	}
	lock_take(&u->lock);
	if (!m->write)
		m->value = take_byte(u->ring);
	else if (offset == DR)
		put_byte(u->ring, (char)m->value);
	else if (offset == IMSC)
		u->mask = (uint32_t)m->value & (INT_RX | INT_TX | INT_RT);
	update_line(u);
	lock_drop(&u->lock);
	if (offset ==
	    DR) /* there is something to read, or room: the daemon wants to know. Its lock is outside of ours */
		(void)event_send(v->domain, u->port);
	return true;
}

/* The daemon moved an index. */
static void vuart_notified(struct domain *d)
{
	struct vuart *u = d->vuart;

	if (!u)
		return;
	lock_take(&u->lock);
	if (u->ring)
		update_line(u);
	lock_drop(&u->lock);
}

static int vuart_attach(struct domain *d, ipa_t ring, uint16_t backend, unsigned *port)
{
	struct vuart *u;
	pa_t pa;
	int error;

	if (d->vuart)
		return -EBUSY;
	if (d->config.spis == 0 || ring.raw % PAGE_SIZE)
		return -EINVAL;
	u = heap_pages(0);
	if (!u)
		return -ENOMEM;
	lock_init(&u->lock, LOCK_VUART);
	u->domain = d;
	error = memory_frame_get(d, ring, true, &pa, &u->page);
	if (error) {
		heap_free(u, 0);
		return -EINVAL;
	}
	u->ring = pa_to_va(pa);
	error = event_alloc_unbound(d, backend, port);
	if (!error)
		error = mmio_register(d, IPA(VUART_BASE), PAGE_SIZE, vuart_access);
	if (error) {
		page_put(u->page);
		heap_free(u, 0);
		return error;
	}
	u->port = *port;
	d->vuart = u;
	d->events->consumed = vuart_notified;
	__atomic_store_n(&d->events->consumed_port, (uint16_t)*port, __ATOMIC_RELEASE);
	return 0;
}

/* Its channel first, so that nobody notifies it any more. */
static int vuart_domain_relinquish(struct domain *d)
{
	struct vuart *u = d->vuart;

	if (!u || !u->ring)
		return 0;
	(void)event_close(d, u->port);
	lock_take(&u->lock);
	u->ring = NULL;
	lock_drop(&u->lock);
	page_put(u->page);
	return 0;
}

static void vuart_domain_destroy(struct domain *d)
{
	if (d->vuart)
		heap_free(d->vuart, 0);
	d->vuart = NULL;
}

UNIT(vuart_unit) = {
	.name = "vuart",
	.vuart_attach = vuart_attach,
	.domain_relinquish = vuart_domain_relinquish,
	.domain_destroy = vuart_domain_destroy,
};
