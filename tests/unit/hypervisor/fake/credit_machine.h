/* A simulated machine for the scheduler's policy, under a clock of its own: CPUs that ask when the policy wants to be asked, vCPUs
 * that burn what they get, or sleep now and then. Each vCPU is a domain of its own. */
#ifndef FAKE_CREDIT_MACHINE_H
#define FAKE_CREDIT_MACHINE_H
#include "core/credit.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HZ    1000000ul /* a tick is a microsecond */
#define VCPUS 24

static struct credit_pool pool;
static struct credit_domain domain[VCPUS];
static struct credit_vcpu vcpu[VCPUS];
static uint64_t ran[VCPUS];	    /* ticks */
static uint64_t burst[VCPUS];	    /* sleeps when it ran that long; 0: never */
static uint64_t pause_ticks[VCPUS]; /* and that long */
static uint64_t left[VCPUS], wake_at[VCPUS];
static bool stopped[VCPUS]; /* it is off until start() */
static uint64_t ask_at[MAX_CPUS], began[MAX_CPUS];
static uint64_t now, asked;
static unsigned cpus;

static void machine(unsigned n)
{
	memset(domain, 0, sizeof(domain));
	memset(ran, 0, sizeof(ran));
	memset(burst, 0, sizeof(burst));
	memset(wake_at, 0, sizeof(wake_at));
	memset(stopped, 0, sizeof(stopped));
	credit_pool_init(&pool, HZ, 1000);
	cpus = n;
	now = 12345;
	asked = 0;
	for (unsigned i = 0; i < n; i++) {
		credit_cpu_join(&pool, i);
		ask_at[i] = CREDIT_NEVER;
	}
}

static void wake(unsigned i)
{
	int cpu;

	left[i] = burst[i];
	wake_at[i] = 0;
	cpu = credit_wake(&pool, &vcpu[i], now);
	if (cpu >= 0)
		ask_at[cpu] = now;
}

/* vCPU i is a domain of its own. */
static void hog(unsigned i, unsigned weight, unsigned cap, uint32_t hard)
{
	domain[i] = (struct credit_domain){.weight = (uint16_t)weight, .cap = (uint16_t)cap};
	credit_vcpu_init(&vcpu[i], &domain[i], 0);
	vcpu[i].hard = hard;
}

static void count(unsigned cpu)
{
	struct credit_vcpu *v = pool.cpu[cpu].running;

	if (v != NULL) {
		unsigned i = (unsigned)(v - vcpu);

		ran[i] += now - began[cpu];
		left[i] -= burst[i] ? now - began[cpu] : 0;
	}
	began[cpu] = now;
}

static void ask(unsigned cpu)
{
	struct credit_vcpu *was = pool.cpu[cpu].running, *v;
	enum credit_previous previous = CREDIT_KEEP;
	uint64_t until;

	count(cpu);
	asked++;
	if (was != NULL && stopped[was - vcpu]) {
		previous = CREDIT_GONE;
	} else if (was != NULL && burst[was - vcpu] && left[was - vcpu] == 0) {
		previous = CREDIT_GONE;
		wake_at[was - vcpu] = now + pause_ticks[was - vcpu];
	}
	v = credit_next(&pool, cpu, previous, now, &until);
	ask_at[cpu] = until;
	if (v != NULL) {
		unsigned i = (unsigned)(v - vcpu);

		assert_true((v->hard >> cpu & 1) && v->link == NULL);
		if (burst[i] && now + left[i] < ask_at[cpu])
			ask_at[cpu] = now + left[i];
	}
	if (was != NULL && v != was && previous != CREDIT_GONE) {
		int other = credit_place(&pool, was, now);

		if (other >= 0 && ((unsigned)other != cpu || v == NULL))
			ask_at[other] = now;
	}
}

static void run(uint64_t ticks)
{
	uint64_t end = now + ticks;

	for (;;) {
		uint64_t next = end;
		unsigned i;

		for (i = 0; i < cpus; i++)
			next = ask_at[i] < next ? ask_at[i] : next;
		for (i = 0; i < VCPUS; i++)
			next = wake_at[i] && wake_at[i] < next ? wake_at[i] : next;
		now = next > now ? next : now;
		if (now >= end)
			break;
		for (i = 0; i < VCPUS; i++)
			if (wake_at[i] && wake_at[i] <= now) {
				vcpu[i].urgent = true;
				wake(i);
			}
		for (i = 0; i < cpus; i++)
			if (ask_at[i] <= now)
				ask(i);
	}
	for (unsigned i = 0; i < cpus; i++)
		count(i);
}

#endif
