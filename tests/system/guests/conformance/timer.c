/* Virtual and physical timer: the same promises twice. Arm ARM D11.2. */
#include "timer.h"

static void condition_follows_the_compare_value(const struct generic_timer *t)
{
	t->set_cval(FAR);
	t->set_ctl(ENABLE | IMASK);
	EQUAL(t->ctl(), ENABLE | IMASK);
	t->set_cval(t->now() - 1);
	EQUAL(t->ctl(), ENABLE | IMASK | ISTATUS);
	t->set_cval(FAR);
	EQUAL(t->ctl(), ENABLE | IMASK);
	t->set_cval(t->now() + ticks_of_us(200));
	EQUAL(t->ctl() & ISTATUS, 0);
	CHECK(WAIT_FOR(t->ctl() & ISTATUS), 0, 0);
}
BOTH(condition_follows_the_compare_value)

static void compare_value_is_read_back(const struct generic_timer *t)
{
	t->set_cval(0x123456789abcul);
	EQUAL(t->cval(), 0x123456789abcul);
	t->set_ctl(~0ul & ~ENABLE);
	EQUAL(t->ctl() & (ENABLE | IMASK), IMASK);
}
BOTH(compare_value_is_read_back)

static void timer_value_counts_down_signed(const struct generic_timer *t)
{
	uint64_t now;
	int32_t left;

	now = t->now();
	t->set_tval(1000000);
	CHECK(t->cval() - now >= 1000000, t->cval() - now, 0);
	CHECK(t->cval() - t->now() <= 1000000, t->cval(), 0);
	left = (int32_t)t->tval();
	CHECK(left <= 1000000, left, 0);
	t->set_tval((uint32_t)-1000);
	now = t->now();
	CHECK(t->cval() < now, t->cval(), now);
	t->set_ctl(ENABLE | IMASK);
	CHECK(t->ctl() & ISTATUS, t->ctl(), 0);
	CHECK((int32_t)t->tval() <= -1000, t->tval(), 0);
}
BOTH(timer_value_counts_down_signed)

static const struct generic_timer *current;
static unsigned stop_after;
static volatile uint64_t fired_at;
static void stop_it(unsigned intid)
{
	fired_at = current->now();
	if (intid == current->ppi && COUNT(intid) >= stop_after)
		current->set_ctl(0);
}
static void watch(const struct generic_timer *t, unsigned times)
{
	current = t;
	stop_after = times;
	in_handler = stop_it;
	t->set_ctl(0);
	t->set_cval(FAR);
	gic_enable(t->ppi, 0xa0);
	irq_enable();
}

static void fires_once_when_its_time_comes(const struct generic_timer *t)
{
	watch(t, 1);
	t->set_cval(t->now() + ticks_of_us(300));
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
	CHECK(fired_at >= t->cval(), fired_at, t->cval());
	settle();
	EQUAL(taken[0].total, 1);
	CHECK(!gic_get(t->ppi, ISPENDR) && !gic_get(t->ppi, ISACTIVER), 0, 0);
}
BOTH(fires_once_when_its_time_comes)

static void fires_when_its_time_is_past(const struct generic_timer *t)
{
	watch(t, 1);
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
}
BOTH(fires_when_its_time_is_past)

static void line_that_stays_up_comes_again(const struct generic_timer *t)
{
	watch(t, 5);
	t->set_tval(100);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 5), COUNT(t->ppi), 0);
	settle();
	EQUAL(COUNT(t->ppi), 5);
}
BOTH(line_that_stays_up_comes_again)

static void masked_or_disabled_it_does_not_fire(const struct generic_timer *t)
{
	watch(t, 1);
	t->set_cval(0);
	t->set_ctl(ENABLE | IMASK);
	settle();
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	t->set_ctl(0);
	settle();
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	EQUAL(COUNT(t->ppi), 0);
	t->set_ctl(ENABLE | IMASK);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
}
BOTH(masked_or_disabled_it_does_not_fire)

static void pending_is_the_level_of_the_line(const struct generic_timer *t)
{
	/* interrupt disabled: only looked at */
	t->set_cval(FAR);
	t->set_ctl(ENABLE);
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	t->set_cval(0);
	CHECK(WAIT_FOR(gic_get(t->ppi, ISPENDR)), 0, 0);
	gic_set(t->ppi, ICPENDR); /* a level cannot be cleared */
	CHECK(gic_get(t->ppi, ISPENDR), 0, 0);
	t->set_ctl(ENABLE | IMASK);
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(gic_get(t->ppi, ISPENDR)), 0, 0);
	t->set_cval(FAR);
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	t->set_ctl(0);
	irq_enable();
	gic_enable(t->ppi, 0xa0);
	settle();
	EQUAL(COUNT(t->ppi), 0);
}
BOTH(pending_is_the_level_of_the_line)

