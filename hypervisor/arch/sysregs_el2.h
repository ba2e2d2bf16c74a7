/* The identity of the calling CPU and EL2's own registers. */
#ifndef ARCH_SYSREGS_EL2_H
#define ARCH_SYSREGS_EL2_H
#include "core/cpu.h"

uint64_t cpu_el2_mpidr(void); /* affinity fields only */
uint64_t cpu_el2_midr(void);
/* Everything of EL2 that is the same for all guests: translation control, traps, timers. Sets TPIDR_EL2 to c. */
void cpu_el2_setup(struct cpu *c);

#endif
