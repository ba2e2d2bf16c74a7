/* The processor as core/ sees it. arch/arm64/cpu_inline.h implements the inline part; the fake machine of the host tests has
 * a file of the same name. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H
#include "lib/types.h"

struct cpu;

/* cpu_locks (a variable of each CPU, as wide as a register): how many locks this CPU holds, counted by lib/lock.h */
static inline void cpu_relax(void);		    /* inside a spin loop */
static inline struct cpu *cpu_this(void);	    /* TPIDR_EL2 */
static inline uint64_t cpu_counter(void);	    /* CNTPCT_EL0, ordered before what follows */
static inline uint64_t cpu_counter_frequency(void); /* Hz */
static inline void cpu_barrier_full(void);	    /* dmb ish: between CPUs */
static inline void cpu_barrier_store(void);	    /* dmb ishst */
static inline void cpu_barrier_device(void);	    /* dsb sy: a device access has been seen */
static inline bool cpu_interrupt_pending(void); /* ISR_EL1: an interrupt that is masked while EL2 runs */
static inline bool cpu_guest_masked(void);	    /* SPSR_EL2: the guest came here with interrupts masked */
static inline void cpu_wait(void);		    /* wfi: returns when an interrupt is pending, masked or not */

#include "cpu_inline.h"

/* Through the firmware. */
void machine_stop(void) __attribute__((noreturn)); /* panic: this CPU sleeps for good */
void machine_off(void) __attribute__((noreturn));
void machine_reset(void) __attribute__((noreturn));

#endif
