#include "core/credit.h"
#include "lib/bits.h"

#define VTIME_SHIFT 16 /* a tick at weight 1 */
#define LONGEST	    (1ul << 40) /* ticks charged at a time: more than anybody owes, no overflow at weight 1 */

/* Virtual time of that many ticks at the default weight. */
static int64_t at_default_weight(uint64_t ticks)
{
	return (int64_t)((ticks << VTIME_SHIFT) / CREDIT_WEIGHT);
}

RARE void credit_pool_init(struct credit_pool *p, uint64_t frequency, unsigned ratelimit_us)
{
	*p = (struct credit_pool){
		.slice = frequency / 200,  /* 5 ms */
		.period = frequency / 100, /* 10 ms */
		.ratelimit = frequency * ratelimit_us / 1000000,
	};
}

RARE void credit_vcpu_init(struct credit_vcpu *v, struct credit_domain *d, unsigned home)
{
	*v = (struct credit_vcpu){
		.domain = d, .hard = ~0u, .soft = ~0u, .home = (uint8_t)home, .loaded = -1};
}

RARE void credit_cpu_join(struct credit_pool *p, unsigned cpu)
{
	/* its clock goes on: there are vCPUs that count by it */
	p->cpu[cpu] = (struct credit_cpu){.clock = p->cpu[cpu].clock, .until = CREDIT_NEVER};
	p->cpus |= 1u << cpu;
	p->idle |= 1u << cpu;
	p->asked &= ~(1u << cpu);
}

RARE void credit_cpu_leave(struct credit_pool *p, unsigned cpu)
{
	p->cpus &= ~(1u << cpu);
	p->idle &= ~(1u << cpu);
	for (struct credit_vcpu *v = p->waiting; v != NULL; v = v->next)
		credit_rehome(p, v);
}

/* ---- budgets ---------------------------------------------------------------------------------------------------------- */
static int64_t quota(const struct credit_pool *p, const struct credit_domain *d)
{
	return (int64_t)(p->period * d->cap / 100);
}

/* True when the domain may run; a tiny rest of a budget is not worth a switch. */
static bool has_budget(const struct credit_pool *p, struct credit_domain *d, uint64_t now)
{
	int64_t full = quota(p, d);

	if (d->cap == 0)
		return true;
	if (now >= d->refill) {
		uint64_t periods = (now - d->refill) / p->period + 1;

		/* what it ran too long is paid back; what it did not use is lost */
		d->budget += full * (int64_t)(periods < 1000 ? periods : 1000);
		d->budget = d->budget < full ? d->budget : full;
		d->refill += periods * p->period;
	}
	return d->budget > full / 8;
}

static void grant(struct credit_pool *p, struct credit_vcpu *v)
{
	struct credit_domain *d = v->domain;

	v->granted = 0;
	if (d->cap == 0)
		return;
	v->granted = d->budget < (int64_t)p->slice ? d->budget : (int64_t)p->slice;
	d->budget -= v->granted;
}

static void give_back(struct credit_vcpu *v)
{
	if (v->domain->cap != 0)
		v->domain->budget += v->granted;
	v->granted = 0;
}

/* How far v is ahead of its home's clock. */
static int64_t lead(const struct credit_pool *p, const struct credit_vcpu *v)
{
	return (int64_t)(v->vtime - p->cpu[v->home].clock);
}

/* And how far it may be. Who has a CPU for itself owes no more for that than two slices of its own. */
static int64_t most_lead(const struct credit_pool *p, const struct credit_vcpu *v)
{
	return (int64_t)(2 * (p->slice << VTIME_SHIFT) / v->domain->weight);
}

void credit_charge(struct credit_pool *p, unsigned cpu, uint64_t now)
{
	struct credit_cpu *c = &p->cpu[cpu];
	struct credit_vcpu *v = c->running;
	uint64_t ran = now - c->since;

	c->since = now;
	if (v == NULL)
		return;
	v->vtime += ((ran < LONGEST ? ran : LONGEST) << VTIME_SHIFT) / v->domain->weight;
	/* the clock does not stand still while nobody else wants the CPU; one slice stays, by which others come first */
	if (lead(p, v) > most_lead(p, v))
		c->clock = v->vtime - (uint64_t)most_lead(p, v) / 2;
	if (v->domain->cap != 0)
		v->granted -= (int64_t)ran;
}

