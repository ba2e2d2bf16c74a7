/* More interrupts at once than list registers (there are 4 on many machines), each of which is still one of its own. Arm IHI 0069H,
 * 4.1.1 (EOImode 1) and 4.8. */
#include "case.h"

#define MANY 8u

static uint32_t active(void)
{
	return read32(SGI(0) + ISACTIVER) & 0xffff;
}

static void pend_many(void)
{
	for (unsigned i = 0; i < MANY; i++) {
		gic_enable(i, 0xa0);
		gic_sgi_self(i);
	}
}

/* All of them acknowledged and their priority dropped, none deactivated. */
static bool keep_many(void)
{
	icc_write(ICC_CTLR, 2);
	keep_active = true;
	pend_many();
	irq_enable();
	return WAIT_FOR(taken[0].total == MANY) && active() == (1u << MANY) - 1;
}

CASE(many_eoimode1_deactivates_the_one_that_is_named, 1)
{
	static const unsigned order[MANY] = {7, 3, 0, 6, 1, 5, 2, 4};
	uint32_t left = (1u << MANY) - 1;

	CHECK(keep_many(), taken[0].total, active());
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
	for (unsigned i = 0; i < MANY; i++) {
		icc_write(ICC_DIR, order[i]);
		left &= ~(1u << order[i]);
		EQUAL(active(), left);
	}
	EQUAL(taken[0].total, MANY);
}

CASE(many_eoimode1_named_one_comes_again, 1)
{
	CHECK(keep_many(), taken[0].total, active());
	gic_sgi_self(6);
	gic_sgi_self(1);
	settle();
	EQUAL(taken[0].total, MANY);
	icc_write(ICC_DIR, 6);
	CHECK(WAIT_FOR(COUNT(6) == 2), COUNT(6), 0);
	settle();
	EQUAL(COUNT(1), 1);
	for (unsigned i = 0; i < MANY; i++)
		icc_write(ICC_DIR, i);
	CHECK(WAIT_FOR(COUNT(1) == 2), COUNT(1), 0);
	icc_write(ICC_DIR, 1);
	EQUAL(active(), 0);
}

CASE(many_deactivation_of_what_is_not_active_does_nothing, 1)
{
	CHECK(keep_many(), taken[0].total, active());
	icc_write(ICC_DIR, 12);
	icc_write(ICC_DIR, SPI);
	icc_write(ICC_DIR, 1023);
	icc_write(ICC_DIR, 0xffffff);
	EQUAL(active(), (1u << MANY) - 1);
	icc_write(ICC_CTLR, 0); /* EOImode 0: DIR does nothing */
	icc_write(ICC_DIR, 0);
	icc_write(ICC_DIR, 7);
	CHECK((active() | 0x81) == (1u << MANY) - 1, active(),
	      0); /* UNPREDICTABLE, for those two */
}

CASE(many_active_are_left_alone_by_the_end_of_another, 1)
{
	CHECK(keep_many(), taken[0].total, active());
	icc_write(ICC_CTLR, 0);
	keep_active = false;
	gic_enable(9, 0x80);
	gic_sgi_self(9);
	CHECK(WAIT_FOR(COUNT(9) == 1), COUNT(9), 0);
	EQUAL(active(), (1u << MANY) - 1);
	/* the same priority as theirs, and a look meanwhile */
	irq_disable();
	gic_priority(9, 0xa0);
	gic_sgi_self(9);
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 9);
	EQUAL(active(), 1u << 9 | ((1u << MANY) - 1));
	icc_write(ICC_EOIR1, 9);
	EQUAL(active(), (1u << MANY) - 1);
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
}

CASE(many_priority_dropped_of_a_spilled_one_leaves_it_active, 1)
{
	/* nested, so that all are running; then their priorities are dropped one by one */
	icc_write(ICC_CTLR, 2);
	for (unsigned i = 0; i < MANY; i++)
		gic_enable(i, 0xf0 - 0x10 * i);
	for (unsigned i = 0; i < MANY; i++) {
		gic_sgi_self(i);
		EQUAL(icc_read(ICC_IAR1) & 0xffffff, i);
	}
	EQUAL(active(), (1u << MANY) - 1);
	for (unsigned i = MANY; i-- > 0;) {
		EQUAL(icc_read(ICC_RPR) & 0xff, 0xf0 - 0x10 * i);
		icc_write(ICC_EOIR1, i);
		EQUAL(active(), (1u << MANY) - 1);
	}
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
	for (unsigned i = 0; i < MANY; i++)
		icc_write(ICC_DIR, i);
	EQUAL(active(), 0);
}

CASE(many_priority_raised_while_pending_counts, 1)
{
	pend_many();
	gic_priority(7, 0x20);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 7);
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == MANY), taken[0].total, 0);
	EQUAL(taken[0].order[0], 7);
}

CASE(many_priority_lowered_while_pending_counts, 1)
{
	pend_many();
	for (unsigned i = 0; i < 7; i++)
		gic_priority(i, 0xe0 - 0x10 * i);
	write32(SGI(0) + 0x404, 0xb8101010);
	EQUAL(icc_read(ICC_HPPIR1) & 0xfffffc, 4);
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == MANY), taken[0].total, 0);
	EQUAL(taken[0].order[3], 3);
	EQUAL(taken[0].order[4], 7);
	EQUAL(taken[0].order[7], 0);
}

CASE(many_spis_priority_raised_while_pending_counts, 1)
{
	for (unsigned i = 0; i < MANY; i++) {
		gic_edge(SPI + i, true);
		gic_enable(SPI + i, 0xa0);
		gic_set(SPI + i, ISPENDR);
	}
	gic_priority(SPI + 7, 0x20);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, SPI + 7);
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == MANY), taken[0].total, 0);
	EQUAL(taken[0].order[0], SPI + 7);
}
