/* What the interrupt controller says of itself, and that it is as it says. Arm IHI 0069H, 12.8 to 12.11. */
#include "case.h"

#define CTLR_RWP  (1u << 31)
#define RD_RWP	  (1u << 3)
#define WAKER	  0x14
#define SETSPI	  0x40
#define CLRSPI	  0x48
#define SYNCR	  0xc0
#define PROPBASER 0x70
#define IROUTER	  0x6000

/* One more than the highest INTID. */
static unsigned intids(void)
{
	unsigned n = 32 * ((read32(GICD + 4) & 0x1f) + 1);

	return n < 1020 ? n : 1020;
}

static void frame_is_an_arm_gicv3(uint64_t frame)
{
	static const uint8_t component[4] = {0x0d, 0xf0, 0x05, 0xb1};

	EQUAL(read32(frame + 0xffe8) >> 4, 3);
	for (unsigned i = 0; i < 4; i++)
		EQUAL(read32(frame + 0xfff0 + 4 * i), component[i]);
}

CASE(ids_are_on_every_frame, 1)
{
	frame_is_an_arm_gicv3(GICD);
	for (unsigned i = 0; i < cpus_there; i++) {
		frame_is_an_arm_gicv3(RD(i));
		EQUAL(read32(RD(i) + 4) & 0xfff, read32(GICD + 8) & 0xfff);
	}
}

CASE(ids_type_tells_the_features, 1)
{
	uint32_t type = read32(GICD + 4);

	CHECK((type >> 19 & 0x1f) >= 9, type, 0);     /* the 10 bits that 1020 INTIDs need */
	EQUAL(type >> 17 & 1, read64(RD(0) + 8) & 1); /* LPIs: both or none */
	if (!(type >> 17 & 1)) {
		write64(RD(0) + PROPBASER, ~0ul);
		EQUAL(read64(RD(0) + PROPBASER), 0);
		EQUAL(read32(RD(0)) & 1, 0);
	}
	EQUAL(read32(RD(0) + SYNCR) & 1, 0);
}

CASE(ids_lines_end_where_the_type_says, 1)
{
	unsigned last = read32(GICD + 4) & 0x1f;

	for (unsigned n = last + 1; n < 32; n++) {
		write32(GICD + ISENABLER + 4 * n, ~0u);
		EQUAL(read32(GICD + ISENABLER + 4 * n), 0);
		write32(GICD + ISPENDR + 4 * n, ~0u);
		EQUAL(read32(GICD + ISPENDR + 4 * n), 0);
		write32(GICD + 0x400 + 32 * n, ~0u);
		EQUAL(read32(GICD + 0x400 + 32 * n), 0);
		write32(GICD + 0xc00 + 8 * n, ~0u);
		EQUAL(read32(GICD + 0xc00 + 8 * n), 0);
		write64(GICD + IROUTER + 256 * n, 1);
		EQUAL(read64(GICD + IROUTER + 256 * n), 0);
	}
}

CASE(ids_last_interrupt_works, 1)
{
	unsigned intid = intids() - 1;

	CHECK(intid < sizeof(taken[0].count) / sizeof(taken[0].count[0]), intid, 0);
	gic_edge(intid, true);
	gic_route(intid, 0);
	gic_enable(intid, 0xa0);
	irq_enable();
	gic_set(intid, ISPENDR);
	CHECK(WAIT_FOR(COUNT(intid) == 1), COUNT(intid), 0);
	gic_disable(intid);
	gic_edge(intid, false);
}

CASE(ids_redistributors_are_awake_when_told_so, 1)
{
	for (unsigned i = 0; i < cpus_there; i++) {
		write32(RD(i) + WAKER, read32(RD(i) + WAKER) & ~2u);
		CHECK(WAIT_FOR(!(read32(RD(i) + WAKER) & 4)), i, read32(RD(i) + WAKER));
	}
}

CASE(ids_private_interrupts_are_not_the_distributors, 1)
{
	static const uint16_t at[] = {0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380,
				      0x400, 0x41c, 0x800, 0x81c, 0xc00, 0xc04, 0xd00,
				      0xe00, 0xf00, 0xf10, 0xf1c, 0xf20, 0xf2c};

	gic_enable(3, 0xa0);
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		write32(GICD + at[i], ~0u);
		EQUAL(read32(GICD + at[i]), 0);
	}
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	gic_sgi_self(3);
	CHECK(WAIT_FOR(COUNT(3) == 1), COUNT(3), 0);
}

CASE(ids_affinity_routing_cannot_be_switched_off, 1)
{
	write32(GICD, 0);
	EQUAL(read32(GICD) & 0x12, 0x10);
	write32(GICD, 0x2);
	EQUAL(read32(GICD) & 0x12, 0x12);
}

CASE(ids_writes_are_over_soon, 1)
{
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_enable(3, 0xa0);
	gic_set(SPI, ISPENDR);
	gic_sgi_self(3);
	settle();
	gic_disable(SPI);
	CHECK(WAIT_FOR(!(read32(GICD) & CTLR_RWP)), read32(GICD), 0);
	gic_disable(3);
	CHECK(WAIT_FOR(!(read32(RD(0)) & RD_RWP)), read32(RD(0)), 0);
	/* from here on they cannot be acknowledged */
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 1023);
	write32(GICD, 0x10);
	CHECK(WAIT_FOR(!(read32(GICD) & CTLR_RWP)), read32(GICD), 0);
}

