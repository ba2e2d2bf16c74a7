/* What a CPU finds when PSCI starts it: itself as after a reset, but its redistributor as software left it. PSCI resets the PE and
 * its CPU interface (DEN 0022, 6.4); the redistributor belongs to the GIC, and others may set it up before or meanwhile. */
#include "case.h"

#define SUCCESS 0
#define PPI	PPI_VTIMER
#define SGI_A	5u
#define SGI_B	9u

static volatile uint64_t seen[5];

/* Leaves the redistributor as it is, and takes what is there: `expected` interrupts, and no more. */
static volatile unsigned expected;
static void take_what_comes(struct cpu *c)
{
	c->on_irq = worker_handler;
	irq_enable();
	(void)WAIT_FOR(taken[c->id].total >= expected);
	settle();
	irq_disable();
}

static bool lives_once(unsigned cpu, void (*life)(struct cpu *c))
{
	return cpu_start(cpu, life) == SUCCESS && cpu_wait_off(cpu);
}

/* Of a CPU that is off, by another one. */
static void clear(unsigned cpu)
{
	write32(SGI(cpu) + ICENABLER, ~0u);
	write32(SGI(cpu) + ICPENDR, ~0u);
	write32(SGI(cpu) + ICACTIVER, ~0u);
	for (unsigned i = 0; i < 32; i += 4)
		write32(SGI(cpu) + 0x400 + i, 0xa0a0a0a0);
	write32(SGI(cpu) + 0xc04, 0);
}

CASE(psci_redistributor_set_up_before_the_start_stays, 2)
{
	expected = 0;
	for (unsigned i = 1; i < cpus_there; i++) {
		clear(i);
		write32(SGI(i) + ISENABLER, 1u << SGI_A | 1u << PPI);
		write8(SGI(i) + 0x400 + SGI_A, 0x40);
		write8(SGI(i) + 0x400 + PPI, 0x50);
		write32(SGI(i) + 0xc04, 2u << 4 * 2); /* INTID 20: edge */
	}
	for (unsigned i = 1; i < cpus_there; i++) {
		CHECK(lives_once(i, take_what_comes), i, 0);
		EQUAL(read32(SGI(i) + ISENABLER), 1u << SGI_A | 1u << PPI);
		EQUAL(read8(SGI(i) + 0x400 + SGI_A), 0x40);
		EQUAL(read8(SGI(i) + 0x400 + PPI), 0x50);
		EQUAL(read32(SGI(i) + 0xc04), 2u << 4 * 2);
		EQUAL(taken[i].total, 0);
		clear(i);
	}
}

CASE(psci_interrupt_made_pending_while_off_is_taken_after_the_start, 2)
{
	for (unsigned i = 1; i < cpus_there; i++) {
		clear(i);
		write32(SGI(i) + ISENABLER, 1u << SGI_A | 1u << PPI);
		icc_write(ICC_SGI1R, (uint64_t)SGI_A << 24 | 1ul << i);
		icc_write(ICC_SGI1R, (uint64_t)SGI_B << 24 | 1ul << i); /* not enabled */
		write32(SGI(i) + 0xc04, 2u << (PPI - 16) * 2);
		write32(SGI(i) + ISPENDR, 1u << PPI);
		EQUAL(read32(SGI(i) + ISPENDR), 1u << SGI_A | 1u << SGI_B | 1u << PPI);
		expected = 2;
		CHECK(lives_once(i, take_what_comes), i, 0);
		EQUAL(taken[i].count[SGI_A], 1);
		EQUAL(taken[i].count[PPI], 1);
		EQUAL(taken[i].total, 2);
		EQUAL(read32(SGI(i) + ISPENDR), 1u << SGI_B);
		/* the next life finds that one, once it is enabled */
		write32(SGI(i) + ISENABLER, 1u << SGI_B);
		expected = 3;
		CHECK(lives_once(i, take_what_comes), i, 1);
		EQUAL(taken[i].count[SGI_B], 1);
		EQUAL(taken[i].total, 3);
		clear(i);
	}
}

