/* States set by register, as whoever brings back a saved interrupt controller does; and as many levels of preemption as there are
 * priorities. Arm IHI 0069H, 4.8 and 12.2.2 (active priorities). */
#include "case.h"

static uint32_t acknowledge(void)
{
	return (uint32_t)icc_read(ICC_IAR1) & 0xffffff;
}

static unsigned still_active(unsigned first, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = first; i < first + count; i++)
		n += gic_get(i, ISACTIVER);
	return n;
}

/* The later, the higher. */
static void descending(unsigned first, unsigned count, bool edge)
{
	for (unsigned i = 0; i < count; i++) {
		if (first >= 32)
			gic_edge(first + i, edge);
		gic_enable(first + i, 8 * (count - 1 - i));
	}
}

static void restore_active(unsigned first, unsigned count, bool split)
{
	icc_write(ICC_CTLR, split ? 2 : 0);
	descending(first, count, true);
	for (unsigned i = 0; i < count; i++) {
		gic_set(first + i, ISACTIVER);
		icc_write(ICC_AP1R0, icc_read(ICC_AP1R0) | 1u << i);
	}
	EQUAL(still_active(first, count), count);
	EQUAL(icc_read(ICC_RPR) & 0xff, 0);
	for (unsigned i = count; i-- > 0;) {
		icc_write(ICC_EOIR1, first + i);
		if (split) {
			CHECK(gic_get(first + i, ISACTIVER), i, 0);
			icc_write(ICC_DIR, first + i);
		}
		CHECK(!gic_get(first + i, ISACTIVER), i, split);
		EQUAL(still_active(first, count), i);
	}
	EQUAL(icc_read(ICC_AP1R0), 0);
	EQUAL(acknowledge(), 1023);
}

CASE(restore_active_sgis, 1)
{
	restore_active(0, 16, false);
}
CASE(restore_active_sgis_deactivated_apart, 1)
{
	restore_active(0, 16, true);
}
CASE(restore_active_spis, 1)
{
	restore_active(SPI, 31, false);
}
CASE(restore_active_spis_deactivated_apart, 1)
{
	restore_active(SPI, 31, true);
}

/* Each one preempts the one before; nobody looks at their states before the end. */
static void nest(unsigned first, unsigned count, bool edge, bool split)
{
	icc_write(ICC_CTLR, split ? 2 : 0);
	descending(first, count, edge);
	for (unsigned i = 0; i < count; i++) {
		uint32_t got;

		gic_set(first + i, ISPENDR);
		CHECK(WAIT_FOR((got = acknowledge()) != 1023), i, 0);
		EQUAL(got, first + i);
	}
	EQUAL(icc_read(ICC_AP1R0), (1ul << count) - 1);
	for (unsigned i = count; i-- > 0;)
		icc_write(ICC_EOIR1, first + i);
	EQUAL(icc_read(ICC_AP1R0), 0);
	for (unsigned i = 0; split && i < count; i++)
		icc_write(ICC_DIR, first + i);
	EQUAL(still_active(first, count), 0);
	EQUAL(acknowledge(), 1023);
	/* and once more: nothing is left behind */
	irq_enable();
	for (unsigned i = 0; i < count; i++)
		gic_set(first + i, ISPENDR);
	CHECK(WAIT_FOR(taken[0].total == count), taken[0].total, count);
}

CASE(nest_sgis, 1)
{
	nest(0, 16, true, false);
}
CASE(nest_sgis_deactivated_apart, 1)
{
	nest(0, 16, true, true);
}
CASE(nest_edges, 1)
{
	nest(SPI, 31, true, false);
}
CASE(nest_edges_deactivated_apart, 1)
{
	nest(SPI, 31, true, true);
}
CASE(nest_levels, 1)
{
	nest(SPI, 31, false, false);
}
CASE(nest_levels_deactivated_apart, 1)
{
	nest(SPI, 31, false, true);
}

