/* The CPU interface's own registers. Arm IHI 0069H, 12.2. */
#include "case.h"

#define ICC_IAR0       S3_0_C12_C8_0
#define ICC_EOIR0      S3_0_C12_C8_1
#define ICC_HPPIR0     S3_0_C12_C8_2
#define ICC_BPR0       S3_0_C12_C8_3
#define ICC_IGRPEN0    S3_0_C12_C12_6
#define PRI_BITS(ctlr) (((ctlr) >> 8 & 7) + 1)

static uint32_t acknowledge(void)
{
	return (uint32_t)icc_read(ICC_IAR1) & 0xffffff;
}
static uint32_t running_priority(void)
{
	return (uint32_t)icc_read(ICC_RPR) & 0xff;
}

CASE(interface_control_tells_what_the_distributor_tells, 1)
{
	uint64_t control = icc_read(ICC_CTLR), mask;

	write8(SGI(0) + 0x400, 0xff);
	mask = read8(SGI(0) + 0x400);
	CHECK(PRI_BITS(control) >= 4, control, 0);
	EQUAL(mask, 0xff00u >> PRI_BITS(control) & 0xff);
	/* what is read only stays */
	icc_write(ICC_CTLR, ~0ul);
	EQUAL(icc_read(ICC_CTLR) & ~3ul & ~0x40ul, control & ~3ul & ~0x40ul);
	EQUAL(icc_read(ICC_CTLR) & 2, 2);
	icc_write(ICC_CTLR, 0);
	EQUAL(icc_read(ICC_CTLR) & 3, 0);
}

CASE(interface_priority_mask_has_as_many_bits_as_priorities, 1)
{
	unsigned bits = PRI_BITS(icc_read(ICC_CTLR));

	for (unsigned i = 0; i < 256; i++) {
		icc_write(ICC_PMR, i);
		EQUAL(icc_read(ICC_PMR), i & (0xff00u >> bits));
	}
}

CASE(interface_binary_point_has_a_least_value, 1)
{
	uint64_t least;

	icc_write(ICC_BPR1, 0);
	least = icc_read(ICC_BPR1);
	CHECK(least <= 4, least, 0);
	for (unsigned i = 0; i < 8; i++) {
		icc_write(ICC_BPR1, i);
		EQUAL(icc_read(ICC_BPR1), i < least ? least : i);
	}
}

CASE(interface_group_enable_is_one_bit, 1)
{
	icc_write(ICC_IGRPEN1, 0);
	EQUAL(icc_read(ICC_IGRPEN1), 0);
	icc_write(ICC_IGRPEN1, 1);
	EQUAL(icc_read(ICC_IGRPEN1), 1);
}

CASE(interface_group_0_is_empty, 1)
{
	if (FAULTS("mrs x0, S3_0_C12_C12_6" ::: "x0"))
		return; /* the secure side's alone */
	gic_enable(3, 0xa0);
	icc_write(ICC_IGRPEN0, 1);
	EQUAL(icc_read(ICC_IGRPEN0), 1);
	gic_sgi_self(3);
	EQUAL(icc_read(ICC_HPPIR0) & 0xffffff, 1023);
	EQUAL(icc_read(ICC_IAR0) & 0xffffff, 1023);
	icc_write(ICC_EOIR0, 3);
	EQUAL(acknowledge(), 3);
	icc_write(ICC_EOIR0, 1023);
	EQUAL(running_priority(), 0xa0);
	icc_write(ICC_EOIR1, 3);
	icc_write(ICC_IGRPEN0, 0);
	EQUAL(running_priority(), 0xff);
}

CASE(interface_active_priorities_follow_what_is_taken, 1)
{
	EQUAL(icc_read(ICC_AP1R0), 0);
	gic_enable(1, 0xa0);
	gic_enable(2, 0x40);
	gic_sgi_self(1);
	EQUAL(acknowledge(), 1);
	EQUAL(icc_read(ICC_AP1R0), 1u << (0xa0 >> 3));
	gic_sgi_self(2);
	EQUAL(acknowledge(), 2);
	EQUAL(icc_read(ICC_AP1R0), 1u << (0xa0 >> 3) | 1u << (0x40 >> 3));
	icc_write(ICC_EOIR1, 2);
	EQUAL(icc_read(ICC_AP1R0), 1u << (0xa0 >> 3));
	icc_write(ICC_EOIR1, 1);
	EQUAL(icc_read(ICC_AP1R0), 0);
}

