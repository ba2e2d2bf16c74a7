/* A physical CPU. One structure each, at TPIDR_EL2. */
#ifndef CORE_CPU_H
#define CORE_CPU_H
#include "arch/cpu.h"
#include "lib/types.h"

struct vcpu;
struct timer;

struct cpu {
	struct vcpu *vcpu;    /* whose EL1 state is loaded here; NULL before the first one. entry.S: offset 0 */
	uint64_t boot_stack;  /* top of its stack. entry.S: offset 8 */
	unsigned id;	      /* 0.. : index in cpus[], order of the device tree, the boot CPU first */
	uint64_t mpidr;	      /* affinity fields only */
	uint64_t midr;
	unsigned cluster;     /* number of its cluster, from cpu-map or from MPIDR's Aff1 */
	bool online;
	struct timer *timers; /* sorted by deadline; this CPU only */
	uint64_t idle_since;  /* counter when it went idle; 0 = busy */
	uint64_t idle_ticks;
};

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count;   /* CPUs in the tree that we know, online or not */
unsigned cpu_online_count(void);
/* Ticks of the counter that this CPU has idled so far. */
uint64_t cpu_idle_ticks(const struct cpu *c);

#endif
