#include "bare.h"
#include <stdarg.h>

uint64_t boot_tree;

struct cpu cpus[CPUS] = {{.id = 0}, {.id = 1}, {.id = 2}, {.id = 3},
			 {.id = 4}, {.id = 5}, {.id = 6}, {.id = 7}};

/* ---- calls ----------------------------------------------------------------------------------------------------------- */
#define CALL(name, instruction)                                                                    \
	void name(struct smccc *c)                                                                 \
	{                                                                                          \
		asm volatile("mov x19, %0\n"                                                       \
			     "ldp x0, x1, [x19]\n"                                                 \
			     "ldp x2, x3, [x19, #16]\n"                                            \
			     "ldp x4, x5, [x19, #32]\n"                                            \
			     "ldp x6, x7, [x19, #48]\n"                                            \
			     "ldp x8, x9, [x19, #64]\n"                                            \
			     "ldp x10, x11, [x19, #80]\n"                                          \
			     "ldp x12, x13, [x19, #96]\n"                                          \
			     "ldp x14, x15, [x19, #112]\n"                                         \
			     "ldp x16, x17, [x19, #128]\n" instruction "\n"                        \
			     "stp x0, x1, [x19]\n"                                                 \
			     "stp x2, x3, [x19, #16]\n"                                            \
			     "stp x4, x5, [x19, #32]\n"                                            \
			     "stp x6, x7, [x19, #48]\n"                                            \
			     "stp x8, x9, [x19, #64]\n"                                            \
			     "stp x10, x11, [x19, #80]\n"                                          \
			     "stp x12, x13, [x19, #96]\n"                                          \
			     "stp x14, x15, [x19, #112]\n"                                         \
			     "stp x16, x17, [x19, #128]\n" ::"r"(c)                                \
			     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",  \
			       "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", "memory");  \
	}
CALL(smccc_hvc, "hvc #0")
CALL(smccc_smc, "smc #0")

int64_t psci(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct smccc c = {{function, a1, a2, a3}};

	smccc_hvc(&c);
	return (int32_t)c.x[0];
}

int64_t hypercall(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	register uint64_t x16 asm("x16") = number;
	register uint64_t x0 asm("x0") = a0;
	register uint64_t x1 asm("x1") = a1;
	register uint64_t x2 asm("x2") = a2;

	asm volatile("hvc #0xea1" : "+r"(x0) : "r"(x16), "r"(x1), "r"(x2) : "memory");
	return (int64_t)x0;
}

void guest_cpu_main(struct cpu *c);
void guest_cpu_main(struct cpu *c)
{
	gic_cpu_init();
	c->up++;
	c->run(c);
	cpu_off();
}

int64_t cpu_start(unsigned id, void (*run)(struct cpu *c))
{
	cpus[id].run = run;
	return psci(PSCI_CPU_ON, id, (uint64_t)guest_cpu_entry, (uint64_t)&cpus[id]);
}

void cpu_off(void)
{
	psci(PSCI_CPU_OFF, 0, 0, 0);
}

bool cpu_wait_off(unsigned id)
{
	return WAIT_FOR(psci(PSCI_AFFINITY_INFO, id, 0, 0) == 1);
}

unsigned cpu_count(void)
{
	unsigned n = 0;

	while (n < CPUS && psci(PSCI_AFFINITY_INFO, n, 0, 0) >= 0)
		n++;
	return n;
}

/* what the compiler calls for structures */
void *memset(void *at, int value, size_t size);
void *memset(void *at, int value, size_t size)
{
	for (volatile uint8_t *p = at; size > 0; size--)
		*p++ = (uint8_t)value;
	return at;
}
void *memcpy(void *to, const void *from, size_t size);
void *memcpy(void *to, const void *from, size_t size)
{
	volatile uint8_t *d = to;

	for (const uint8_t *s = from; size > 0; size--)
		*d++ = *s++;
	return to;
}

int memcmp(const void *a, const void *b, size_t size);
int memcmp(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *x = a, *y = b;

	for (; size > 0; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* ---- exceptions ------------------------------------------------------------------------------------------------------ */
void guest_exception(unsigned kind, struct frame *f);
void guest_exception(unsigned kind, struct frame *f)
{
	struct cpu *c = cpu_this();

	if (c->on_exception && c->on_exception(c, kind, f))
		return;
	if (kind == 5 && c->on_irq) {
		c->on_irq(c, f);
		return;
	}
	c->esr = sysreg_read(esr_el1);
	c->far = sysreg_read(far_el1);
	c->elr = f->elr;
	if (kind == 4 && c->expect) {
		c->caught++;
		/* a jump to where nothing is: back to the caller */
		f->elr = c->esr >> 26 == 0x21 ? f->x[30] : f->elr + 4;
		return;
	}
	print("unexpected exception %u on CPU %u: ESR %x, FAR %x, ELR %x", kind, c->id, c->esr,
	      c->far, f->elr);
	power_off();
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */
static char *number(char *at, uint64_t v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while ((v /= base) != 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static void console_io(const char *line, size_t length)
{
	hypercall(18, 0, length, (uint64_t)line); /* CONSOLEIO_write */
}
void (*print_line)(const char *line, size_t length) = console_io;

void print(const char *format, ...)
{
	char line[256], *at = line;
	va_list args;

	va_start(args, format);
	for (; *format && at < line + 200; format++) {
		const char *s;
		int64_t v;

		if (*format != '%') {
			*at++ = *format;
			continue;
		}
		switch (*++format) {
		case 's':
			for (s = va_arg(args, const char *); *s && at < line + 200; s++)
				*at++ = *s;
			break;
		case 'd':
			v = va_arg(args, int64_t);
			if (v < 0)
				*at++ = '-';
			at = number(at, v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
			break;
		case 'u':
			at = number(at, va_arg(args, uint64_t), 10);
			break;
		case 'x':
			at = number(at, va_arg(args, uint64_t), 16);
			break;
		}
	}
	va_end(args);
	*at++ = '\n';
	print_line(line, (size_t)(at - line));
}

void power_off(void)
{
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}

/* ---- GIC ------------------------------------------------------------------------------------------------------------- */
void gic_cpu_init(void)
{
	icc_write(ICC_SRE, 7);
	icc_write(ICC_PMR, 0xff);
	icc_write(ICC_BPR1, 0);
	icc_write(ICC_CTLR, 0);
	icc_write(ICC_IGRPEN1, 1);
}

void gic_init(void)
{
	write32(GICD, 0x12); /* ARE_NS, EnableGrp1A */
	gic_cpu_init();
}

uint64_t gic_frame(unsigned intid)
{
	return intid < 32 ? SGI(cpu_this()->id) : GICD;
}

void gic_set(unsigned intid, unsigned offset)
{
	write32(gic_frame(intid) + offset + intid / 32 * 4, 1u << intid % 32);
}

bool gic_get(unsigned intid, unsigned offset)
{
	return read32(gic_frame(intid) + offset + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_priority(unsigned intid, unsigned priority)
{
	write8(gic_frame(intid) + 0x400 + intid, priority);
}

void gic_enable(unsigned intid, unsigned priority)
{
	gic_priority(intid, priority);
	gic_set(intid, ISENABLER);
}

void gic_disable(unsigned intid)
{
	gic_set(intid, ICENABLER);
}

void gic_edge(unsigned intid, bool edge)
{
	uint64_t at = gic_frame(intid) + 0xc00 + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2, value = read32(at);

	write32(at, edge ? value | bit : value & ~bit);
}

void gic_route(unsigned intid, unsigned cpu)
{
	write64(GICD + 0x6000 + intid * 8ul, cpu);
}

void gic_sgi_self(unsigned sgi)
{
	icc_write(ICC_SGI1R, (uint64_t)sgi << 24 | 1ul << cpu_this()->id);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */
uint64_t ticks_of_us(uint64_t us)
{
	return sysreg_read(cntfrq_el0) * us / 1000000;
}

void delay_us(uint64_t us)
{
	uint64_t end = counter() + ticks_of_us(us);

	while (counter() < end)
		;
}
