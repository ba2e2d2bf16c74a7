/* The policy of the scheduler: who of a pool's vCPUs runs next on which CPU, and for how long. Pure: no register, no clock of its
 * own (`now` and all durations are ticks), no lock (the caller holds the pool's). core/sched.c is the mechanism.
 *
 * Every vCPU has a virtual time, which grows by the ticks it ran, divided by its domain's weight. Among those who have had no more
 * than their share (their virtual time is not beyond the weighted mean of all who want to run), a CPU takes the one that would be
 * the first through with a slice's work: earliest eligible virtual deadline first (Stoica and Abdel-Wahab, 1995). So shares are as
 * weights, who weighs more comes in shorter turns instead of after everybody else's, and who sleeps gains a bounded lead. A vCPU
 * whose own deadline has come may borrow one slice's work: so a timer is in time after a burst too. Virtual times count by the
 * clock of a CPU, the vCPU's home: the start tag of what ran there last. So CPUs that are more crowded than others may fall behind
 * them without harm: a vCPU takes its lead or lag along when it moves.
 *
 * A domain with a cap has a budget of `cap` percent of one CPU in each period; without budget its vCPUs are not chosen.
 * Work of one call: one look at each runnable vCPU of the pool, and at each CPU. */
#ifndef CORE_CREDIT_H
#define CORE_CREDIT_H
#include "lib/types.h"

#define CREDIT_WEIGHT	    256 /* default; shares are relative to each other */
#define CREDIT_RATELIMIT_US 1000
#define CREDIT_NEVER	    (~0ul)

struct credit_domain {
	uint16_t weight; /* 1..65535 */
	uint16_t cap;	 /* percent of one CPU; 0: none */
	int64_t budget;	 /* ticks left in this period; negative: it ran a little too long */
	uint64_t refill; /* when the next period begins */
};

struct credit_vcpu {
	struct credit_vcpu *next,
		**link; /* in the pool's list of waiting ones; link NULL: not waiting */
	struct credit_domain *domain;
	uint32_t hard,
		soft; /* CPUs that it may, and would like to run on; hard & the pool's CPUs is never 0 while waiting */
	uint8_t home; /* CPU whose clock vtime counts by */
	int8_t loaded; /* the only CPU that can run it now, because its registers are there; -1: any */
	bool urgent; /* its own deadline has come; until it runs */
	uint64_t vtime;
	int64_t granted; /* ticks taken out of the domain's budget for this run */
};

struct credit_cpu {
	struct credit_vcpu *running;
	uint64_t clock;	  /* virtual */
	uint64_t since;	  /* charged up to here */
	uint64_t started; /* when `running` came */
	uint64_t until;	  /* when the policy wants to be asked again */
};

struct credit_pool {
	struct credit_vcpu *waiting;
	uint32_t cpus; /* that belong to it and are up */
	uint32_t idle; /* of these, without a running vCPU */
	uint32_t asked; /* of these, shall call credit_next() for one that waits, and have not yet */
	uint64_t slice, period;
	uint64_t
		ratelimit; /* what runs is left alone that long; by those who weigh more, in proportion shorter */
	struct credit_cpu cpu[MAX_CPUS];
};

enum credit_previous {
	CREDIT_GONE,  /* what ran can not go on: blocked, paused, off */
	CREDIT_KEEP,  /* it would go on */
	CREDIT_YIELD, /* it would, but lets others go first */
};

/* frequency: ticks of a second. ratelimit_us: what runs is left alone that long. */
void credit_pool_init(struct credit_pool *p, uint64_t frequency, unsigned ratelimit_us);
void credit_vcpu_init(struct credit_vcpu *v, struct credit_domain *d, unsigned home);

/* A CPU joins or leaves; it must not have a running vCPU when it leaves, nor may a waiting one need it. */
void credit_cpu_join(struct credit_pool *p, unsigned cpu);
void credit_cpu_leave(struct credit_pool *p, unsigned cpu);

/* v became runnable. Returns the CPU that shall call credit_next() now (its home from now on), or -1: none needs to. */
int credit_wake(struct credit_pool *p, struct credit_vcpu *v, uint64_t now);
/* The same question once more for one that waits: its registers or its CPUs have become free. */
int credit_place(struct credit_pool *p, struct credit_vcpu *v, uint64_t now);
/* v waits no longer; nothing happens when it did not. */
void credit_remove(struct credit_vcpu *v);
/* What v runs on may have changed (affinity, pool): its home is one of them again, its lead stays. v does not run. */
void credit_rehome(struct credit_pool *p, struct credit_vcpu *v);

/* v's domain gets that weight, or another cap, when this was said of each of its vCPUs: v's lead is the same work by the new weight,
 * no more than it may be. What runs has been charged. */
void credit_weigh(const struct credit_pool *p, struct credit_vcpu *v, unsigned weight);
/* v, which neither runs nor waits, comes from another pool: it starts on `home` without lead or lag. */
void credit_transfer(struct credit_pool *to, struct credit_vcpu *v, unsigned home);

/* Charges what ran on the CPU and chooses what runs next, NULL: nothing. *until: when to ask again (CREDIT_NEVER: no need). */
struct credit_vcpu *credit_next(struct credit_pool *p, unsigned cpu, enum credit_previous previous,
				uint64_t now, uint64_t *until);
/* Charges what runs on the CPU up to now. */
void credit_charge(struct credit_pool *p, unsigned cpu, uint64_t now);

#endif
