/* The conformance guest: named checks of what the architecture promises a guest, one after the other. */
#ifndef CASE_H
#define CASE_H
#include "bare.h"

struct test_case {
	const char *name;
	void (*run)(void);
	uint64_t cpus; /* that it needs; with fewer it is skipped */
};

#define CASE(name, cpus)                                                                           \
	static void name(void);                                                                    \
	static const struct test_case case_##name                                                  \
		__attribute__((section(".cases"), used)) = {#name, name, cpus};                    \
	static void name(void)

/* Ends the case when the condition does not hold; a and b are shown. */
#define CHECK(condition, a, b)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			failed(#condition, __FILE__, __LINE__, (uint64_t)(a), (uint64_t)(b));      \
			return;                                                                    \
		}                                                                                  \
	} while (0)
#define EQUAL(is, must)                                                                            \
	do {                                                                                       \
		uint64_t is_ = (uint64_t)(is), must_ = (uint64_t)(must);                           \
		if (is_ != must_) {                                                                \
			failed(#is " == " #must, __FILE__, __LINE__, is_, must_);                  \
			return;                                                                    \
		}                                                                                  \
	} while (0)
void failed(const char *what, const char *file, int line, uint64_t a, uint64_t b);
extern volatile bool has_failed;

/* ---- interrupts taken, by the handler that all CPUs have ---------------------------------------------------------------- */
#define ORDER 64
struct taken {
	volatile unsigned total, count[288];
	volatile uint16_t order[ORDER]; /* the first ones */
	volatile uint32_t spurious;
};
extern struct taken taken[CPUS];
/* Called between acknowledge and end, with interrupts masked; may unmask them to be preempted. NULL: nothing. */
extern void (*volatile in_handler)(unsigned intid);
/* With it the handler drops the priority only (EOImode 1 must be set) and leaves the interrupt active. */
extern volatile bool keep_active;
void worker_handler(struct cpu *c, struct frame *f); /* on_irq: notes them in taken[] */
void taken_clear(void);
static inline unsigned here(void)
{
	return (unsigned)cpu_this()->id;
}
#define COUNT(intid) (taken[here()].count[intid])
/* Long enough for an interrupt that must not come. */
void settle(void);

/* SCHEDOP_yield */
static inline void let_others_run(void)
{
	hypercall(29, 0, 0, 0);
}
extern unsigned cpus_there; /* how many this machine has */
/* The other CPUs take interrupts until they are told to go off. */
bool workers_start(void);
bool workers_stop(void);
/* Runs a function on another CPU that works, and waits for it. */
bool run_on(unsigned cpu, void (*what)(void));
bool run_everywhere(void (*what)(void)); /* on all of them and here, at the same time */

/* SPIs of the board that no device drives. */
#define SPI 100u

/* Runs one instruction that may take an exception; whether it did. Its syndrome is in cpu_this()->esr. */
#define FAULTS(...)                                                                                \
	({                                                                                         \
		struct cpu *c_ = cpu_this();                                                       \
		unsigned before_ = c_->caught;                                                     \
		c_->expect = true;                                                                 \
		asm volatile(__VA_ARGS__);                                                         \
		asm volatile("isb" ::: "memory");                                                  \
		c_->expect = false;                                                                \
		c_->caught != before_;                                                             \
	})
#define ESR_CLASS() ((unsigned)(cpu_this()->esr >> 26) & 0x3f)

#endif
