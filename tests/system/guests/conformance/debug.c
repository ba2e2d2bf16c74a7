/* Self-hosted debug: breakpoints, watchpoints, single step, the OS lock. Arm ARM D2. */
#include "case.h"

#define BREAKPOINT_HERE 0x31
#define STEP_HERE	0x33
#define WATCHPOINT_HERE 0x35
#define BRK		0x3c
#define SS		(1ul << 0)
#define KDE		(1ul << 13)
#define MDE		(1ul << 15)
#define SPSR_D		(1ul << 9)
#define SPSR_SS		(1ul << 21)
#define EL1_ALL_BYTES	(0xfful << 5 | 1ul << 1 | 1)
#define LOADS		(1ul << 3)
#define STORES		(2ul << 3)

/* X(n) for each register there may be. */
#define EACH(X)                                                                                    \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void breakpoint(unsigned n, uint64_t at, uint64_t control)
{
	switch (n) {
#define X(i)                                                                                       \
	case i:                                                                                    \
		sysreg_write(dbgbvr##i##_el1, at);                                                 \
		sysreg_write(dbgbcr##i##_el1, control);                                            \
		break;
		EACH(X)
#undef X
	}
}

static void watchpoint(unsigned n, uint64_t at, uint64_t control)
{
	switch (n) {
#define X(i)                                                                                       \
	case i:                                                                                    \
		sysreg_write(dbgwvr##i##_el1, at);                                                 \
		sysreg_write(dbgwcr##i##_el1, control);                                            \
		break;
		EACH(X)
#undef X
	}
}

static unsigned breakpoints(void)
{
	return (sysreg_read(id_aa64dfr0_el1) >> 12 & 15) + 1;
}
static unsigned watchpoints(void)
{
	return (sysreg_read(id_aa64dfr0_el1) >> 20 & 15) + 1;
}

#define STEPS 16
struct seen {
	volatile unsigned count;
	volatile uint64_t esr, far, at[STEPS];
};
static struct seen seen[CPUS];

/* Goes on behind what it notes: past a breakpoint or watchpoint with debug exceptions masked, one step further, or behind a BRK. */
static bool note(struct cpu *c, unsigned kind, struct frame *f)
{
	struct seen *s = &seen[c->id];
	unsigned class = (unsigned)(sysreg_read(esr_el1) >> 26);

	if (kind != 4 || class < BREAKPOINT_HERE || class > BRK)
		return false;
	s->esr = sysreg_read(esr_el1);
	s->far = sysreg_read(far_el1);
	if (s->count < STEPS)
		s->at[s->count] = f->elr;
	s->count++;
	if (class == BRK)
		f->elr += 4;
	else if (class == STEP_HERE && s->count < STEPS)
		f->spsr |= SPSR_SS;
	else
		f->spsr |= SPSR_D;
	return true;
}

/* Nothing set, debug exceptions masked, this CPU's handler in place. */
static void nothing_set(void)
{
	asm volatile("msr daifset, #8");
	sysreg_write(mdscr_el1, 0);
	sysreg_write(osdlr_el1, 0);
	sysreg_write(oslar_el1, 0);
	for (unsigned i = 0; i < breakpoints(); i++)
		breakpoint(i, 0, 0);
	for (unsigned i = 0; i < watchpoints(); i++)
		watchpoint(i, 0, 0);
	seen[here()] = (struct seen){0};
	cpu_this()->on_exception = note;
}
static void enable(uint64_t control)
{
	sysreg_write(mdscr_el1, control);
	asm volatile("msr daifclr, #8; isb" ::: "memory");
}
static void end(void)
{
	asm volatile("msr daifset, #8");
	sysreg_write(mdscr_el1, 0);
	cpu_this()->on_exception = NULL;
}

CASE(debug_registers_are_there, 1)
{
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);

	CHECK((dfr0 & 15) >= 6, dfr0, 0);
	CHECK(breakpoints() >= 2 && watchpoints() >= 2, dfr0, 0);
	nothing_set();
	for (unsigned i = 0; i < breakpoints(); i++)
		breakpoint(i, 0x1000 + 0x100 * i, EL1_ALL_BYTES & ~1ul);
	for (unsigned i = 0; i < watchpoints(); i++)
		watchpoint(i, 0x2000 + 0x100 * i, (EL1_ALL_BYTES | LOADS) & ~1ul);
	EQUAL(sysreg_read(dbgbvr0_el1), 0x1000);
	EQUAL(sysreg_read(dbgbvr1_el1), 0x1100);
	EQUAL(sysreg_read(dbgbcr1_el1) & 0x1fff, EL1_ALL_BYTES & ~1ul);
	EQUAL(sysreg_read(dbgwvr0_el1), 0x2000);
	EQUAL(sysreg_read(dbgwvr1_el1), 0x2100);
	EQUAL(sysreg_read(dbgwcr1_el1) & 0x1fff, (EL1_ALL_BYTES | LOADS) & ~1ul);
	sysreg_write(mdscr_el1, KDE | MDE);
	EQUAL(sysreg_read(mdscr_el1), KDE | MDE);
	nothing_set();
	EQUAL(sysreg_read(dbgbvr1_el1) | sysreg_read(dbgwvr1_el1) | sysreg_read(mdscr_el1), 0);
	end();
}

CASE(debug_brk_is_the_guests, 1)
{
	uint64_t at;

	nothing_set();
	asm volatile("adr %0, 1f\n1: brk #0x1234" : "=r"(at)::"memory");
	end();
	EQUAL(seen[0].count, 1);
	EQUAL(seen[0].at[0], at);
	EQUAL(seen[0].esr, (uint64_t)BRK << 26 | 1ul << 25 | 0x1234);
}

/* Runs over a breakpoint; where it is. noinline: it is there once. */
static __attribute__((noinline)) uint64_t run_over(bool for_real)
{
	uint64_t at;

	asm volatile("adr %0, 1f\ncbz %w1, 2f\n1: nop\n2:" : "=&r"(at) : "r"(for_real) : "memory");
	return at;
}

CASE(debug_every_breakpoint_is_hit, 1)
{
	uint64_t at = run_over(false);

	for (unsigned i = 0; i < breakpoints(); i++) {
		nothing_set();
		breakpoint(i, at, EL1_ALL_BYTES);
		run_over(true);
		EQUAL(seen[0].count, 0);
		enable(KDE | MDE);
		run_over(true);
		end();
		EQUAL(seen[0].count, 1);
		EQUAL(seen[0].at[0], at);
		EQUAL(seen[0].esr >> 26, BREAKPOINT_HERE);
	}
	nothing_set();
	enable(KDE | MDE);
	run_over(true);
	end();
	EQUAL(seen[0].count, 0);
}

static volatile uint64_t data;

CASE(debug_every_watchpoint_is_hit, 1)
{
	for (unsigned i = 0; i < watchpoints(); i++)
		for (unsigned store = 0; store < 2; store++) {
			nothing_set();
			watchpoint(i, (uint64_t)&data, EL1_ALL_BYTES | (store ? STORES : LOADS));
			enable(KDE | MDE);
			if (store)
				(void)data;
			else
				data = 5;
			EQUAL(seen[0].count, 0);
			if (store)
				data = 7;
			else
				(void)data;
			end();
			EQUAL(seen[0].count, 1);
			EQUAL(seen[0].far, (uint64_t)&data);
			EQUAL(seen[0].esr >> 26, WATCHPOINT_HERE);
			EQUAL(seen[0].esr >> 6 & 1, store);
		}
	EQUAL(data, 7);
}

/* What traps to the hypervisor is one step like the others: a register, a device, calls. */
CASE(debug_steps_one_instruction_at_a_time, 1)
{
	uint64_t from;

	nothing_set();
	asm volatile("adr %0, 1f\nmov x1, %1\nmsr mdscr_el1, %2\nisb\nmsr daifclr, #8\n"
		     "1: nop\n"
		     "mrs x0, S3_0_C0_C4_0\n"
		     "ldr w0, [x1, #4]\n"
		     "movz w0, #0x8400, lsl #16\n"
		     "hvc #0\n"
		     "movz w0, #0x8400, lsl #16\n"
		     "smc #0\n"
		     "msr S3_0_C12_C11_5, xzr\n"
		     "mrs x0, S3_3_C14_C2_1\n"
		     "ldr w0, [x1], #4\n"
		     "msr daifset, #8"
		     : "=&r"(from)
		     : "r"(GICD), "r"(KDE | SS)
		     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
		       "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	end();
	EQUAL(seen[0].esr >> 26, STEP_HERE);
	for (unsigned i = 0; i < 11; i++)
		EQUAL(seen[0].at[i] - from, 4 * i);
	/* the last one masked them; QEMU 7.2 lets one more through */
	CHECK(seen[0].count == 11 || seen[0].count == 12, seen[0].count, 0);
}

CASE(debug_os_lock_holds_everything_back_but_brk, 1)
{
	uint64_t at = run_over(false);

	nothing_set();
	EQUAL(sysreg_read(oslsr_el1) & 2, 0);
	breakpoint(0, at, EL1_ALL_BYTES);
	watchpoint(0, (uint64_t)&data, EL1_ALL_BYTES | STORES | LOADS);
	sysreg_write(oslar_el1, 1);
	EQUAL(sysreg_read(oslsr_el1) & 2, 2);
	enable(KDE | MDE | SS);
	run_over(true);
	data = 1;
	EQUAL(seen[0].count, 0);
	asm volatile("brk #1");
	EQUAL(seen[0].count, 1);
	sysreg_write(mdscr_el1, KDE | MDE);
	sysreg_write(oslar_el1, 0);
	EQUAL(sysreg_read(oslsr_el1) & 2, 0);
	run_over(true);
	end();
	EQUAL(seen[0].count, 2);
	EQUAL(seen[0].at[1], at);
}

/* Each CPU watches a word of its own while all write all words. */
static volatile uint64_t words[CPUS];
static void watch_mine(void)
{
	unsigned me = here();

	nothing_set();
	watchpoint(me % watchpoints(), (uint64_t)&words[me], EL1_ALL_BYTES | STORES);
	for (unsigned round = 0; round < STEPS; round++) {
		enable(KDE | MDE);
		for (unsigned i = 0; i < cpus_there; i++)
			if (i != me)
				words[i] = me;
		let_others_run();
		words[me] = me;
	}
	end();
}

CASE(debug_registers_are_each_cpus_own, 2)
{
	CHECK(workers_start(), 0, 0);
	CHECK(run_everywhere(watch_mine), 0, 0);
	for (unsigned i = 0; i < cpus_there; i++) {
		EQUAL(seen[i].count, STEPS);
		EQUAL(seen[i].far, (uint64_t)&words[i]);
		EQUAL(seen[i].esr >> 26, WATCHPOINT_HERE);
	}
}