/* ---- where ------------------------------------------------------------------------------------------------------------- */
static uint32_t allowed(const struct credit_pool *p, const struct credit_vcpu *v)
{
	return v->hard & p->cpus & (v->loaded < 0 ? ~0u : 1u << v->loaded);
}

static void move_home(struct credit_pool *p, struct credit_vcpu *v, unsigned cpu)
{
	v->vtime = p->cpu[cpu].clock + (uint64_t)lead(p, v);
	v->home = (uint8_t)cpu;
}

void credit_rehome(struct credit_pool *p, struct credit_vcpu *v)
{
	uint32_t may = v->hard & p->cpus, like = may & v->soft;

	if (may != 0 && !(may >> v->home & 1) && p->cpu[v->home].running != v)
		move_home(p, v, bits_first(like != 0 ? like : may));
}

RARE void credit_transfer(struct credit_pool *to, struct credit_vcpu *v, unsigned home)
{
	v->home = (uint8_t)home;
	v->vtime = to->cpu[home].clock;
	v->granted = 0;
}

/* An idle CPU for v, the one it knows first; -1: none. */
static int idle_cpu(const struct credit_pool *p, const struct credit_vcpu *v)
{
	uint32_t may = allowed(p, v) & p->idle & ~p->asked, like = may & v->soft;

	if (like != 0)
		may = like;
	if (may == 0)
		return -1;
	return may >> v->home & 1 ? v->home : (int)bits_first(may);
}

/* A slice's work of v in virtual time, which is what it asks for at a time: less, the more it weighs. */
static int64_t request(const struct credit_pool *p, const struct credit_vcpu *v)
{
	unsigned weight = v->domain->weight;

	return weight > CREDIT_WEIGHT ? (int64_t)((p->slice << VTIME_SHIFT) / weight)
				      : at_default_weight(p->slice);
}

/* When v would be through with that: the smallest one is the next. */
static int64_t finish(const struct credit_pool *p, const struct credit_vcpu *v)
{
	return lead(p, v) + request(p, v);
}

/* The CPU whose running vCPU finishes later than v by the most, soft affinity first; -1 when none does by more than `margin`. */
static int victim_cpu(struct credit_pool *p, const struct credit_vcpu *v, uint64_t now,
		      int64_t margin)
{
	uint32_t may = allowed(p, v);
	int64_t most = finish(p, v) + margin;
	int best = -1;

	if ((may & v->soft) != 0)
		may &= v->soft;
	for (; may != 0; may &= may - 1) {
		unsigned i = bits_first(may);

		if (p->cpu[i].running == NULL)
			continue;
		credit_charge(p, i, now);
		if (finish(p, p->cpu[i].running) > most) {
			most = finish(p, p->cpu[i].running);
			best = (int)i;
		}
	}
	return best;
}

int credit_place(struct credit_pool *p, struct credit_vcpu *v, uint64_t now)
{
	int cpu;

	if (v->link == NULL || allowed(p, v) == 0)
		return -1;
	credit_rehome(p, v);
	cpu = idle_cpu(p, v);
	if (cpu >= 0)
		p->asked |= 1u << cpu;
	else
		cpu = victim_cpu(p, v, now, at_default_weight(p->slice) / 4);
	if (cpu >= 0) {
		move_home(p, v, (unsigned)cpu);
		return cpu;
	}
	/* it waits; somebody has to look at the time from now on */
	return p->cpu[v->home].until == CREDIT_NEVER ? v->home : -1;
}

/* Who did not want to run, or was not allowed to, keeps no more than a little lead for that: half a slice, with more weight up to
 * a whole one. So weight counts too among many who sleep and wake all the time. And who had a CPU for itself owes no more for that
 * than two slices of its own. */
static void limit_lead(const struct credit_pool *p, struct credit_vcpu *v)
{
	int64_t slice = at_default_weight(p->slice), least = -slice / 2, has = lead(p, v);
	int64_t most = most_lead(p, v);

	if (v->domain->weight > CREDIT_WEIGHT)
		least = -slice + slice * CREDIT_WEIGHT / v->domain->weight / 2;
	has = has < least ? least : has > most ? most : has;
	v->vtime = p->cpu[v->home].clock + (uint64_t)has;
}

RARE void credit_weigh(const struct credit_pool *p, struct credit_vcpu *v, unsigned weight)
{
	unsigned was = v->domain->weight;
	int64_t has;

	limit_lead(p, v);
	has = lead(p, v);
	if (has > 0 || weight > was)
		v->vtime = p->cpu[v->home].clock + (uint64_t)(has * (int64_t)was / (int64_t)weight);
}