static void fires_after_its_line_was_only_looked_at(const struct generic_timer *t)
{
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(gic_get(t->ppi, ISPENDR)), 0, 0); /* the interrupt is disabled */
	t->set_cval(FAR);
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	watch(t, 1);
	t->set_cval(t->now() + ticks_of_us(100));
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
}
BOTH(fires_after_its_line_was_only_looked_at)

/* The same without a look in between. */
static void fires_after_its_line_went_up_and_down_unseen(const struct generic_timer *t)
{
	t->set_cval(0);
	t->set_ctl(ENABLE);
	settle();
	t->set_ctl(0);
	t->set_cval(FAR);
	watch(t, 1);
	t->set_cval(t->now() + ticks_of_us(100));
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
}
BOTH(fires_after_its_line_went_up_and_down_unseen)

static void line_lowered_before_the_acknowledge_is_gone(const struct generic_timer *t)
{
	current = t;
	stop_after = 1;
	in_handler = stop_it;
	gic_enable(t->ppi, 0xa0);
	t->set_cval(0);
	t->set_ctl(ENABLE); /* interrupts of this CPU are masked */
	CHECK(WAIT_FOR(gic_get(t->ppi, ISPENDR)), 0, 0);
	t->set_ctl(0);
	CHECK(!gic_get(t->ppi, ISPENDR), 0, 0);
	irq_enable();
	settle();
	EQUAL(COUNT(t->ppi), 0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
}
BOTH(line_lowered_before_the_acknowledge_is_gone)

static bool was_active, was_pending;
static void look_and_stop(unsigned intid)
{
	was_active = gic_get(intid, ISACTIVER);
	was_pending = gic_get(intid, ISPENDR);
	stop_it(intid);
}

static void active_and_pending_in_its_handler(const struct generic_timer *t)
{
	watch(t, 1);
	in_handler = look_and_stop;
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), 0, 0);
	CHECK(was_active && was_pending, was_active, was_pending);
}
BOTH(active_and_pending_in_its_handler)

/* In its handler, while it is active and its line is up: pending cannot be cleared then, but goes with the line. */
static void clear_and_stop(unsigned intid)
{
	gic_set(intid, ICPENDR);
	was_pending = gic_get(intid, ISPENDR);
	stop_it(intid);
	was_active = gic_get(intid, ISPENDR);
}

static void line_lowered_while_active_and_pending_is_gone(const struct generic_timer *t)
{
	watch(t, 1);
	in_handler = clear_and_stop;
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), 0, 0);
	CHECK(was_pending && !was_active, was_pending, was_active);
	settle();
	EQUAL(COUNT(t->ppi), 1);
	CHECK(!gic_get(t->ppi, ISPENDR) && !gic_get(t->ppi, ISACTIVER), 0, 0);
}
BOTH(line_lowered_while_active_and_pending_is_gone)

/* The first one is software's; its line goes up while it is active. */
static void start_and_stop(unsigned intid)
{
	if (COUNT(intid) == 1) {
		current->set_cval(0);
		current->set_ctl(ENABLE);
		settle();
	} else {
		stop_it(intid);
	}
}

static void line_raised_while_active_comes_after_the_end(const struct generic_timer *t)
{
	watch(t, 2);
	in_handler = start_and_stop;
	gic_set(t->ppi, ISPENDR);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 2), COUNT(t->ppi), 0);
	settle();
	EQUAL(COUNT(t->ppi), 2);
}
BOTH(line_raised_while_active_comes_after_the_end)

/* No access between the timer's time and its end that the hypervisor would see. */
static void goes_unseen(const struct generic_timer *t, uint64_t ctl, uint64_t cval)
{
	t->set_cval(0);
	t->set_ctl(ENABLE);
	settle();
	t->set_cval(cval);
	t->set_ctl(ctl);
}

static void line_lowered_unseen_before_the_acknowledge_is_gone(const struct generic_timer *t)
{
	current = t;
	stop_after = 1;
	in_handler = stop_it;
	gic_enable(t->ppi, 0xa0);
	goes_unseen(t, 0, 0);
	EQUAL(icc_read(ICC_IAR1) & 0xffffff, 1023);
	goes_unseen(t, IMASK | ENABLE, 0);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 1023);
	goes_unseen(t, ENABLE, FAR);
	irq_enable();
	settle();
	EQUAL(COUNT(t->ppi), 0);
	t->set_cval(0);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
	settle();
	EQUAL(COUNT(t->ppi), 1);
}
BOTH(line_lowered_unseen_before_the_acknowledge_is_gone)

