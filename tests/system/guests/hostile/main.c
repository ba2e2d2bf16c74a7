/* bootargs: seed=N (decimal) quiet=N (a domain's number) careful (self.c) idle (only burn time: what the hostile ones are compared
 * with). */
#include "hostile.h"

struct state states[CPUS];
_Alignas(4096) uint8_t scratch[CPUS][4 * 4096];
unsigned quiet_domain;

static action *const actions[] = {
	any_hypercall,	  any_hypercall,   event_calls,	      grant_calls,
	memory_calls,	  other_calls,	   many_calls,	      firmware_calls,
	vcpus_on_and_off, console_flood,   event_storm,	      device_access,
	device_access,	  system_register, system_register,   system_instruction,
	sgi_storm,	  set_way,	   wait_instructions, undefined_storm,
	masked,		  own_memory,	   float_registers, /* not the careful ones: */
	page_tables,	  random_code,
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))
#define WILD	2

void bad(enum proof proof, const char *what, uint64_t a, uint64_t b)
{
	uint64_t end = counter() + ticks_of_us(1000000);

	if (!careful && (proof == BY_MEMORY || self_spoiled()))
		return;
	/* for a second, however full the console is, and whatever the timer thinks of an action that long */
	asm volatile("msr daifset, #0xf" ::: "memory");
	do
		print("hostile: BAD: %s: %x %x%s", what, a, b, careful ? "" : ", says a wild one");
	while (counter() < end);
	asm volatile("msr daifclr, #0xf" ::: "memory");
}

/* To the beginning of its life, whatever state the vCPU is in. */
static bool begin_again(struct cpu *c, struct frame *f)
{
	states[c->id].recovered++;
	console_leave(c);
	f->x[0] = (uint64_t)c;
	f->elr = (uint64_t)guest_cpu_entry;
	f->spsr = 0x3c5;
	return true;
}

static bool on_interrupt(struct cpu *c, struct frame *f)
{
	bool late = false;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t intid = icc_read(ICC_IAR1);

		if (intid >= 1020)
			break;
		if (intid == PPI_VTIMER) {
			sysreg_write(cntv_ctl_el0, 0);
			late = true;
		}
		if (intid == 31)
			*(volatile uint8_t *)SHARED_INFO =
				0; /* vcpu_info[0].evtchn_upcall_pending */
		icc_write(ICC_EOIR1, intid);
	}
	return late ? begin_again(c, f) : true;
}

static bool on_exception(struct cpu *c, unsigned kind, struct frame *f)
{
	struct state *s = &states[c->id];
	unsigned class = (unsigned)(sysreg_read(esr_el1) >> 26);

	if (kind % 4 == 1 || kind % 4 == 2)
		return on_interrupt(c, f);
	if (kind / 4 != 1 || class == 0x20 || class == 0x21 || class == 0x22 || class == 0x0e ||
	    ++s->faults > 300)
		return begin_again(c, f);
	f->elr += 4;
	return true;
}

static void settle(void)
{
	gic_init();
	gic_enable(PPI_VTIMER, 0x80);
	gic_edge(PPI_VTIMER, false);
	gic_enable(31, 0x90);
	asm volatile("msr daifclr, #0xf" ::: "memory");
}

static void live(struct cpu *c)
{
	struct state *s = &states[c->id];

	if (!s->checked)
		begin_check(c);
	settle();
	for (unsigned i = 1;; i++) {
		s->faults = 0;
		if (i % 32 == 0)
			settle();
		/* an action that does not end is left by the timer */
		sysreg_write(cntv_tval_el0, ticks_of_us(2000));
		sysreg_write(cntv_ctl_el0, 1);
		actions[below(s, careful ? ACTIONS - WILD : ACTIONS)](c);
		s->actions++;
		if (c->id == 0 && s->actions % 256 == 0 && !self_spoiled())
			print("hostile: %u actions, %u times begun again, at least", s->actions,
			      s->recovered);
	}
}

static void burn(struct cpu *c)
{
	(void)c;
	for (;;)
		;
}

/* The number behind `name` in the device tree, wherever it stands. */
static uint64_t option(const char *name, bool *there)
{
	const char *tree = (const char *)boot_tree;
	uint32_t size = __builtin_bswap32(*(const uint32_t *)(boot_tree + 4));
	uint64_t value = 0;

	*there = false;
	for (uint32_t i = 0; i + 32 < size; i++) {
		unsigned n = 0;

		while (name[n] && tree[i + n] == name[n])
			n++;
		if (name[n])
			continue;
		*there = true;
		for (; tree[i + n] >= '0' && tree[i + n] <= '9'; n++)
			value = value * 10 + (unsigned)(tree[i + n] - '0');
		return value;
	}
	return 0;
}

void guest_main(void)
{
	bool there, idle;
	uint64_t seed = option("seed=", &there);

	quiet_domain = (unsigned)option("quiet=", &there);
	if (!there)
		quiet_domain = ~0u;
	(void)option("idle", &idle);
	(void)option("careful", &careful);
	console_start();
	print("hostile: seed %u, the quiet domain is %u%s", seed, quiet_domain,
	      idle	? ", idle"
	      : careful ? ", careful"
			: "");
	self_start();
	calls_start();
	for (unsigned i = 0; i < VCPUS; i++) {
		cpus[i].on_exception = on_exception;
		cpus[i].run = idle ? burn : live;
		states[i].random = (seed * VCPUS + i + 1) * 0x9e3779b97f4a7c15ul;
	}
	for (unsigned i = 1; i < VCPUS; i++)
		cpu_start(i, cpus[i].run);
	cpus[0].run(&cpus[0]);
}
