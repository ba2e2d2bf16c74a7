/* Virtual and physical timer: the same promises twice. Arm ARM D11.2. */
#include "case.h"

#define ENABLE	1u
#define IMASK	2u
#define ISTATUS 4u

struct generic_timer {
	const char *name;
	unsigned ppi;
	uint64_t (*now)(void), (*ctl)(void), (*cval)(void), (*tval)(void);
	void (*set_ctl)(uint64_t), (*set_cval)(uint64_t), (*set_tval)(uint64_t);
};

#define TIMER(t, counter_, intid)                                                                  \
	static uint64_t t##_now(void)                                                              \
	{                                                                                          \
		asm volatile("isb" ::: "memory");                                                  \
		return sysreg_read(counter_);                                                      \
	}                                                                                          \
	static uint64_t t##_ctl(void)                                                              \
	{                                                                                          \
		return sysreg_read(t##_ctl_el0);                                                   \
	}                                                                                          \
	static uint64_t t##_cval(void)                                                             \
	{                                                                                          \
		return sysreg_read(t##_cval_el0);                                                  \
	}                                                                                          \
	static uint64_t t##_tval(void)                                                             \
	{                                                                                          \
		return sysreg_read(t##_tval_el0);                                                  \
	}                                                                                          \
	static void t##_set_ctl(uint64_t v)                                                        \
	{                                                                                          \
		sysreg_write(t##_ctl_el0, v);                                                      \
	}                                                                                          \
	static void t##_set_cval(uint64_t v)                                                       \
	{                                                                                          \
		sysreg_write(t##_cval_el0, v);                                                     \
	}                                                                                          \
	static void t##_set_tval(uint64_t v)                                                       \
	{                                                                                          \
		sysreg_write(t##_tval_el0, v);                                                     \
	}                                                                                          \
	static const struct generic_timer t = {#t,	    intid,	  t##_now,                 \
					       t##_ctl,	    t##_cval,	  t##_tval,                \
					       t##_set_ctl, t##_set_cval, t##_set_tval};
TIMER(cntv, cntvct_el0, PPI_VTIMER)
TIMER(cntp, cntpct_el0, PPI_PTIMER)

#define BOTH(name)                                                                                 \
	CASE(cntv_##name, 1)                                                                       \
	{                                                                                          \
		name(&cntv);                                                                       \
	}                                                                                          \
	CASE(cntp_##name, 1)                                                                       \
	{                                                                                          \
		name(&cntp);                                                                       \
	}

/* compare values stay below 2^48: QEMU 7.2 hangs on deadlines near 2^64 */
#define FAR (1ul << 47)

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