static void go_off_within(struct cpu *c)
{
	(void)c;
	gic_enable(SGI_A, 0xa0);
	gic_sgi_self(SGI_A);
	gic_sgi_self(SGI_B); /* stays pending: not enabled */
	seen[0] = WAIT_FOR((icc_read(ICC_HPPIR1) & 0xffffff) == SGI_A);
	seen[0] = icc_read(ICC_IAR1) & 0xffffff;
	icc_write(ICC_IGRPEN1, 0);
	icc_write(ICC_PMR, 0x80);
}
static void look(struct cpu *c)
{
	(void)c;
	seen[1] =
		icc_read(ICC_RPR); /* nothing is being handled: its priority was the interface's */
	seen[2] = icc_read(ICC_AP1R0);
	seen[3] = read32(SGI(c->id) + ISACTIVER);
	icc_write(ICC_CTLR, 2);
	icc_write(ICC_DIR, SGI_A);
	icc_write(ICC_CTLR, 0);
	seen[4] = read32(SGI(c->id) + ISACTIVER);
}

CASE(psci_interrupt_active_when_its_cpu_goes_off_stays_active, 2)
{
	for (unsigned i = 1; i < cpus_there; i++) {
		clear(i);
		CHECK(lives_once(i, go_off_within), i, 0);
		EQUAL(seen[0], SGI_A);
		EQUAL(read32(SGI(i) + ISACTIVER), 1u << SGI_A);
		EQUAL(read32(SGI(i) + ISPENDR), 1u << SGI_B);
		CHECK(lives_once(i, look), i, 1);
		EQUAL(seen[1], 0xff);
		EQUAL(seen[2], 0);
		EQUAL(seen[3], 1u << SGI_A);
		EQUAL(seen[4], 0);
		EQUAL(read32(SGI(i) + ISACTIVER), 0);
		EQUAL(read32(SGI(i) + ISPENDR), 1u << SGI_B);
		clear(i);
	}
}

static void timers_on(struct cpu *c)
{
	gic_enable(PPI_VTIMER, 0xa0);
	gic_enable(PPI_PTIMER, 0xa0);
	sysreg_write(cntv_cval_el0, 0);
	sysreg_write(cntv_ctl_el0, 1);
	sysreg_write(cntp_cval_el0, 0);
	sysreg_write(cntp_ctl_el0, 1);
	seen[0] = read32(SGI(c->id) + ISPENDR);
}
static void look_at_timers(struct cpu *c)
{
	seen[1] = sysreg_read(cntv_ctl_el0);
	seen[2] = sysreg_read(cntp_ctl_el0);
	seen[3] = read32(SGI(c->id) + ISPENDR);
	take_what_comes(c);
}

CASE(psci_timers_of_a_cpu_that_went_off_are_off, 2)
{
	const uint32_t both = 1u << PPI_VTIMER | 1u << PPI_PTIMER;

	expected = 0;
	for (unsigned i = 1; i < cpus_there; i++) {
		clear(i);
		CHECK(lives_once(i, timers_on), i, 0);
		EQUAL(seen[0], both);
		CHECK(lives_once(i, look_at_timers), i, 1);
		EQUAL(seen[1], 0);
		EQUAL(seen[2], 0);
		EQUAL(seen[3] & both, 0);
		EQUAL(taken[i].total, 0);
		EQUAL(read32(SGI(i) + ISENABLER) & both, both);
		clear(i);
	}
}

/* An SPI that is routed to it waits for it. */
CASE(psci_spi_waits_for_its_cpu, 2)
{
	expected = 1;
	for (unsigned i = 1; i < cpus_there; i++) {
		gic_edge(SPI, true);
		gic_route(SPI, i);
		gic_enable(SPI, 0xa0);
		gic_set(SPI, ISPENDR);
		settle();
		EQUAL(taken[0].total, 0);
		CHECK(lives_once(i, take_what_comes), i, 0);
		EQUAL(taken[i].total, 1);
		EQUAL(taken[i].count[SPI], 1);
		CHECK(!gic_get(SPI, ISPENDR), i, 0);
	}
}
