/* Registers of the interrupt controller, and the states of an interrupt on one CPU. Arm IHI 0069H. */
#include "case.h"

CASE(vgic_identifies_itself_as_gicv3, 1)
{
	uint64_t typer = read64(RD(0) + 8);

	EQUAL(read32(GICD + 0xffe8) >> 4 & 0xf, 3);
	EQUAL(read32(RD(0) + 0xffe8) >> 4 & 0xf, 3);
	CHECK(read32(GICD + 8) != 0, 0, 0);
	CHECK(read32(RD(0) + 4) != 0, 0, 0);
	CHECK((read32(GICD + 4) & 0x1f) >= 1, read32(GICD + 4), 0);
	EQUAL(read32(GICD) & 0x10, 0x10); /* ARE_NS */
	EQUAL(typer >> 32, 0);
	EQUAL(typer >> 8 & 0xffff, 0);
	EQUAL(read32(RD(0) + 8), (uint32_t)typer);
	EQUAL(read32(RD(0) + 12), typer >> 32);
}

CASE(vgic_redistributors_carry_affinity_and_last, 2)
{
	for (unsigned i = 0; i < cpus_there; i++) {
		uint64_t typer = read64(RD(i) + 8);

		EQUAL(typer >> 32, i);
		EQUAL(typer >> 4 & 1, i == cpus_there - 1);
	}
}

CASE(vgic_reads_of_any_register_do_not_fault, 1)
{
	struct cpu *c = cpu_this();

	c->expect = true;
	for (unsigned at = 0; at < 0x10000; at += 4)
		read32(GICD + at);
	for (unsigned at = 0; at < 0x20000; at += 4)
		read32(RD(0) + at);
	c->expect = false;
	EQUAL(c->caught, 0);
}

CASE(vgic_reserved_registers_read_zero_and_ignore_writes, 1)
{
	static const uint32_t at[] = {0x00c,  0x014,  0x020,  0x03c,  0x044,	  0x04c,  0x07c,
				      0x080,  0x0fc,  0x800,  0x820,  0xbfc,	  0xd00,  0xd7c,
				      0xe00,  0xf00,  0xf10,  0xf20,  0xfff & ~3, 0x1000, 0x5ffc,
				      0x6000, 0x60f8, 0x8000, 0xbffc, 0xffcc};
	static const uint32_t red[] = {0x001c,	0x00fc,	 0x0100,  0xffcc,  0x10000,
				       0x1007c, 0x10104, 0x10204, 0x10304, 0x10420,
				       0x10800, 0x10c08, 0x11000, 0x1ffcc};
	struct cpu *c = cpu_this();

	c->caught = 0;
	c->expect = true;
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		write32(GICD + at[i], ~0u);
		EQUAL(read32(GICD + at[i]), 0);
	}
	for (unsigned i = 0; i < sizeof(red) / sizeof(red[0]); i++) {
		write32(RD(0) + red[i], ~0u);
		EQUAL(read32(RD(0) + red[i]), 0);
	}
	c->expect = false;
	EQUAL(c->caught, 0);
}

CASE(vgic_read_only_registers_ignore_writes, 1)
{
	static const uint32_t at[] = {0x4, 0x8, 0xffe0, 0xffe8, 0xfff0};

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint32_t was = read32(GICD + at[i]);

		write32(GICD + at[i], ~was);
		EQUAL(read32(GICD + at[i]), was);
	}
}

CASE(vgic_accesses_of_every_size_do_not_fault, 1)
{
	struct cpu *c = cpu_this();

	c->caught = 0;
	c->expect = true;
	for (unsigned at = 0; at < 0x1000; at += 8) {
		read8(GICD + at);
		read16(GICD + at);
		read64(GICD + at);
		read8(SGI(0) + at);
		read16(SGI(0) + at);
		read64(SGI(0) + at);
	}
	write8(GICD + 0x104, 0xff);
	write16(GICD + 0x104, 0xffff);
	write64(GICD + 0x80, ~0ul);
	c->expect = false;
	EQUAL(c->caught, 0);
}

