/* A physical CPU. One structure each, at TPIDR_EL2. */
#ifndef CORE_CPU_H
#define CORE_CPU_H
#include "arch/cpu.h"
#include "lib/lock.h"
#include "lib/types.h"

/* A deadline on the CPU that set it, see core/time.h. Memory belongs to the caller and stays while it is set. */
struct timer {
	struct timer *next;
	uint64_t deadline;	 /* counter value */
	void (*fire)(void *arg); /* on the CPU that set it, interrupts masked, no lock held; may set it again */
	void *arg;
	struct cpu *cpu; /* non-NULL while set */
};

struct vcpu;
struct pool;

enum cpu_power { CPU_ABSENT, CPU_ON, CPU_OFF }; /* absent: it never came up */

struct cpu {
	struct vcpu *vcpu;    /* whose EL1 state is loaded here; NULL before the first one. entry.S: offset 0 */
	uint64_t boot_stack;  /* top of its stack. entry.S: offset 8 */
	unsigned id;	      /* 0.. : index in cpus[], order of the device tree, the boot CPU first */
	uint64_t mpidr;	      /* affinity fields only */
	uint64_t midr;
	unsigned cluster;     /* number of its cluster, from cpu-map or from MPIDR's Aff1 */
	bool online;
	struct lock timer_lock;
	struct timer *timers; /* sorted by deadline */
	struct timer *firing; /* whose function runs */
	enum cpu_power power; /* core/cpu_power.c */
	bool unwanted;	      /* it may go off */
	struct pool *pool;    /* NULL: in none. Lock: the pool's, and of both when it moves */
	struct timer slice;   /* when the scheduler wants to be asked again */
	bool resched;	      /* another CPU wants that this one asks the scheduler */
	bool asked;	      /* it shall ask the scheduler; what sets it does so on this CPU */
	uint32_t forgotten;   /* places of domains that this CPU has to free (core/domain_kill.c); atomic */
	uint64_t idle_since;  /* counter when it went idle; 0 = busy */
	uint64_t idle_ticks;
};

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count;   /* CPUs in the tree that we know, online or not */
unsigned cpu_online_count(void);
/* Ticks of the counter that this CPU has idled so far. */
uint64_t cpu_idle_ticks(const struct cpu *c);

#endif