CASE(interface_active_priorities_can_be_written, 1)
{
	gic_enable(1, 0xa0);
	icc_write(ICC_AP1R0, 1u << (0x80 >> 3));
	EQUAL(icc_read(ICC_AP1R0), 1u << (0x80 >> 3));
	EQUAL(running_priority(), 0x80);
	gic_sgi_self(1);
	EQUAL(acknowledge(), 1023); /* not above it */
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	icc_write(ICC_AP1R0, 0);
	EQUAL(running_priority(), 0xff);
	CHECK(WAIT_FOR(COUNT(1) == 1), COUNT(1), 0);
}

CASE(interface_acknowledge_moves_from_pending_to_active, 1)
{
	gic_enable(1, 0xa0);
	gic_enable(2, 0xa0);
	gic_sgi_self(1);
	CHECK(gic_get(1, ISPENDR) && !gic_get(1, ISACTIVER), 0, 0);
	EQUAL(acknowledge(), 1);
	CHECK(!gic_get(1, ISPENDR) && gic_get(1, ISACTIVER), 0, 0);
	gic_sgi_self(2);
	EQUAL(acknowledge(), 1023); /* its priority is no higher */
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 2);
	icc_write(ICC_EOIR1, 1);
	CHECK(!gic_get(1, ISACTIVER), 0, 0);
	EQUAL(acknowledge(), 2);
	icc_write(ICC_EOIR1, 2);
	EQUAL(acknowledge(), 1023);
}

CASE(interface_mask_hides_from_the_acknowledge, 1)
{
	gic_enable(1, 0xa0);
	icc_write(ICC_PMR, 0xa0);
	gic_sgi_self(1);
	EQUAL(acknowledge(), 1023);
	CHECK(gic_get(1, ISPENDR), 0, 0);
	icc_write(ICC_PMR, 0xff);
	EQUAL(acknowledge(), 1);
	icc_write(ICC_EOIR1, 1);
}

CASE(interface_end_of_special_numbers_ends_nothing, 1)
{
	gic_enable(1, 0xa0);
	gic_sgi_self(1);
	EQUAL(acknowledge(), 1);
	for (unsigned i = 1020; i < 1024; i++) {
		icc_write(ICC_EOIR1, i);
		EQUAL(running_priority(), 0xa0);
		CHECK(gic_get(1, ISACTIVER), i, 0);
	}
	icc_write(ICC_EOIR1, 1);
	EQUAL(running_priority(), 0xff);
}

CASE(interface_end_without_a_beginning_does_no_harm, 1)
{
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_enable(1, 0xa0);
	icc_write(ICC_EOIR1, 1);
	icc_write(ICC_EOIR1, SPI);
	icc_write(ICC_EOIR1, 300);
	EQUAL(running_priority(), 0xff);
	EQUAL(icc_read(ICC_AP1R0), 0);
	irq_enable();
	gic_set(SPI, ISPENDR);
	gic_sgi_self(1);
	CHECK(WAIT_FOR(COUNT(1) == 1 && COUNT(SPI) == 1), COUNT(1), COUNT(SPI));
	settle();
	EQUAL(taken[0].total, 2);
	CHECK(!gic_get(1, ISACTIVER) && !gic_get(SPI, ISACTIVER), 0, 0);
}

/* An SGI's handler that takes its interrupt's active state away instead of ending it; the end is still there to be written. */
static void clear_active(unsigned intid)
{
	gic_set(intid, ICACTIVER);
}

CASE(interface_active_cleared_in_the_handler, 1)
{
	in_handler = clear_active;
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	gic_enable(1, 0xa0);
	irq_enable();
	for (unsigned i = 1; i <= 5; i++) {
		gic_sgi_self(1);
		CHECK(WAIT_FOR(COUNT(1) == i), COUNT(1), i);
		gic_set(SPI, ISPENDR);
		CHECK(WAIT_FOR(COUNT(SPI) == i), COUNT(SPI), i);
	}
	settle();
	EQUAL(taken[0].total, 10);
	EQUAL(running_priority(), 0xff);
	CHECK(!gic_get(1, ISACTIVER) && !gic_get(SPI, ISACTIVER), 0, 0);
}

CASE(interface_pending_interrupt_wakes_from_wfi_though_the_cpu_masks_it, 1)
{
	gic_enable(1, 0xa0);
	gic_sgi_self(1);
	for (unsigned i = 0; i < 10; i++)
		wfi(); /* at once */
	EQUAL(acknowledge(), 1);
	icc_write(ICC_EOIR1, 1);
}