CASE(vgic_priorities_are_bytes_and_words, 1)
{
	uint64_t at = GICD + 0x400 + SPI;
	uint32_t mask;

	write8(at, 0xff);
	mask = read8(at);
	CHECK((mask & 0xf0) == 0xf0, mask, 0); /* at least 16 levels */
	write32(at, 0x10203040);
	EQUAL(read8(at), 0x40);
	EQUAL(read8(at + 1), 0x30);
	EQUAL(read8(at + 2), 0x20);
	EQUAL(read8(at + 3), 0x10);
	write8(at + 2, 0xe0);
	EQUAL(read32(at), 0x10e03040);
	write8(SGI(0) + 0x400 + 5, 0x50);
	EQUAL(read8(SGI(0) + 0x405), 0x50);
	EQUAL(read32(SGI(0) + 0x404) >> 8 & 0xff, 0x50);
}

CASE(vgic_routes_are_read_back_in_both_sizes, 2)
{
	uint64_t at = GICD + 0x6000 + SPI * 8;

	write64(at, 1);
	EQUAL(read64(at), 1);
	EQUAL(read32(at), 1);
	EQUAL(read32(at + 4), 0);
	write32(at, 0);
	EQUAL(read64(at), 0);
}

CASE(vgic_enables_are_set_and_cleared_bit_by_bit, 1)
{
	uint64_t at = GICD + SPI / 32 * 4;

	write32(at + ISENABLER, 0x50);
	EQUAL(read32(at + ISENABLER) & 0xf0, 0x50);
	EQUAL(read32(at + ICENABLER) & 0xf0, 0x50);
	write32(at + ISENABLER, 0x20);
	EQUAL(read32(at + ISENABLER) & 0xf0, 0x70);
	write32(at + ICENABLER, 0x10);
	EQUAL(read32(at + ISENABLER) & 0xf0, 0x60);
}

CASE(vgic_triggers_are_two_bits_each, 1)
{
	uint64_t at = GICD + 0xc00 + 112 / 16 * 4;

	write32(at, 0xaaaaaaaa);
	EQUAL(read32(at), 0xaaaaaaaa);
	write32(at, 0x88888888);
	EQUAL(read32(at), 0x88888888);
	write32(at, 0);
	EQUAL(read32(at), 0);
	write32(SGI(0) + 0xc00, 0);
	EQUAL(read32(SGI(0) + 0xc00), 0xaaaaaaaa); /* SGIs are edges */
}

CASE(vgic_delivers_an_sgi_to_self, 1)
{
	gic_enable(3, 0xa0);
	irq_enable();
	gic_sgi_self(3);
	CHECK(WAIT_FOR(COUNT(3) == 1), COUNT(3), 0);
	settle();
	EQUAL(COUNT(3), 1);
	EQUAL(taken[0].total, 1);
}

CASE(vgic_holds_a_disabled_sgi_pending, 1)
{
	gic_priority(4, 0xa0);
	irq_enable();
	gic_sgi_self(4);
	settle();
	EQUAL(COUNT(4), 0);
	CHECK(gic_get(4, ISPENDR) && gic_get(4, ICPENDR), 0, 0);
	gic_set(4, ISENABLER);
	CHECK(WAIT_FOR(COUNT(4) == 1), COUNT(4), 0);
	CHECK(!gic_get(4, ISPENDR), 0, 0);
}

CASE(vgic_sgi_pending_is_set_and_cleared_by_software, 1)
{
	gic_set(5, ISPENDR);
	CHECK(gic_get(5, ISPENDR), 0, 0);
	gic_set(5, ICPENDR);
	CHECK(!gic_get(5, ISPENDR), 0, 0);
	gic_enable(5, 0xa0);
	gic_set(5, ISPENDR);
	CHECK(gic_get(5, ISPENDR), 0, 0);
	gic_set(5, ICPENDR); /* it was in a list register by now */
	CHECK(!gic_get(5, ISPENDR), 0, 0);
	irq_enable();
	settle();
	EQUAL(COUNT(5), 0);
	gic_set(5, ISPENDR);
	CHECK(WAIT_FOR(COUNT(5) == 1), COUNT(5), 0);
}

