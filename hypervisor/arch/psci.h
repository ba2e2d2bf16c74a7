/* Calls down to the firmware (SMC from EL2). */
#ifndef ARCH_PSCI_H
#define ARCH_PSCI_H
#include "lib/types.h"

/* SMCCC call; returns x0. */
uint64_t firmware_call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
/* Reads /psci; false when the tree has no PSCI 0.2 or newer with method smc. Boot only. */
bool psci_init(const void *fdt);
/* Version as PSCI_VERSION gives it: major << 16 | minor. */
uint32_t psci_version(void);
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_ALREADY_ON	   (-4)
#define PSCI_ON_PENDING	   (-5)
/* Starts a CPU that is off: it comes to boot_cpu(). 0 or PSCI's negative error. */
struct cpu;
int cpu_start(struct cpu *c);
/* Switches the calling CPU off; whatever it has to give away it gave away before. */
void psci_cpu_off(void) __attribute__((noreturn));
/* Starts a CPU at a machine address with x0 = context. 0 or PSCI's negative error. */
int psci_cpu_on(uint64_t mpidr, pa_t entry, uint64_t context);
/* PSCI AFFINITY_INFO at level 0: 0 on, 1 off, 2 on its way; negative: error. */
int psci_affinity(uint64_t mpidr);

#endif