CASE(ids_messages_make_interrupts_pending_if_there_are_any, 1)
{
	bool messages = read32(GICD + 4) >> 16 & 1;

	gic_edge(SPI, true);
	write32(GICD + SETSPI, SPI);
	EQUAL(gic_get(SPI, ISPENDR), messages);
	write32(GICD + CLRSPI, SPI);
	EQUAL(gic_get(SPI, ISPENDR), 0);
}

CASE(ids_every_interrupt_has_a_priority, 1)
{
	uint32_t mask = 0;

	write8(SGI(0) + 0x400, 0xff);
	mask = read8(SGI(0) + 0x400) * 0x01010101u;
	EQUAL(mask >> 7 & 1, 1); /* the high bits, without a gap */
	EQUAL((~mask & 0xff) & ((~mask & 0xff) + 1), 0);
	for (unsigned i = 0; i < intids(); i += 4) {
		uint64_t at = (i < 32 ? SGI(0) : GICD) + 0x400 + i;

		write32(at, ~0u);
		EQUAL(read32(at), mask);
		write32(at, 0);
		EQUAL(read32(at), 0);
		write8(at + 3, 0xa0);
		EQUAL(read32(at), 0xa0000000);
		write32(at, 0xa0a0a0a0);
	}
	for (unsigned i = 1; i < cpus_there; i++) {
		write32(SGI(i) + 0x41c, ~0u);
		EQUAL(read32(SGI(i) + 0x41c), mask);
		write32(SGI(i) + 0x41c, 0xa0a0a0a0);
	}
}

CASE(ids_every_interrupt_is_enabled_and_disabled, 1)
{
	for (unsigned n = 0; n < intids() / 32; n++) {
		uint64_t at = (n == 0 ? SGI(0) : GICD) + 4 * n;

		EQUAL(read32(at + ISENABLER), 0);
		for (uint32_t bit = 1; bit; bit <<= 1) {
			write32(at + ISENABLER, bit);
			EQUAL(read32(at + ISENABLER), bit);
			EQUAL(read32(at + ICENABLER), bit);
			write32(at + ICENABLER, bit);
			EQUAL(read32(at + ICENABLER), 0);
		}
	}
}

/* ---- GICD_IROUTER -------------------------------------------------------------------------------------------------------- */
CASE(route_to_nobody_keeps_it_pending, 1)
{
	static const uint64_t nobody[] = {0x0f, 0xff, 0xff00, 0x10000, 0xffff00};

	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	irq_enable();
	for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		taken_clear();
		write64(GICD + IROUTER + SPI * 8, nobody[i]);
		EQUAL(read64(GICD + IROUTER + SPI * 8), nobody[i]);
		gic_set(SPI, ISPENDR);
		settle();
		EQUAL(COUNT(SPI), 0);
		CHECK(gic_get(SPI, ISPENDR), i, 0);
		gic_route(SPI, 0);
		CHECK(WAIT_FOR(COUNT(SPI) == 1), COUNT(SPI), i);
		CHECK(!gic_get(SPI, ISPENDR) && !gic_get(SPI, ISACTIVER), i, 0);
	}
}

static unsigned takers(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < cpus_there; i++)
		n += taken[i].count[SPI];
	return n;
}

CASE(route_to_any_cpu_goes_to_one_if_there_is_such_a_thing, 2)
{
	bool not_there = read32(GICD + 4) >> 25 & 1; /* TYPER.No1N */

	CHECK(workers_start(), 0, 0);
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	irq_enable();
	write64(GICD + IROUTER + SPI * 8, 1ul << 31);
	EQUAL(read64(GICD + IROUTER + SPI * 8) >> 31, !not_there);
	for (unsigned i = 1; i <= 10; i++) {
		gic_set(SPI, ISPENDR);
		CHECK(WAIT_FOR(takers() == i), takers(), i);
	}
	settle();
	EQUAL(takers(), 10);
	EQUAL(not_there ? taken[0].count[SPI] : 10, 10);
}

CASE(route_changed_while_active_is_for_the_next_one, 2)
{
	CHECK(workers_start(), 0, 0);
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_set(SPI, ISPENDR);
	settle();
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, SPI);
	gic_route(SPI, 1);
	gic_set(SPI, ISPENDR);
	settle();
	CHECK(gic_get(SPI, ISPENDR) && gic_get(SPI, ISACTIVER), gic_get(SPI, ISPENDR),
	      gic_get(SPI, ISACTIVER));
	EQUAL(taken[1].count[SPI], 0);
	icc_write(ICC_EOIR1, SPI);
	CHECK(WAIT_FOR(taken[1].count[SPI] == 1), taken[1].count[SPI], 0);
	CHECK(!gic_get(SPI, ISPENDR), 0, 0);
	CHECK(WAIT_FOR(!gic_get(SPI, ISACTIVER)), 0, 0);
	EQUAL(taken[0].total, 0);
}
