/* What reaches the hypervisor without a call: device registers, system registers, interrupts, page tables. */
#include "hostile.h"

/* ---- devices ---------------------------------------------------------------------------------------------------------------- */
static uint64_t device(struct cpu *c)
{
	struct state *s = &states[c->id];

	switch (below(s, 8)) {
	case 0:
	case 1:
		return GICD + (below(s, 4) ? below(s, 0x1000) : below(s, 0x10000));
	case 2:
	case 3:
		return SGI(below(s, VCPUS)) + below(s, 0x1000);
	case 4:
		return GICR + below(s, (VCPUS + 2) * 0x20000);
	case 5:
		return below(s, 0x40000000); /* the whole of the first GiB: mostly holes */
	case 6:
		return GRANTS + below(s, 0x3000);
	}
	return 0x22000000 + below(s, 0x1100); /* a virtual UART, if there were one */
}

/* The last byte that the access would reach must not be the xenstore page: xenstored is not what is tested here. */
static bool is_store(uint64_t at)
{
	return at + 64 >= 0x39000000 && at < 0x39004000;
}

static void read_at(uint64_t at, unsigned kind)
{
	uint64_t a, b;

	switch (kind) {
	case 0:
		read8(at);
		break;
	case 1:
		read16(at);
		break;
	case 2:
		read32(at);
		break;
	case 3:
		read64(at);
		break;
	case 4:
		asm volatile("ldp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(at) : "memory");
		break;
	case 5:
		asm volatile("ldxr %0, [%1]; clrex" : "=&r"(a) : "r"(at) : "memory");
		break;
	case 6:
		asm volatile("ldr %0, [%1], #8" : "=&r"(a), "+r"(at)::"memory");
		break;
	default:
		asm volatile("ldrsb %x0, [%1]" : "=r"(a) : "r"(at) : "memory");
	}
}

static void write_at(uint64_t at, unsigned kind, uint64_t value)
{
	uint64_t status;

	switch (kind) {
	case 0:
		write8(at, (uint32_t)value);
		break;
	case 1:
		write16(at, (uint32_t)value);
		break;
	case 2:
	case 7:
		write32(at, (uint32_t)value);
		break;
	case 3:
		write64(at, value);
		break;
	case 4:
		asm volatile("stp %0, %0, [%1]" ::"r"(value), "r"(at) : "memory");
		break;
	case 5:
		asm volatile("stxr %w0, %1, [%2]" : "=&r"(status) : "r"(value), "r"(at) : "memory");
		break;
	default:
		asm volatile("str %1, [%0], #8" : "+r"(at) : "r"(value) : "memory");
	}
}

void device_access(struct cpu *c)
{
	struct state *s = &states[c->id];

	for (unsigned i = below(s, 64); i > 0; i--) {
		unsigned kind = below(s, 4) ? below(s, 4) : below(s, 8);
		uint64_t at = device(c);

		if (below(s,
			  8)) /* mostly aligned, else half of it ends before the hypervisor sees it */
			at &= ~7ul;
		if (is_store(at))
			continue;
		if (below(s, 2))
			read_at(at, kind);
		else
			write_at(at, kind, below(s, 2) ? boundary(s) : next(s));
	}
}

/* ---- instructions that are made as they are needed ------------------------------------------------------------------------------ */
static _Alignas(4096) uint32_t code[CPUS][1024];

static void code_ready(uint32_t *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(at + i)
			     : "memory");
}

#define RET 0xd65f03c0u
static uint64_t run(struct cpu *c, uint32_t instruction, uint64_t x0)
{
	uint32_t *at = code[c->id];
	register uint64_t value asm("x0") = x0;

	at[0] = instruction;
	at[1] = RET;
	code_ready(at, 2);
	asm volatile("blr %1" : "+r"(value) : "r"(at) : "x30", "memory", "cc");
	return value;
}

#define SYSTEM(read, op0, op1, crn, crm, op2)                                                      \
	(0xd5000000u | (uint32_t)(read) << 21 | (op0) << 19 | (op1) << 16 | (crn) << 12 |          \
	 (crm) << 8 | (op2) << 5)