/* ---- pending and active at once ---------------------------------------------------------------------------------------------- */
static void both_states(unsigned intid)
{
	gic_enable(intid, 0xa0);
	gic_set(intid, ISACTIVER);
	gic_set(intid, ISPENDR);
	CHECK(gic_get(intid, ISPENDR) && gic_get(intid, ISACTIVER), gic_get(intid, ISPENDR),
	      gic_get(intid, ISACTIVER));
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	gic_set(intid, ICPENDR);
	CHECK(!gic_get(intid, ISPENDR) && gic_get(intid, ISACTIVER), intid, 0);
	gic_set(intid, ISPENDR);
	gic_set(intid, ICACTIVER);
	CHECK(WAIT_FOR(COUNT(intid) == 1), COUNT(intid), intid);
	settle();
	EQUAL(COUNT(intid), 1);
	CHECK(!gic_get(intid, ISPENDR) && !gic_get(intid, ISACTIVER), intid, 0);
}

CASE(restore_pending_and_active_sgi, 1)
{
	both_states(5);
}
CASE(restore_pending_and_active_ppi, 1)
{
	both_states(20);
}
CASE(restore_pending_and_active_edge, 1)
{
	gic_edge(SPI, true);
	both_states(SPI);
}
CASE(restore_pending_and_active_level, 1)
{
	both_states(SPI);
}

CASE(restore_active_is_ended_by_the_guest, 1)
{
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_set(SPI, ISACTIVER);
	gic_set(SPI, ISPENDR);
	icc_write(ICC_AP1R0, 1u << (0xa0 >> 3));
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	icc_write(ICC_EOIR1, SPI);
	CHECK(WAIT_FOR(COUNT(SPI) == 1), COUNT(SPI), 0);
	EQUAL(icc_read(ICC_AP1R0), 0);
}

/* ---- everything at once -------------------------------------------------------------------------------------------------------- */
static volatile unsigned wrong;

static void states_in_handler(unsigned intid)
{
	if (!gic_get(intid, ISACTIVER) || gic_get(intid, ISPENDR))
		wrong = intid + 1;
}

#define UART 33u /* the console's, which is not Dom0's */
static void all_spis(bool edge)
{
	unsigned end = 32 * ((read32(GICD + 4) & 0x1f) + 1), count = 0;

	CHECK(end <= sizeof(taken[0].count) / sizeof(taken[0].count[0]), end, 0);

	wrong = 0;
	in_handler = states_in_handler;
	for (unsigned i = 32; i < end; i++) {
		if (i == UART)
			continue;
		gic_edge(i, edge);
		gic_route(i, 0);
		gic_enable(i, i % 31 * 8);
		gic_set(i, ISPENDR);
		count++;
	}
	while (taken[0].total < count) {
		unsigned before = taken[0].total;

		wfi();
		irq_enable();
		asm volatile("isb");
		CHECK(WAIT_FOR(taken[0].total > before), taken[0].total, count);
		irq_disable();
	}
	EQUAL(taken[0].total, count);
	for (unsigned i = 32; i < end; i++) {
		EQUAL(COUNT(i), i == UART ? 0 : 1);
		gic_disable(i);
		gic_edge(i, false);
	}
	EQUAL(wrong, 0);
	EQUAL(icc_read(ICC_AP1R0), 0);
	EQUAL(acknowledge(), 1023);
}

CASE(all_spis_at_once_as_edges, 1)
{
	all_spis(true);
}
CASE(all_spis_at_once_as_levels, 1)
{
	all_spis(false);
}

CASE(all_ppis_are_pended_by_software, 1)
{
	for (unsigned i = 16; i < 32; i++)
		gic_enable(i, 0x40 + 8 * (i - 16));
	irq_enable();
	for (unsigned i = 16; i < 32; i++) {
		gic_set(i, ISPENDR);
		CHECK(WAIT_FOR(COUNT(i) == 1), COUNT(i), i);
	}
	settle();
	EQUAL(taken[0].total, 16);
	EQUAL(read32(SGI(0) + ISPENDR) >> 16 | read32(SGI(0) + ISACTIVER), 0);
}