static bool active_seen, pending_seen;
static void look_at_state(unsigned intid)
{
	active_seen = gic_get(intid, ISACTIVER) && gic_get(intid, ICACTIVER);
	pending_seen = gic_get(intid, ISPENDR);
}

CASE(vgic_active_while_it_is_handled, 1)
{
	in_handler = look_at_state;
	gic_enable(6, 0xa0);
	irq_enable();
	gic_sgi_self(6);
	CHECK(WAIT_FOR(COUNT(6) == 1), COUNT(6), 0);
	CHECK(active_seen && !pending_seen, active_seen, pending_seen);
	CHECK(!gic_get(6, ISACTIVER), 0, 0);
}

static void again_once(unsigned intid)
{
	if (COUNT(intid) == 1) {
		gic_sgi_self(intid);
		look_at_state(intid);
	}
}

CASE(vgic_sgi_pending_and_active_comes_again_after_its_end, 1)
{
	in_handler = again_once;
	gic_enable(7, 0xa0);
	irq_enable();
	gic_sgi_self(7);
	CHECK(WAIT_FOR(COUNT(7) == 2), COUNT(7), 0);
	CHECK(active_seen && pending_seen, active_seen, pending_seen);
	settle();
	EQUAL(COUNT(7), 2);
}

CASE(vgic_eoimode1_keeps_active_until_deactivated, 1)
{
	icc_write(ICC_CTLR, 2);
	keep_active = true;
	gic_enable(8, 0xa0);
	irq_enable();
	gic_sgi_self(8);
	CHECK(WAIT_FOR(COUNT(8) == 1), COUNT(8), 0);
	CHECK(gic_get(8, ISACTIVER), 0, 0);
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff); /* the priority was dropped */
	gic_sgi_self(8);
	settle();
	EQUAL(COUNT(8), 1);
	icc_write(ICC_DIR, 8);
	CHECK(WAIT_FOR(COUNT(8) == 2), COUNT(8), 0);
	icc_write(ICC_DIR, 8);
	CHECK(!gic_get(8, ISACTIVER), 0, 0);
}

CASE(vgic_eoimode1_lets_others_of_the_priority_in_after_the_drop, 1)
{
	icc_write(ICC_CTLR, 2);
	keep_active = true;
	gic_enable(8, 0xa0);
	gic_enable(9, 0xa0);
	irq_enable();
	gic_sgi_self(8);
	gic_sgi_self(9);
	CHECK(WAIT_FOR(COUNT(8) == 1 && COUNT(9) == 1), COUNT(8), COUNT(9));
	CHECK(gic_get(8, ISACTIVER) && gic_get(9, ISACTIVER), 0, 0);
	icc_write(ICC_DIR, 8);
	icc_write(ICC_DIR, 9);
}

CASE(vgic_software_clears_active, 1)
{
	icc_write(ICC_CTLR, 2);
	keep_active = true;
	gic_enable(9, 0xa0);
	irq_enable();
	gic_sgi_self(9);
	CHECK(WAIT_FOR(COUNT(9) == 1), COUNT(9), 0);
	gic_set(9, ICACTIVER);
	CHECK(!gic_get(9, ISACTIVER), 0, 0);
	gic_sgi_self(9);
	CHECK(WAIT_FOR(COUNT(9) == 2), COUNT(9), 0);
	gic_set(9, ICACTIVER);
}

CASE(vgic_software_active_holds_an_sgi_back, 1)
{
	gic_enable(10, 0xa0);
	gic_set(10, ISACTIVER);
	CHECK(gic_get(10, ISACTIVER), 0, 0);
	irq_enable();
	gic_sgi_self(10);
	settle();
	EQUAL(COUNT(10), 0);
	CHECK(gic_get(10, ISPENDR), 0, 0);
	gic_set(10, ICACTIVER);
	CHECK(WAIT_FOR(COUNT(10) == 1), COUNT(10), 0);
}