static void line_lowered_after_a_look_at_the_highest_pending_is_gone(const struct generic_timer *t)
{
	gic_enable(t->ppi, 0xa0);
	gic_enable(3, 0xc0);
	gic_sgi_self(3);
	t->set_cval(0);
	t->set_ctl(ENABLE);
	settle();
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, t->ppi);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, t->ppi);
	t->set_ctl(0);
	EQUAL(icc_read(ICC_HPPIR1) & 0xffffff, 3);
	irq_enable();
	CHECK(WAIT_FOR(COUNT(3) == 1), COUNT(3), 0);
	settle();
	EQUAL(taken[0].total, 1);
}
BOTH(line_lowered_after_a_look_at_the_highest_pending_is_gone)

static void enabling_the_interrupt_delivers_a_line_that_is_up(const struct generic_timer *t)
{
	current = t;
	stop_after = 1;
	in_handler = stop_it;
	irq_enable();
	t->set_cval(0);
	t->set_ctl(ENABLE);
	settle();
	EQUAL(COUNT(t->ppi), 0);
	gic_enable(t->ppi, 0xa0);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), 0, 0);
}
BOTH(enabling_the_interrupt_delivers_a_line_that_is_up)

static void wakes_from_wfi_with_interrupts_masked(const struct generic_timer *t)
{
	uint64_t at;

	gic_enable(t->ppi, 0xa0);
	for (unsigned i = 0; i < 20; i++) {
		at = t->now() + ticks_of_us(100);
		t->set_cval(at);
		t->set_ctl(ENABLE);
		/* WFI may end for other reasons */
		while (t->now() < at)
			wfi();
		t->set_ctl(0);
	}
	EQUAL(COUNT(t->ppi), 0);
}
BOTH(wakes_from_wfi_with_interrupts_masked)

static void handler_of_an_eoimode1_guest(const struct generic_timer *t)
{
	icc_write(ICC_CTLR, 2);
	watch(t, 3);
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 3), COUNT(t->ppi), 0);
	settle();
	EQUAL(COUNT(t->ppi), 3);
}
BOTH(handler_of_an_eoimode1_guest)

static void pended_by_software_comes_once(const struct generic_timer *t)
{
	gic_enable(t->ppi, 0xa0);
	irq_enable();
	gic_set(t->ppi, ISPENDR);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 1), COUNT(t->ppi), 0);
	settle();
	EQUAL(COUNT(t->ppi), 1);
	watch(t, 2);
	t->set_cval(0);
	t->set_ctl(ENABLE);
	CHECK(WAIT_FOR(COUNT(t->ppi) == 2), COUNT(t->ppi), 0);
}
BOTH(pended_by_software_comes_once)

static volatile uint64_t theirs;
static void read_there(void)
{
	theirs = counter();
}

CASE(counters_of_all_cpus_agree, 2)
{
	CHECK(workers_start(), 0, 0);
	for (unsigned i = 0; i < 30; i++) {
		uint64_t before = counter();

		CHECK(run_on(1 + i % (cpus_there - 1), read_there), i, 0);
		CHECK(theirs >= before, theirs, before);
		CHECK(counter() >= theirs, theirs, 0);
	}
}

static void fire_there(void)
{
	cntv_set_cval(0);
	cntv_set_ctl(ENABLE);
	WAIT_FOR(COUNT(PPI_VTIMER) >= 3);
}

CASE(timers_of_all_cpus_are_their_own, 2)
{
	CHECK(workers_start(), 0, 0);
	current = &cntv;
	stop_after = 3;
	in_handler = stop_it;
	for (unsigned i = 1; i < cpus_there; i++) {
		write32(SGI(i) + ISENABLER, 1u << PPI_VTIMER);
		CHECK(run_on(i, fire_there), i, 0);
		CHECK(taken[i].count[PPI_VTIMER] >= 3, i, 0);
	}
	EQUAL(taken[0].total, 0);
}

static void start_both_there(void)
{
	cntv.set_cval(cntv.now() + ticks_of_us(100));
	cntv.set_ctl(ENABLE);
	cntp.set_cval(cntp.now() + ticks_of_us(100));
	cntp.set_ctl(ENABLE);
}
static void lower_both_there(void)
{
	cntv.set_cval(FAR);
	cntp.set_ctl(0);
}

CASE(lines_of_another_cpus_timers_are_seen, 2)
{
	uint32_t both = 1u << PPI_VTIMER | 1u << PPI_PTIMER;

	CHECK(workers_start(), 0, 0);
	write32(SGI(1) + ICENABLER, both);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(run_on(1, start_both_there), i, 0);
		settle();
		CHECK(WAIT_FOR((read32(SGI(1) + ISPENDR) & both) == both), i,
		      read32(SGI(1) + ISPENDR));
		CHECK(run_on(1, lower_both_there), i, 0);
		CHECK(WAIT_FOR(!(read32(SGI(1) + ISPENDR) & both)), i, read32(SGI(1) + ISPENDR));
	}
	EQUAL(taken[1].total, 0);
}
