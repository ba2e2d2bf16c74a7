/* Which CPUs are on: those that a vCPU of a living domain can use by its pool and hard affinity, and the boot CPU, to which the
 * hypervisor's own interrupts go. The others are switched off by PSCI CPU_OFF and come back when they are needed. */
#ifndef CORE_CPU_POWER_H
#define CORE_CPU_POWER_H
#include "core/cpu.h"

/* Looks at all CPUs again: after domains, pools or affinities changed. Any CPU, no pool's lock held. What has to change does so
 * soon after. */
void cpu_power_update(void);
/* For the scheduler of a CPU that has nothing to run and holds no vCPU's registers: does not return when it is not needed. */
void cpu_power_leave(struct cpu *c);

#endif