static void enqueue(struct credit_pool *p, struct credit_vcpu *v, uint64_t now)
{
	if (v->link == NULL) {
		v->next = p->waiting;
		v->link = &p->waiting;
		if (v->next != NULL)
			v->next->link = &v->next;
		p->waiting = v;
	}
	credit_rehome(p, v);
	credit_charge(p, v->home, now);
	limit_lead(p, v);
}

int credit_wake(struct credit_pool *p, struct credit_vcpu *v, uint64_t now)
{
	enqueue(p, v, now);
	return credit_place(p, v, now);
}

void credit_remove(struct credit_vcpu *v)
{
	if (v->link == NULL)
		return;
	*v->link = v->next;
	if (v->next != NULL)
		v->next->link = v->link;
	v->link = NULL;
	v->next = NULL;
}

/* ---- who --------------------------------------------------------------------------------------------------------------- */
/* Those who could run on a CPU now, what runs there included. */
struct rivals {
	int64_t sum, weights; /* of their leads by weight; of their weights */
	unsigned count;	      /* of them who wait */
	unsigned heaviest;
	uint64_t look; /* when one that has no budget now gets some */
};

static void rival(const struct credit_pool *p, const struct credit_vcpu *v, struct rivals *r)
{
	unsigned weight = v->domain->weight;

	r->sum += lead(p, v) * (int64_t)weight;
	r->weights += weight;
	r->heaviest = weight > r->heaviest ? weight : r->heaviest;
}

/* Has v had more than its share of what the rivals had, and more than `borrowed` beyond that? */
static bool had_enough(const struct credit_pool *p, const struct credit_vcpu *v, int64_t borrowed,
		       const struct rivals *r)
{
	return (lead(p, v) - borrowed) * r->weights > r->sum;
}

/* What waits: a request, when it is its own deadline that woke it. */
static bool must_wait(const struct credit_pool *p, const struct credit_vcpu *v,
		      const struct rivals *r)
{
	return had_enough(p, v, v->urgent ? request(p, v) : 0, r);
}

/* The waiting vCPU that finishes first, as seen from this CPU, `behind` only of those who need not wait. *key: when; a little is
 * added where it does not like to be, or comes from another CPU. Every switch looks at all who wait: so the pool's and the rivals'
 * numbers are in registers meanwhile. */
static __attribute__((noinline)) struct credit_vcpu *first_of(struct credit_pool *p, unsigned cpu,
							      uint64_t now, bool behind,
							      int64_t *key, struct rivals *all)
{
	const int64_t slice = at_default_weight(p->slice);
	struct credit_vcpu *best = NULL;
	struct rivals r = *all;
	int64_t least = 0;

	if (!(p->cpus >> cpu & 1))
		return NULL;
	for (struct credit_vcpu *v = p->waiting; v != NULL; v = v->next) {
		int64_t k;

		if (!(v->hard >> cpu & 1) || (v->loaded >= 0 && (unsigned)v->loaded != cpu))
			continue;
		if (v->domain->cap != 0 && !has_budget(p, v->domain, now)) {
			r.look = v->domain->refill < r.look ? v->domain->refill : r.look;
			limit_lead(p, v);
			continue;
		}
		if (!behind) {
			r.count++;
			rival(p, v, &r);
		} else if (must_wait(p, v, &r)) {
			continue;
		}
		k = finish(p, v) + (v->home != cpu ? slice / 8 : 0) + (v->soft >> cpu & 1 ? 0 : slice);
		if (best == NULL || k < least) {
			best = v;
			least = k;
		}
	}
	*all = r;
	*key = least;
	return best;
}

/* Who of the waiting ones is next. One that weighs more finishes before others although it has had more than its share: then it is
 * the first of those who have not. */
static struct credit_vcpu *next_of(struct credit_pool *p, unsigned cpu, uint64_t now, int64_t *key,
				   struct rivals *r)
{
	struct credit_vcpu *v = first_of(p, cpu, now, false, key, r), *other = NULL;
	int64_t k;

	if (v != NULL && r->weights > v->domain->weight /* it has rivals */ && must_wait(p, v, r))
		other = first_of(p, cpu, now, true, &k, r);
	if (other == NULL)
		return v;
	*key = k;
	return other;
}

