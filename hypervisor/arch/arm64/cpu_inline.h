/* Inline part of arch/cpu.h for the real machine. */
#include "sysreg.h"

/* Reserved for this (-ffixed-x18) and 0 at every entry to EL2 (entry.S), so that counting costs a memory access nowhere. What
 * the prebuilt libfdt leaves in it while Dom0's tree is written is gone when the first guest runs. */
#ifdef CPPCHECK /* it takes the register's name for code */
extern uint64_t cpu_locks;
#else
register uint64_t cpu_locks asm("x18");
#endif

static inline void cpu_relax(void)
{
	asm volatile("yield" ::: "memory");
}
static inline struct cpu *cpu_this(void)
{
	return (struct cpu *)sysreg_read(tpidr_el2);
}
static inline uint64_t cpu_counter(void)
{
	asm volatile("isb" ::: "memory");
	return sysreg_read(cntpct_el0);
}
static inline uint64_t cpu_counter_frequency(void)
{
	return sysreg_read(cntfrq_el0);
}
static inline void cpu_barrier_full(void)
{
	asm volatile("dmb ish" ::: "memory");
}
static inline void cpu_barrier_store(void)
{
	asm volatile("dmb ishst" ::: "memory");
}
static inline void cpu_barrier_device(void)
{
	asm volatile("dsb sy" ::: "memory");
}
static inline void cpu_wait(void)
{
	asm volatile("dsb sy; wfi" ::: "memory");
}
static inline bool cpu_guest_masked(void)
{
	return sysreg_read(spsr_el2) & 1u << 7;
}
static inline bool cpu_interrupt_pending(void)
{
	return sysreg_read(isr_el1) != 0;
}
