/* Interrupts between CPUs: SGIs to every subset, SPIs routed and routed anew. */
#include "case.h"

static void sgi_send(unsigned sgi, uint64_t target)
{
	icc_write(ICC_SGI1R, (uint64_t)sgi << 24 | target);
}

CASE(sgi_reaches_every_subset_and_nobody_else, 2)
{
	unsigned all = (1u << cpus_there) - 1, expected[CPUS] = {0};

	CHECK(workers_start(), 0, 0);
	gic_enable(2, 0xa0);
	irq_enable();
	for (unsigned set = 1; set <= all; set++) {
		sgi_send(2, set);
		for (unsigned i = 0; i < cpus_there; i++) {
			expected[i] += set >> i & 1;
			CHECK(WAIT_FOR(taken[i].count[2] == expected[i]), set, i);
		}
	}
	settle();
	for (unsigned i = 0; i < cpus_there; i++)
		EQUAL(taken[i].total, expected[i]);
}

CASE(sgi_to_all_but_self, 2)
{
	CHECK(workers_start(), 0, 0);
	gic_enable(3, 0xa0);
	irq_enable();
	sgi_send(3, 1ul << 40);
	for (unsigned i = 1; i < cpus_there; i++)
		CHECK(WAIT_FOR(taken[i].count[3] == 1), i, 0);
	settle();
	EQUAL(taken[0].total, 0);
}

CASE(sgi_to_nobody_is_ignored, 1)
{
	gic_enable(3, 0xa0);
	irq_enable();
	sgi_send(3, 0);
	sgi_send(3, 1ul << 16 | 1); /* Aff1 */
	sgi_send(3, 1ul << 32 | 1); /* Aff2 */
	sgi_send(3, 1ul << 48 | 1); /* Aff3 */
	sgi_send(3, 1ul << 44 | 1); /* range selector */
	sgi_send(3, 0xff00);
	settle();
	EQUAL(taken[0].total, 0);
}

CASE(sgi_of_other_groups_is_ignored, 1)
{
	gic_enable(3, 0xa0);
	irq_enable();
	icc_write(ICC_SGI0R, 3ul << 24 | 1);
	icc_write(ICC_ASGI1R, 3ul << 24 | 1);
	settle();
	EQUAL(taken[0].total, 0);
}

CASE(sgi_pending_of_another_cpu_is_seen_and_cleared, 2)
{
	/* CPU 1 is off: its redistributor is there all the same */
	CHECK(workers_start(), 0, 0);
	write32(SGI(1) + ICENABLER, 1u << 5);
	sgi_send(5, 2);
	CHECK(WAIT_FOR(read32(SGI(1) + ISPENDR) & 1u << 5), 0, 0);
	write32(SGI(1) + ICPENDR, 1u << 5);
	CHECK(!(read32(SGI(1) + ISPENDR) & 1u << 5), 0, 0);
	write32(SGI(1) + ISENABLER, 1u << 5);
	settle();
	EQUAL(taken[1].total, 0);
	write32(SGI(1) + ISPENDR, 1u << 5);
	CHECK(WAIT_FOR(taken[1].count[5] == 1), taken[1].total, 0);
}

CASE(spi_goes_where_it_is_routed, 2)
{
	unsigned expected[CPUS] = {0};

	CHECK(workers_start(), 0, 0);
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	irq_enable();
	for (unsigned round = 0; round < 8; round++) {
		unsigned to = round % cpus_there;

		gic_route(SPI, to);
		gic_set(SPI, ISPENDR);
		expected[to]++;
		CHECK(WAIT_FOR(taken[to].count[SPI] == expected[to]), round, to);
	}
	settle();
	for (unsigned i = 0; i < cpus_there; i++)
		EQUAL(taken[i].total, expected[i]);
}

CASE(spi_pending_is_routed_anew, 2)
{
	CHECK(workers_start(), 0, 0);
	gic_edge(SPI + 1, true);
	gic_enable(SPI + 1, 0xa0);
	gic_set(SPI + 1, ISPENDR); /* this CPU has its interrupts masked */
	settle();
	gic_route(SPI + 1, 1);
	CHECK(WAIT_FOR(taken[1].count[SPI + 1] == 1), 0, 0);
	irq_enable();
	settle();
	EQUAL(taken[0].total, 0);
	EQUAL(taken[1].total, 1);
	CHECK(WAIT_FOR(!gic_get(SPI + 1, ISPENDR) && !gic_get(SPI + 1, ISACTIVER)), 0, 0);
}

static volatile bool hold, held;
static void hold_it(unsigned intid)
{
	(void)intid;
	held = true;
	while (hold)
		;
}

CASE(spi_active_elsewhere_is_seen, 2)
{
	CHECK(workers_start(), 0, 0);
	in_handler = hold_it;
	hold = true;
	held = false;
	gic_edge(SPI + 2, true);
	gic_route(SPI + 2, 1);
	gic_enable(SPI + 2, 0xa0);
	gic_set(SPI + 2, ISPENDR);
	if (!WAIT_FOR(held)) {
		hold = false;
		CHECK(held, 0, 0);
	}
	/* pending and active for CPU 1, and only there */
	bool active = gic_get(SPI + 2, ISACTIVER), pending = gic_get(SPI + 2, ISPENDR), both;

	gic_set(SPI + 2, ISPENDR);
	both = WAIT_FOR(gic_get(SPI + 2, ISPENDR)) && gic_get(SPI + 2, ISACTIVER);
	hold = false;
	CHECK(active && !pending && both, active, pending);
	CHECK(WAIT_FOR(taken[1].count[SPI + 2] == 2), taken[1].total, 0);
}