/* ---- SPIs -------------------------------------------------------------------------------------------------------------- */
static void spi_edge_and_level(bool edge)
{
	gic_edge(SPI, edge);
	gic_set(SPI, ISPENDR);
	CHECK(gic_get(SPI, ISPENDR), edge, 0);
	irq_enable();
	settle();
	EQUAL(COUNT(SPI), 0);
	gic_enable(SPI, 0xa0);
	CHECK(WAIT_FOR(COUNT(SPI) == 1), COUNT(SPI), edge);
	settle();
	EQUAL(COUNT(SPI), 1);
	CHECK(!gic_get(SPI, ISPENDR) && !gic_get(SPI, ISACTIVER), edge, 0);
	gic_set(SPI, ISPENDR);
	CHECK(WAIT_FOR(COUNT(SPI) == 2), COUNT(SPI), edge);
	irq_disable();
	gic_set(SPI, ISPENDR);
	settle();
	gic_set(SPI, ICPENDR);
	CHECK(!gic_get(SPI, ISPENDR), edge, 0);
	irq_enable();
	settle();
	EQUAL(COUNT(SPI), 2);
}
CASE(vgic_spi_edge_is_pended_by_software, 1)
{
	spi_edge_and_level(true);
}
CASE(vgic_spi_level_is_pended_by_software, 1)
{
	spi_edge_and_level(false);
}

static void spi_again_once(unsigned intid)
{
	if (COUNT(intid) == 1) {
		gic_set(intid, ISPENDR);
		settle();
		look_at_state(intid);
	}
}

CASE(vgic_spi_pended_while_active_comes_again, 1)
{
	gic_edge(SPI + 1, true);
	in_handler = spi_again_once;
	gic_enable(SPI + 1, 0xa0);
	irq_enable();
	gic_set(SPI + 1, ISPENDR);
	CHECK(WAIT_FOR(COUNT(SPI + 1) == 2), COUNT(SPI + 1), 0);
	CHECK(active_seen && pending_seen, active_seen, pending_seen);
	settle();
	EQUAL(COUNT(SPI + 1), 2);
}

CASE(vgic_spi_active_by_software_is_held_back, 1)
{
	gic_edge(SPI + 2, true);
	gic_enable(SPI + 2, 0xa0);
	gic_set(SPI + 2, ISACTIVER);
	irq_enable();
	gic_set(SPI + 2, ISPENDR);
	settle();
	EQUAL(COUNT(SPI + 2), 0);
	CHECK(gic_get(SPI + 2, ISACTIVER), 0, 0);
	CHECK(gic_get(SPI + 2, ISPENDR), 0, 0);
	gic_set(SPI + 2, ICACTIVER);
	CHECK(WAIT_FOR(COUNT(SPI + 2) == 1), COUNT(SPI + 2), 0);
	CHECK(!gic_get(SPI + 2, ISACTIVER), 0, 0);
	gic_set(SPI + 2, ISPENDR);
	CHECK(WAIT_FOR(COUNT(SPI + 2) == 2), COUNT(SPI + 2), 0);
}

CASE(vgic_spi_eoimode1_is_deactivated_apart, 1)
{
	icc_write(ICC_CTLR, 2);
	keep_active = true;
	gic_edge(SPI + 3, true);
	gic_enable(SPI + 3, 0xa0);
	irq_enable();
	gic_set(SPI + 3, ISPENDR);
	CHECK(WAIT_FOR(COUNT(SPI + 3) == 1), COUNT(SPI + 3), 0);
	CHECK(gic_get(SPI + 3, ISACTIVER), 0, 0);
	gic_set(SPI + 3, ISPENDR);
	settle();
	EQUAL(COUNT(SPI + 3), 1);
	icc_write(ICC_DIR, SPI + 3);
	CHECK(WAIT_FOR(COUNT(SPI + 3) == 2), COUNT(SPI + 3), 0);
	gic_set(SPI + 3, ICACTIVER);
	CHECK(!gic_get(SPI + 3, ISACTIVER), 0, 0);
	gic_set(SPI + 3, ISPENDR);
	CHECK(WAIT_FOR(COUNT(SPI + 3) == 3), COUNT(SPI + 3), 0);
	icc_write(ICC_DIR, SPI + 3);
}