/* Registers on which this vCPU's next instruction depends. */
static bool is_vital(unsigned op1, unsigned crn, unsigned crm)
{
	return op1 == 0 && (crn == 1 || crn == 2 || crn == 4 || crn == 10 || crn == 13 ||
			    (crn == 12 && crm == 0));
}

void system_register(struct cpu *c)
{
	struct state *s = &states[c->id];

	for (unsigned i = below(s, 32); i > 0; i--) {
		unsigned op0 = 2 + (below(s, 4) != 0),
			 op1 = below(s, 2) ? (below(s, 2) ? 0 : 3) : below(s, 8),
			 crn = below(s, 16), crm = below(s, 16), op2 = below(s, 8);
		uint64_t old = run(c, SYSTEM(1, op0, op1, crn, crm, op2), 0),
			 value = below(s, 2) ? old ^ boundary(s) : next(s);

		if (below(s, 2))
			continue;
		if (is_vital(op1, crn, crm) &&
		    (careful || below(s, 512) || (crn == 13 && op2 == 4)))
			value = old;
		if (crn == 14) /* timers */
			value &= op2 == 0 ? 0x7fffffff : FAR_TIME - 1;
		/* ICC_BPR0 and ICC_BPR1: QEMU 7.2 stores three bits of a value that it compared whole, so 8 becomes the impossible
		 * 0, and an assertion of its own ends it (icv_gprio_mask) */
		if (op1 == 0 && crn == 12 && (crm == 8 || crm == 12) && op2 == 3)
			value &= 7;
		run(c, SYSTEM(0, op0, op1, crn, crm, op2), value);
	}
	asm volatile("msr spsel, #1; isb" ::: "memory");
}

/* SYS: cache, TLB and address translation instructions, with addresses that are scratch memory or no good. */
void system_instruction(struct cpu *c)
{
	struct state *s = &states[c->id];

	for (unsigned i = below(s, 32); i > 0; i--) {
		unsigned op1 = below(s, 2) ? 0 : below(s, 8),
			 crn = below(s, 2) ? 7 + below(s, 2) : below(s, 16);
		uint64_t x0 = below(s, 2) ? (uint64_t)scratch[c->id] : pool_page(c);

		run(c, SYSTEM(0, 1, op1, crn, below(s, 16), below(s, 8)), x0);
	}
}

/* Anything at all. It never comes back: the last instruction is a jump to the start of a vCPU's life. */
void random_code(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint32_t *at = code[c->id];
	unsigned n = 1 + below(s, 12);

	for (unsigned i = 0; i < n; i++)
		at[i] = (uint32_t)next(s);
	at[n++] = 0xd538d080; /* mrs x0, tpidr_el1 */
	at[n++] = 0x58000041; /* ldr x1, .+8 */
	at[n++] = 0xd61f0020; /* br x1 */
	at[n] = (uint32_t)(uint64_t)guest_cpu_entry;
	at[n + 1] = (uint32_t)((uint64_t)guest_cpu_entry >> 32);
	code_ready(at, n + 2);
	asm volatile("mov x30, %0; br %0" ::"r"(at) : "x30", "memory");
}

void undefined_storm(struct cpu *c)
{
	static const uint32_t undefined[] = {0x00000000, 0xd4000003 /* SMC 0 */,
					     0xd4001fe3, 0xd4002003,
					     0xd41fffe2, 0xd4a00001,
					     0xd53b4520, 0xd5384000,
					     0x4a5f0000, 0x05000000,
					     0xd4200000};

	for (unsigned i = below(&states[c->id], 100); i > 0; i--)
		run(c, undefined[below(&states[c->id], sizeof(undefined) / sizeof(undefined[0]))],
		    0xc3000000);
}

/* ---- caches, interrupts, waiting ---------------------------------------------------------------------------------------------- */
void set_way(struct cpu *c)
{
	struct state *s = &states[c->id];

	for (unsigned i = below(s, 500); i > 0; i--) {
		uint64_t which = below(s, 2) ? (uint64_t)below(s, 8) << 1 | below(s, 1024) << 6 |
						       (uint64_t)below(s, 4) << 30
					     : next(s);

		switch (below(s, 3)) {
		case 0:
			asm volatile("dc isw, %0" ::"r"(which) : "memory");
			break;
		case 1:
			asm volatile("dc csw, %0" ::"r"(which) : "memory");
			break;
		default:
			asm volatile("dc cisw, %0" ::"r"(which) : "memory");
		}
	}
}

