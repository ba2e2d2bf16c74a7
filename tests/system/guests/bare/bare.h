/* Runtime of the bare-metal guests: registers, the GIC and the timers of QEMU's virt board, PSCI, Xen hypercalls, printing.
 * They run as Dom0, printing through console_io, which our hypervisor and stock Xen both have, or with BARE_DOMU as guests. */
#ifndef BARE_H
#define BARE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define sysreg_read(reg)                                                                           \
	({                                                                                         \
		uint64_t value_;                                                                   \
		asm volatile("mrs %0, " #reg : "=r"(value_)::"memory");                            \
		value_;                                                                            \
	})
#define sysreg_write(reg, value)                                                                   \
	do {                                                                                       \
		uint64_t written_ = (value);                                                       \
		asm volatile("msr " #reg ", %0; isb" ::"r"(written_) : "memory");                  \
	} while (0)

/* ---- CPUs ------------------------------------------------------------------------------------------------------------ */
#define CPUS 8
extern uint64_t boot_tree; /* address of the device tree */
void guest_cpu_entry(
	void); /* x0: its struct cpu. Sets the CPU up anew, whatever it was like, and goes on with `run` */

struct frame {
	uint64_t x[31], elr, spsr, spare;
};

struct cpu {
	uint64_t id; /* start.S: offset 0 */
	void (*on_irq)(struct cpu *c, struct frame *f);
	/* every exception (kind: number of the vector), before anything else looks at it; false: not handled */
	bool (*on_exception)(struct cpu *c, unsigned kind, struct frame *f);
	/* a synchronous exception that is expected: it is noted and its instruction skipped */
	bool expect;
	unsigned caught; /* how many */
	uint64_t esr, far, elr;
	/* what a started CPU does */
	void (*run)(struct cpu *c);
	volatile uint64_t up; /* counts its lives */
};
extern struct cpu cpus[CPUS];

static inline struct cpu *cpu_this(void)
{
	return (struct cpu *)sysreg_read(tpidr_el1);
}
static inline void irq_enable(void)
{
	asm volatile("msr daifclr, #2" ::: "memory");
}
static inline void irq_disable(void)
{
	asm volatile("msr daifset, #2" ::: "memory");
}
static inline void wfi(void)
{
	asm volatile("dsb sy; wfi" ::: "memory");
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */
struct smccc {
	uint64_t x[18];
};
/* x0..x17 in and out. */
void smccc_hvc(struct smccc *c);
void smccc_smc(struct smccc *c);
/* x0 of `hvc #0`. */
int64_t psci(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3);
int64_t hypercall(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2);

#define PSCI_VERSION	   0x84000000u
#define PSCI_CPU_SUSPEND   0xc4000001u
#define PSCI_CPU_OFF	   0x84000002u
#define PSCI_CPU_ON	   0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF	   0x84000008u
#define PSCI_SYSTEM_RESET  0x84000009u
#define PSCI_FEATURES	   0x8400000au

/* Starts vCPU id in `run`; the PSCI result. */
int64_t cpu_start(unsigned id, void (*run)(struct cpu *c));
void cpu_off(void);
bool cpu_wait_off(unsigned id);
unsigned cpu_count(void); /* that PSCI knows */

/* ---- printing -------------------------------------------------------------------------------------------------------- */
/* %s %d %u %x (all of 64 bits); one line at a time, at most 200 characters. */
void print(const char *format, ...);
extern void (*print_line)(const char *line,
			  size_t length); /* where it goes: console_io, which only Dom0 may */
void power_off(void) __attribute__((noreturn));

/* ---- GIC ------------------------------------------------------------------------------------------------------------- */
#ifdef BARE_DOMU /* a guest of xl's: xen/arch-arm.h */
#define GICD 0x03001000ul
#define GICR 0x03020000ul
#else
#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#endif
#define RD(cpu)	 (GICR + (cpu)*0x20000ul)
#define SGI(cpu) (RD(cpu) + 0x10000)

#define ICC_PMR	    S3_0_C4_C6_0
#define ICC_IAR1    S3_0_C12_C12_0
#define ICC_EOIR1   S3_0_C12_C12_1
#define ICC_HPPIR1  S3_0_C12_C12_2
#define ICC_BPR1    S3_0_C12_C12_3
#define ICC_CTLR    S3_0_C12_C12_4
#define ICC_SRE	    S3_0_C12_C12_5
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define ICC_DIR	    S3_0_C12_C11_1
#define ICC_SGI1R   S3_0_C12_C11_5
#define ICC_ASGI1R  S3_0_C12_C11_6
#define ICC_SGI0R   S3_0_C12_C11_7
#define ICC_RPR	    S3_0_C12_C11_3
#define ICC_AP1R0   S3_0_C12_C9_0
/* as sysreg_read() and sysreg_write(), for names that are macros */
#define icc_read(reg)		  sysreg_read_(reg)
#define icc_write(reg, value)	  sysreg_write_(reg, value)
#define sysreg_read_(reg)	  sysreg_read(reg)
#define sysreg_write_(reg, value) sysreg_write(reg, value)

static inline uint32_t read32(uint64_t at)
{
	uint32_t value;

	asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return value;
}
static inline void write32(uint64_t at, uint32_t value)
{
	asm volatile("str %w0, [%1]" ::"r"(value), "r"(at) : "memory");
}
static inline uint64_t read64(uint64_t at)
{
	uint64_t value;

	asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return value;
}
static inline void write64(uint64_t at, uint64_t value)
{
	asm volatile("str %0, [%1]" ::"r"(value), "r"(at) : "memory");
}
static inline uint32_t read8(uint64_t at)
{
	uint32_t value;

	asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return value;
}
static inline void write8(uint64_t at, uint32_t value)
{
	asm volatile("strb %w0, [%1]" ::"r"(value), "r"(at) : "memory");
}
static inline uint32_t read16(uint64_t at)
{
	uint32_t value;

	asm volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return value;
}
static inline void write16(uint64_t at, uint32_t value)
{
	asm volatile("strh %w0, [%1]" ::"r"(value), "r"(at) : "memory");
}

#define PPI_VTIMER 27u
#define PPI_PTIMER 30u

void gic_init(void);	 /* distributor on, this CPU's interface on, priority mask open */
void gic_cpu_init(void); /* this CPU's interface */
/* The frame and the bit of an interrupt's registers; PPIs and SGIs: of this CPU. */
uint64_t gic_frame(unsigned intid);
void gic_set(unsigned intid,
	     unsigned offset); /* one bit of a register of one bit for each interrupt */
bool gic_get(unsigned intid, unsigned offset);
void gic_enable(unsigned intid, unsigned priority);
void gic_disable(unsigned intid);
void gic_priority(unsigned intid, unsigned priority);
void gic_edge(unsigned intid, bool edge);
void gic_route(unsigned intid, unsigned cpu);
void gic_sgi_self(unsigned sgi);
#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR	  0x200
#define ICPENDR	  0x280
#define ISACTIVER 0x300
#define ICACTIVER 0x380

/* ---- time ------------------------------------------------------------------------------------------------------------ */
static inline uint64_t counter(void)
{
	asm volatile("isb" ::: "memory");
	return sysreg_read(cntvct_el0);
}
uint64_t ticks_of_us(uint64_t us);
void delay_us(uint64_t us);
/* Waits until the expression holds; its value. The limit only makes a failure of what would be a hang. */
#define WAIT_FOR(expression)                                                                       \
	({                                                                                         \
		uint64_t end_ = counter() + ticks_of_us(60000000);                                 \
		bool holds_;                                                                       \
		while (!(holds_ = (expression)) && counter() < end_)                               \
			asm volatile("yield" ::: "memory");                                        \
		holds_;                                                                            \
	})

extern uint64_t guest_tree; /* address of the device tree */
void guest_main(void);
#endif
