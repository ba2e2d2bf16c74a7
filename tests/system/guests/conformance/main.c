#include "case.h"

struct taken taken[CPUS];
void (*volatile in_handler)(unsigned intid);
volatile bool keep_active, has_failed;
unsigned cpus_there;
static const char *running;

extern const struct test_case cases_begin[], cases_end[];

void failed(const char *what, const char *file, int line, uint64_t a, uint64_t b)
{
	const char *name = file;

	for (; *file; file++)
		if (*file == '/')
			name = file + 1;
	has_failed = true;
	print("case %s FAILED %s:%u: %s (%x, %x)", running, name, (uint64_t)line, what, a, b);
}

void worker_handler(struct cpu *c, struct frame *f)
{
	struct taken *t = &taken[c->id];
	unsigned intid = (unsigned)icc_read(ICC_IAR1) & 0xffffff;

	(void)f;
	if (intid >= 1020) {
		t->spurious++;
		return;
	}
	if (t->total < ORDER)
		t->order[t->total] = (uint16_t)intid;
	t->total++;
	t->count[intid]++;
	if (in_handler)
		in_handler(intid);
	icc_write(ICC_EOIR1, intid);
	if (!keep_active && (icc_read(ICC_CTLR) & 2))
		icc_write(ICC_DIR, intid);
}

void taken_clear(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		taken[i] = (struct taken){0};
}

void settle(void)
{
	delay_us(300);
}

/* ---- other CPUs ------------------------------------------------------------------------------------------------------ */
static volatile bool stop;
static void (*volatile task[CPUS])(void);

static void worker(struct cpu *c)
{
	c->on_irq = worker_handler;
	for (unsigned sgi = 0; sgi < 16; sgi++)
		gic_enable(sgi, 0xa0);
	irq_enable();
	while (!stop)
		if (task[c->id]) {
			task[c->id]();
			task[c->id] = NULL;
		} else if (c->id >= 4) {
			/* to whom it shares its CPU with, so that many of them do not take long; the others spin */
			asm volatile("wfe" ::: "memory");
		}
	irq_disable();
}

bool workers_start(void)
{
	stop = false;
	for (unsigned i = 1; i < cpus_there; i++) {
		uint64_t lives = cpus[i].up;

		task[i] = NULL;
		if (cpu_start(i, worker) != 0 || !WAIT_FOR(cpus[i].up == lives + 1))
			return false;
	}
	delay_us(200); /* until they take interrupts */
	return true;
}

bool workers_stop(void)
{
	bool all = true;

	stop = true;
	for (unsigned i = 1; i < cpus_there; i++)
		all &= cpu_wait_off(i);
	return all;
}

bool run_on(unsigned cpu, void (*what)(void))
{
	task[cpu] = what;
	return WAIT_FOR(!task[cpu]);
}

bool run_everywhere(void (*what)(void))
{
	bool done = true;

	for (unsigned i = 1; i < cpus_there; i++)
		task[i] = what;
	what();
	for (unsigned i = 1; i < cpus_there; i++)
		done &= WAIT_FOR(!task[i]);
	return done;
}

/* ---- one case after the other ------------------------------------------------------------------------------------------ */
static void clean(void)
{
	irq_disable();
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	gic_init();
	icc_write(ICC_AP1R0, 0); /* a case that failed may have left an interrupt unfinished */
	for (unsigned n = 0; n < 9; n++) {
		uint64_t frame = n == 0 ? SGI(0) : GICD;

		write32(frame + ICENABLER + n * 4, ~0u);
		write32(frame + ICPENDR + n * 4, ~0u);
		write32(frame + ICACTIVER + n * 4, ~0u);
	}
	for (unsigned i = 0; i < 32; i += 4)
		write32(SGI(0) + 0x400 + i, 0xa0a0a0a0);
	for (unsigned i = SPI; i < SPI + 40; i++) {
		gic_route(i, 0);
		gic_priority(i, 0xa0);
		gic_edge(i, false);
	}
	in_handler = NULL;
	keep_active = false;
	cpus[0].on_irq = worker_handler;
	taken_clear();
}

void guest_main(void)
{
	gic_init();
	cpus_there = cpu_count();
	print("conformance begins on %u CPUs", (uint64_t)cpus_there);
	for (const struct test_case *c = cases_begin; c < cases_end; c++) {
		clean();
		has_failed = false;
		running = c->name;
		if (c->cpus > cpus_there) {
			print("case %s skipped: needs %u CPUs", c->name, c->cpus);
			continue;
		}
		c->run();
		if (!has_failed)
			print("case %s ok", c->name);
		irq_disable();
		if (cpus_there > 1 && !workers_stop()) {
			print("case %s FAILED: a CPU does not go off", c->name);
			power_off();
		}
	}
	print("conformance ends");
	power_off();
}