void sgi_storm(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t value = below(s, 4) ? (uint64_t)below(s, 16) << 24 | below(s, 1 << VCPUS) |
					       (uint64_t)below(s, 2) << 40
				     : next(s);

	for (unsigned i = below(s, 300); i > 0; i--)
		switch (below(s, 8)) {
		case 0:
			icc_write(ICC_ASGI1R, value);
			break;
		case 1:
			icc_write(ICC_SGI0R, value);
			break;
		default:
			icc_write(ICC_SGI1R, value);
		}
}

void wait_instructions(struct cpu *c)
{
	for (unsigned i = below(&states[c->id], 200); i > 0; i--)
		asm volatile("wfe; sev; yield" ::: "memory");
	sysreg_write(cntv_tval_el0, below(&states[c->id], 20000));
	for (unsigned i = below(&states[c->id], 4); i > 0; i--)
		wfi();
}

/* Interrupts masked, with a few that wait; now and then for ever: this vCPU is lost then. */
void masked(struct cpu *c)
{
	asm volatile("msr daifset, #0xf" ::: "memory");
	sgi_storm(c);
	if (c->id != 0 && below(&states[c->id], 500) == 0)
		for (;;)
			;
	delay_us(below(&states[c->id], 1000));
	asm volatile("msr daifclr, #0xf" ::: "memory");
}

/* ---- page tables ------------------------------------------------------------------------------------------------------------------ */
static _Alignas(4096) uint64_t tables[CPUS][2][512];

static uint64_t table_entry(struct cpu *c)
{
	struct state *s = &states[c->id];

	switch (below(s, 6)) {
	case 0:
		return (uint64_t)tables[c->id][below(s, 2)] | 3; /* itself */
	case 1:
		return pool_page(c) | 3;
	case 2:
		return (GICD & ~0xffful) | 3; /* a table in device registers */
	case 3:
		return pool_page(c) | 0x703;
	case 4:
		return next(s);
	}
	return (boundary(s) & 0xfffffffff000) | (next(s) & 0xfff);
}

/* The vCPU's own tables: 16 GiB as before, behind them whatever comes. Another vCPU changes its tables meanwhile, or this one. */
void page_tables(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t(*table)[512] = tables[c->id], *root = (uint64_t *)sysreg_read(ttbr0_el1);

	for (unsigned i = 0; i < 512; i++) {
		table[0][i] = i < 16 ? root[i] : table_entry(c);
		table[1][i] = table_entry(c);
	}
	asm volatile("dsb ish" ::: "memory");
	sysreg_write(ttbr0_el1, (uint64_t)table[0]);
	asm volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
	for (unsigned i = below(s, 100); i > 0; i--) {
		uint64_t at = ((uint64_t)(16 + below(s, 496)) << 30) + below(s, 1 << 30);

		tables[below(s, VCPUS)][1][below(s, 512)] = table_entry(c);
		switch (below(s, 4)) {
		case 0:
			hypercall(17, 6, at, 0); /* get_features to there */
			break;
		case 1:
			write_at(at, below(s, 7), next(s));
			break;
		case 2:
			asm volatile("at s1e1r, %0; at s1e0w, %0; dc zva, %1" ::"r"(at),
				     "r"(at & ~63ul)
				     : "memory");
			break;
		default:
			read_at(at, below(s, 8));
		}
	}
	sysreg_write(ttbr0_el1, (uint64_t)root);
	asm volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

/* ---- registers ---------------------------------------------------------------------------------------------------------------------- */
void float_registers(struct cpu *c)
{
	uint64_t seed = next(&states[c->id]), different;

	asm volatile("msr daifset, #2" ::: "memory");
	sysreg_write(tpidr_el0, seed);
	float_fill(seed);
	for (unsigned i = below(&states[c->id], 10); i > 0; i--) {
		hypercall(29, 0, 0, 0); /* yield */
		delay_us(below(&states[c->id], 100));
	}
	different = float_differs(seed);
	if (different || sysreg_read(tpidr_el0) != seed)
		bad(BY_REGISTERS, "a register changed", different, sysreg_read(tpidr_el0) ^ seed);
	asm volatile("msr daifclr, #2" ::: "memory");
}