CASE(sgi_ping_pong, 2)
{
	CHECK(workers_start(), 0, 0);
	gic_enable(4, 0xa0);
	irq_enable();
	for (unsigned i = 1; i <= 200; i++) {
		sgi_send(4, 2);
		CHECK(WAIT_FOR(taken[1].count[4] == i), i, taken[1].count[4]);
	}
}

static void storm(void)
{
	for (unsigned i = 0; i < 200; i++)
		sgi_send(6, (1u << cpus_there) - 1);
}

/* Every CPU has taken what was pending of this SGI, and ended it. */
static bool through(unsigned sgi)
{
	for (unsigned i = 0; i < cpus_there; i++) {
		if (!WAIT_FOR(!(read32(SGI(i) + ISPENDR) >> sgi & 1)) ||
		    !WAIT_FOR(!(read32(SGI(i) + ISACTIVER) >> sgi & 1)))
			return false;
	}
	return true;
}

CASE(sgi_storm_of_all_cpus_loses_nobody, 2)
{
	CHECK(workers_start(), 0, 0);
	gic_enable(6, 0xa0);
	irq_enable();
	for (unsigned i = 1; i < cpus_there; i++)
		CHECK(run_on(i, storm), i, 0);
	storm();
	CHECK(through(6), 0, 0);
	for (unsigned i = 0; i < cpus_there; i++)
		CHECK(taken[i].count[6] > 0, i, taken[i].count[6]);
	taken_clear();
	sgi_send(6, (1u << cpus_there) - 1); /* everybody still takes exactly one */
	for (unsigned i = 0; i < cpus_there; i++)
		CHECK(WAIT_FOR(taken[i].count[6] == 1), i, taken[i].count[6]);
}

/* CPU 1 waits in the handler of one interrupt for another one, of a higher priority. */
static volatile unsigned woken;
static void wait_in_handler(unsigned intid)
{
	if (here() != 1 || intid == SPI + 1 || intid == 5)
		return;
	held = true;
	while (hold) {
		wfi();
		woken++;
	}
}

static bool wakes_in_handler(uint64_t pend_at, uint32_t bit)
{
	bool woke;
	unsigned before;

	if (!WAIT_FOR(held))
		return false;
	delay_us(2000);
	before = woken;
	write32(pend_at, bit);
	woke = WAIT_FOR(woken > before);
	hold = false;
	sgi_send(6, 2); /* ends the wait in any case */
	return woke;
}

CASE(spi_wakes_a_cpu_that_has_another_one_active, 2)
{
	CHECK(workers_start(), 0, 0);
	in_handler = wait_in_handler;
	hold = true;
	held = false;
	for (unsigned i = 0; i < 2; i++) {
		gic_edge(SPI + i, true);
		gic_route(SPI + i, 1);
		gic_enable(SPI + i, 0xa0 - 0x40 * i);
	}
	gic_set(SPI, ISPENDR);
	CHECK(wakes_in_handler(GICD + ISPENDR + (SPI + 1) / 32 * 4, 1u << (SPI + 1) % 32), held,
	      woken);
	CHECK(WAIT_FOR(taken[1].count[SPI + 1] == 1), taken[1].total, 0);
}

CASE(sgi_wakes_a_cpu_that_has_another_one_active, 2)
{
	CHECK(workers_start(), 0, 0);
	in_handler = wait_in_handler;
	hold = true;
	held = false;
	write8(SGI(1) + 0x405, 0x60);
	sgi_send(4, 2);
	CHECK(wakes_in_handler(SGI(1) + ISPENDR, 1u << 5), held, woken);
	CHECK(WAIT_FOR(taken[1].count[5] == 1), taken[1].total, 0);
}

CASE(sgi_disabled_for_another_cpu_does_not_come_any_more, 2)
{
	CHECK(workers_start(), 0, 0);
	in_handler = hold_it;
	for (unsigned i = 1; i <= 30; i++) {
		hold = true;
		held = false;
		sgi_send(4, 2);
		if (!WAIT_FOR(held))
			hold = false;
		EQUAL(held, true);
		sgi_send(5, 2);
		if (!WAIT_FOR(read32(SGI(1) + ISPENDR) & 1u << 5))
			hold = false;
		write32(SGI(1) + ICENABLER, 1u << 5);
		while (read32(RD(1)) & 8)
			; /* RWP */
		hold = false;
		CHECK(WAIT_FOR(!(read32(SGI(1) + ISACTIVER) & 1u << 4)), i, taken[1].total);
		settle();
		EQUAL(taken[1].count[5], 0);
		CHECK(read32(SGI(1) + ISPENDR) & 1u << 5, i, 0);
		write32(SGI(1) + ICPENDR, 1u << 5);
		write32(SGI(1) + ISENABLER, 1u << 5);
	}
}

static void deactivate_there(void)
{
	icc_write(ICC_CTLR, 2);
	icc_write(ICC_DIR, SPI);
	icc_write(ICC_CTLR, 0);
}

CASE(spi_active_elsewhere_is_deactivated, 2)
{
	icc_write(ICC_CTLR, 2);
	CHECK(workers_start(), 0, 0);
	keep_active = true;
	gic_edge(SPI, true);
	gic_enable(SPI, 0xa0);
	irq_enable();
	for (unsigned i = 1; i <= 4; i++) {
		gic_set(SPI, ISPENDR);
		CHECK(WAIT_FOR(COUNT(SPI) == i), COUNT(SPI), i);
		CHECK(gic_get(SPI, ISACTIVER), 0, 0);
		/* on a CPU that did not acknowledge it, and is in EOImode 1 only now */
		CHECK(run_on(1, deactivate_there), i, 0);
		CHECK(WAIT_FOR(!gic_get(SPI, ISACTIVER)), 0, 0);
	}
}