CASE(vgic_disabling_takes_a_pending_interrupt_back, 1)
{
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_enable(11, 0xa0);
	gic_set(SPI, ISPENDR);
	gic_sgi_self(11);
	settle();
	gic_disable(SPI);
	gic_disable(11);
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	CHECK(gic_get(SPI, ISPENDR) && gic_get(11, ISPENDR), gic_get(SPI, ISPENDR),
	      gic_get(11, ISPENDR));
	gic_set(SPI, ISENABLER);
	gic_set(11, ISENABLER);
	CHECK(WAIT_FOR(COUNT(SPI) == 1 && COUNT(11) == 1), COUNT(SPI), COUNT(11));
}

CASE(vgic_group_enable_gates_everything, 1)
{
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_enable(12, 0xa0);
	write32(GICD, 0x10);
	EQUAL(read32(GICD) & 2, 0);
	irq_enable();
	gic_set(SPI, ISPENDR);
	gic_sgi_self(12);
	settle();
	EQUAL(taken[0].total, 0);
	write32(GICD, 0x12);
	CHECK(WAIT_FOR(COUNT(SPI) == 1 && COUNT(12) == 1), COUNT(SPI), COUNT(12));
}

CASE(vgic_cpu_group_enable_gates_this_cpu, 1)
{
	gic_enable(12, 0xa0);
	icc_write(ICC_IGRPEN1, 0);
	irq_enable();
	gic_sgi_self(12);
	settle();
	EQUAL(taken[0].total, 0);
	icc_write(ICC_IGRPEN1, 1);
	CHECK(WAIT_FOR(COUNT(12) == 1), COUNT(12), 0);
}

/* ---- a device of the board that asserts a level: the PL031 real-time clock, INTID 34 --------------------------------------- */
#define RTC	0x09010000ul
#define RTC_IRQ 34u

static void rtc_raise(void)
{
	write32(RTC + 0x10, 1);			 /* IMSC */
	write32(RTC + 0x04, read32(RTC + 0x00)); /* match now */
}
static void rtc_lower(unsigned intid)
{
	(void)intid;
	write32(RTC + 0x1c, 1); /* ICR */
}
static void rtc_lower_third(unsigned intid)
{
	if (COUNT(intid) == 3)
		rtc_lower(intid);
}

CASE(vgic_device_level_is_pending_while_its_line_is_up, 1)
{
	rtc_raise();
	CHECK(WAIT_FOR(gic_get(RTC_IRQ, ISPENDR)), 0, 0);
	rtc_lower(0);
	CHECK(!gic_get(RTC_IRQ, ISPENDR), 0, 0);
	gic_enable(RTC_IRQ, 0xa0);
	irq_enable();
	settle();
	EQUAL(COUNT(RTC_IRQ), 0);
}

CASE(vgic_device_level_comes_again_until_it_is_lowered, 1)
{
	in_handler = rtc_lower_third;
	gic_enable(RTC_IRQ, 0xa0);
	irq_enable();
	rtc_raise();
	CHECK(WAIT_FOR(COUNT(RTC_IRQ) >= 3), COUNT(RTC_IRQ), 0);
	settle();
	EQUAL(COUNT(RTC_IRQ), 3);
	CHECK(!gic_get(RTC_IRQ, ISPENDR), 0, 0);
}

CASE(vgic_device_level_lowered_before_the_acknowledge_is_gone, 1)
{
	gic_enable(RTC_IRQ, 0xa0);
	rtc_raise();
	CHECK(WAIT_FOR(gic_get(RTC_IRQ, ISPENDR)), 0, 0);
	rtc_lower(0);
	CHECK(!gic_get(RTC_IRQ, ISPENDR), 0, 0);
	irq_enable();
	settle();
	EQUAL(COUNT(RTC_IRQ), 0);
	in_handler = rtc_lower;
	rtc_raise();
	CHECK(WAIT_FOR(COUNT(RTC_IRQ) == 1), COUNT(RTC_IRQ), 0);
}