/* How long until the policy wants to be asked again while others wait: heavy ones go on, or wait, in shorter steps. */
static uint64_t step(const struct credit_pool *p, const struct rivals *r)
{
	unsigned weight = r->heaviest < 4 * CREDIT_WEIGHT ? r->heaviest : 4 * CREDIT_WEIGHT;

	return weight > CREDIT_WEIGHT ? p->slice * CREDIT_WEIGHT / weight : p->slice;
}

/* What runs is left alone that long: by those who weigh more, in proportion shorter, and not at all when their time has come. */
static uint64_t left_alone(const struct credit_pool *p, const struct credit_vcpu *running,
			   const struct credit_vcpu *other)
{
	unsigned weight = running->domain->weight, more = other->domain->weight;

	if (more <= weight)
		return p->ratelimit;
	return other->urgent ? 0 : p->ratelimit * weight / more;
}

/* Does what runs go on although `other`, which finishes at `key`, waits? *end: then when the question comes again. */
static bool goes_on(struct credit_pool *p, struct credit_cpu *c, enum credit_previous previous,
		    const struct credit_vcpu *other, int64_t key, uint64_t now,
		    const struct rivals *r, uint64_t *end)
{
	int64_t margin = now - c->started < p->slice ? at_default_weight(p->slice) / 4 : 0;
	uint64_t alone = left_alone(p, c->running, other);

	if (previous == CREDIT_YIELD)
		return false;
	if (now - c->started < alone) {
		*end = c->started + alone;
		return true;
	}
	if (!must_wait(p, other, r) && (finish(p, c->running) > key + margin ||
					had_enough(p, c->running, request(p, c->running) / 4, r)))
		return false;
	*end = now + step(p, r);
	return true;
}

/* A CPU that v would like better than this one is idle. */
static bool better_idle(const struct credit_pool *p, const struct credit_vcpu *v, unsigned cpu)
{
	return !(v->soft >> cpu & 1) && (v->hard & v->soft & p->cpus & p->idle) != 0;
}

/* v runs on the CPU from now on, or goes on. */
static void run(struct credit_pool *p, unsigned cpu, struct credit_vcpu *v, uint64_t now,
		uint64_t *end)
{
	struct credit_cpu *c = &p->cpu[cpu];

	v->urgent = false;
	if (c->running != v) {
		credit_remove(v);
		move_home(p, v, cpu);
		c->running = v;
		c->started = now;
	}
	if ((int64_t)(v->vtime - c->clock) > 0)
		c->clock = v->vtime;
	grant(p, v);
	if (v->domain->cap != 0 && now + (uint64_t)v->granted < *end)
		*end = now + (uint64_t)v->granted;
	/* now and then it looks whether a CPU that it likes better has become idle */
	if (!(v->soft >> cpu & 1) && (v->hard & v->soft & p->cpus) != 0 &&
	    now + 16 * p->slice < *end)
		*end = now + 16 * p->slice;
}

struct credit_vcpu *credit_next(struct credit_pool *p, unsigned cpu, enum credit_previous previous,
				uint64_t now, uint64_t *until)
{
	struct credit_cpu *c = &p->cpu[cpu];
	struct credit_vcpu *was = c->running, *v;
	struct rivals r = {.look = CREDIT_NEVER};
	uint64_t end = CREDIT_NEVER;
	int64_t key = 0;
	bool may = false, keep = false;

	p->asked &= ~(1u << cpu);
	credit_charge(p, cpu, now);
	if (was != NULL) {
		give_back(was);
		if (previous != CREDIT_GONE && (was->hard & p->cpus) >> cpu & 1 &&
		    !better_idle(p, was, cpu)) {
			may = has_budget(p, was->domain, now);
			if (!may)
				r.look = was->domain->refill;
			else if (p->waiting != NULL)
				rival(p, was, &r);
		}
	}
	v = p->waiting != NULL ? next_of(p, cpu, now, &key, &r) : NULL;
	if (may)
		keep = v == NULL || goes_on(p, c, previous, v, key, now, &r, &end);
	if (!keep) {
		c->running = NULL;
		if (was != NULL && previous != CREDIT_GONE) {
			enqueue(p, was, now); /* the caller places it once its registers are free */
			r.count++;
		}
		if (r.count > 1)
			end = now + step(p, &r);
	} else {
		v = was;
	}
	p->idle = v != NULL ? p->idle & ~(1u << cpu) : p->idle | 1u << cpu;
	if (v != NULL)
		run(p, cpu, v, now, &end);
	c->until = *until = end < r.look ? end : r.look;
	return v;
}
