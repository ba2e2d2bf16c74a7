/* Priorities: masks, preemption, binary point, order; more interrupts than list registers. Arm IHI 0069H, 4.8. */
#include "case.h"

CASE(priority_mask_holds_back_what_is_not_above_it, 1)
{
	gic_enable(1, 0x80);
	icc_write(ICC_PMR, 0x80);
	irq_enable();
	gic_sgi_self(1);
	settle();
	EQUAL(COUNT(1), 0);
	icc_write(ICC_PMR, 0x90);
	CHECK(WAIT_FOR(COUNT(1) == 1), COUNT(1), 0);
	icc_write(ICC_PMR, 0);
	gic_sgi_self(1);
	settle();
	EQUAL(COUNT(1), 1);
	icc_write(ICC_PMR, 0xff);
	CHECK(WAIT_FOR(COUNT(1) == 2), COUNT(1), 0);
}

CASE(priority_zero_is_above_every_mask_but_zero, 1)
{
	gic_enable(1, 0);
	icc_write(ICC_PMR, 0x10);
	irq_enable();
	gic_sgi_self(1);
	CHECK(WAIT_FOR(COUNT(1) == 1), COUNT(1), 0);
}

static void raise_all_sgis(void)
{
	for (unsigned i = 0; i < 16; i++)
		gic_sgi_self(i);
}

CASE(priority_orders_what_is_pending, 1)
{
	/* 16 SGIs, more than list registers; the later the number, the higher the priority */
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i, 0xf0 - 8 * i);
	raise_all_sgis();
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == 16), taken[0].total, 0);
	for (unsigned i = 0; i < 16; i++)
		EQUAL(taken[0].order[i], 15 - i);
}

CASE(priority_orders_spis_and_sgis_together, 1)
{
	for (unsigned i = 0; i < 16; i++) {
		gic_enable(i, 0x40 + 8 * i);
		gic_edge(SPI + i, true);
		gic_enable(SPI + i, 0x40 + 8 * (15 - i));
		gic_set(SPI + i, ISPENDR);
	}
	raise_all_sgis();
	settle();
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == 32), taken[0].total, 0);
	for (unsigned i = 0; i < 16; i++) {
		unsigned a = taken[0].order[2 * i], b = taken[0].order[2 * i + 1];

		/* both of each priority, in any order */
		CHECK((a == i && b == SPI + 15 - i) || (b == i && a == SPI + 15 - i), a, b);
	}
}

static volatile unsigned deepest, level;
static void nest(unsigned intid)
{
	level++;
	if (level > deepest)
		deepest = level;
	if (intid < 15) {
		gic_sgi_self(intid + 1);
		irq_enable();
		asm volatile("isb");
		irq_disable();
	}
	level--;
}

CASE(priority_of_many_active_interrupts_nests, 1)
{
	/* each handler raises the next higher priority and is preempted: 16 active at once, more than list registers */
	level = deepest = 0;
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i, 0xf0 - 8 * i);
	icc_write(ICC_BPR1, 0);
	in_handler = nest;
	irq_enable();
	gic_sgi_self(0);
	CHECK(WAIT_FOR(taken[0].total >= 16), taken[0].total, 0);
	settle();
	EQUAL(taken[0].total, 16);
	for (unsigned i = 0; i < 16; i++)
		CHECK(!gic_get(i, ISACTIVER) && !gic_get(i, ISPENDR), i, 0);
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
	EQUAL(deepest, 16);
}

/* The handler of 1 raises 2 and lets itself be preempted; whether it was. */
static volatile bool preempted;
static void preempt_me(unsigned intid)
{
	if (intid != 1)
		return;
	gic_sgi_self(2);
	irq_enable();
	settle();
	preempted = COUNT(2) == 1;
	irq_disable();
}

static bool preempts(unsigned first, unsigned second, unsigned point)
{
	preempted = false;
	taken_clear();
	gic_enable(1, first);
	gic_enable(2, second);
	icc_write(ICC_BPR1, point);
	in_handler = preempt_me;
	irq_enable();
	gic_sgi_self(1);
	WAIT_FOR(COUNT(1) == 1 && COUNT(2) == 1);
	irq_disable();
	return preempted;
}

CASE(priority_higher_preempts_lower, 1)
{
	CHECK(preempts(0xa0, 0x80, 0), 0, 0);
	CHECK(preempts(0xa0, 0x98, 0), 0, 0);
}

CASE(priority_equal_and_lower_do_not_preempt, 1)
{
	CHECK(!preempts(0xa0, 0xa0, 0), 0, 0);
	CHECK(!preempts(0x80, 0xa0, 0), 0, 0);
	EQUAL(COUNT(2), 1); /* but it came after */
}

CASE(priority_binary_point_groups_priorities, 1)
{
	/* BPR1 = 6: bits 7 and 6 are the group; 5 and below do not preempt (4.8.5, non-secure group 1: one less) */
	icc_write(ICC_BPR1, 6);
	EQUAL(icc_read(ICC_BPR1) & 7, 6);
	CHECK(!preempts(0xb8, 0xa0, 6), 0, 0);
	CHECK(preempts(0xb8, 0x40, 6), 0, 0);
	CHECK(preempts(0xb8, 0xa0, 3), 0, 0);
}

static volatile uint32_t running;
static void look_at_running(unsigned intid)
{
	(void)intid;
	running = (uint32_t)icc_read(ICC_RPR) & 0xff;
}

CASE(priority_running_is_that_of_the_active_interrupt, 1)
{
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
	gic_enable(1, 0x90);
	in_handler = look_at_running;
	irq_enable();
	gic_sgi_self(1);
	CHECK(WAIT_FOR(COUNT(1) == 1), 0, 0);
	EQUAL(running, 0x90);
	EQUAL(icc_read(ICC_RPR) & 0xff, 0xff);
}

CASE(priority_changed_while_pending_counts, 1)
{
	gic_enable(1, 0xa0);
	gic_enable(2, 0xb0);
	gic_sgi_self(1);
	gic_sgi_self(2);
	gic_priority(2, 0x20);
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == 2), taken[0].total, 0);
	EQUAL(taken[0].order[0], 2);
}

CASE(priority_highest_pending_is_readable, 1)
{
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 1023);
	gic_enable(1, 0xa0);
	gic_enable(2, 0x60);
	gic_sgi_self(1);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 1);
	gic_sgi_self(2);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 2);
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 2);
	icc_write(ICC_EOIR1, 2);
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 1);
	icc_write(ICC_EOIR1, 1);
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 1023);
}

CASE(priority_many_spis_come_each_once, 1)
{
	for (unsigned i = 0; i < 40; i++) {
		gic_edge(SPI + i, true);
		gic_enable(SPI + i, 0xa0);
	}
	irq_enable();
	for (unsigned i = 0; i < 40; i++)
		gic_set(SPI + i, ISPENDR);
	CHECK(WAIT_FOR(taken[0].total == 40), taken[0].total, 0);
	irq_disable();
	for (unsigned i = 0; i < 40; i++)
		gic_set(SPI + i, ISPENDR);
	settle();
	irq_enable();
	CHECK(WAIT_FOR(taken[0].total == 80), taken[0].total, 0);
	for (unsigned i = 0; i < 40; i++)
		EQUAL(COUNT(SPI + i), 2);
}
