/* The scheduler's policy after histories drawn at random: vCPUs that slept, ran alone, changed their weight, cap or affinity, CPUs
 * that went and came back. Whatever it was, from then on shares of one CPU are as weights to within a bound, no CPU is idle while a
 * vCPU waits that may use it, and a cap holds. The same numbers in every run; a failure names its seed, that of
 * shares also prints the history. */
#include "fake/credit_machine.h"
#include <stdio.h>

#define SLICE	  (HZ / 200)
#define HISTORIES 1200

static const unsigned weights[] = {1, 2, 16, 64, 256, 256, 256, 512, 1024, 4096, 65535};
static unsigned vcpus;
static bool pinned; /* affinities are drawn too */
static bool telling;
#define TELL(...) (telling ? (void)fprintf(stderr, __VA_ARGS__) : (void)0)

static unsigned draw(unsigned n)
{
	return (unsigned)rand() % n;
}

/* 1 us to 10 s, every order of magnitude alike. */
static uint64_t some_time(void)
{
	uint64_t t = 1;

	for (unsigned e = draw(7); e > 0; e--)
		t *= 10;
	return t + (uint64_t)rand() % (t * 9);
}

static int runs_on(unsigned i)
{
	for (unsigned c = 0; c < cpus; c++)
		if (pool.cpu[c].running == &vcpu[i])
			return (int)c;
	return -1;
}

static void ask_its_cpu(unsigned i)
{
	int c = runs_on(i);

	if (c >= 0)
		ask_at[c] = now;
}

static void stop(unsigned i)
{
	stopped[i] = true;
	wake_at[i] = 0;
	credit_remove(&vcpu[i]);
	ask_its_cpu(i);
}

static void start(unsigned i)
{
	if (!stopped[i])
		return;
	stopped[i] = false;
	left[i] = burst[i];
	if (vcpu[i].link == NULL && runs_on(i) < 0)
		wake(i);
}

/* As sched_set_domain() does. */
static void set_domain(unsigned i, unsigned weight, unsigned cap)
{
	for (unsigned c = 0; c < cpus; c++)
		credit_charge(&pool, c, now);
	credit_weigh(&pool, &vcpu[i], weight);
	domain[i].weight = (uint16_t)weight;
	if (domain[i].cap != cap) {
		domain[i].cap = (uint16_t)cap;
		domain[i].budget = 0;
		domain[i].refill = now;
	}
	ask_its_cpu(i);
}

/* As sched_set_affinity() does. */
static void set_affinity(unsigned i, uint32_t hard)
{
	vcpu[i].hard = (hard & pool.cpus) != 0 ? hard : ~0u;
	credit_rehome(&pool, &vcpu[i]);
	ask_its_cpu(i);
	if (vcpu[i].link != NULL) {
		int cpu = credit_place(&pool, &vcpu[i], now);

		if (cpu >= 0)
			ask_at[cpu] = now;
	}
}

static void leave(unsigned cpu)
{
	if (!(pool.cpus >> cpu & 1) || pool.cpus == 1u << cpu)
		return;
	for (unsigned i = 0; i < vcpus; i++)
		if (!(vcpu[i].hard & pool.cpus & ~(1u << cpu)))
			vcpu[i].hard = ~0u;
	credit_cpu_leave(&pool, cpu);
	for (unsigned c = 0; c < cpus; c++)
		ask_at[c] = now;
}

static void join(unsigned cpu)
{
	if ((pool.cpus >> cpu & 1) || pool.cpu[cpu].running != NULL)
		return;
	credit_cpu_join(&pool, cpu);
	ask_at[cpu] = now;
}

/* A budget that comes, or a vCPU pinned to the CPU that another had asked, may take as long as a slice: those are left out. */
static void check_no_cpu_is_idle_in_vain(unsigned seed)
{
	for (unsigned c = 0; c < cpus && !pinned; c++)
		for (struct credit_vcpu *v = pool.waiting; v != NULL; v = v->next)
			if ((pool.cpus >> c & 1) && pool.cpu[c].running == NULL &&
			    ask_at[c] > now && v->domain->cap == 0 && v->domain->refill == 0)
				fail_msg("seed %u: at %lu CPU %u is idle and vCPU %ld waits", seed,
					 now, c, (long)(v - vcpu));
}

static void one_event(unsigned seed)
{
	unsigned what = draw(16), i = draw(vcpus);
	uint64_t time = some_time();

	TELL("%lu: event %u, vCPU %u, time %lu\n", now, what, i, time);
	if (what < 6) {
		for (unsigned n = 0; n < 16; n++) {
			run(time / 16 + 1);
			check_no_cpu_is_idle_in_vain(seed);
		}
	} else if (what < 8) {
		stop(i);
	} else if (what < 10) {
		start(i);
	} else if (what == 10) {
		set_domain(i, weights[draw(11)], domain[i].cap);
	} else if (what == 11) {
		set_domain(i, domain[i].weight, draw(2) ? 0 : 1 + draw(150));
	} else if (what == 12 && pinned) {
		set_affinity(i, draw(2) ? ~0u : 1 + draw((1u << cpus) - 1));
	} else if (what == 13) {
		leave(draw(cpus));
	} else if (what == 14) {
		join(draw(cpus));
	} else if (what == 15) {
		burst[i] = left[i] = draw(3) ? 1 + draw(20000) : 0;
		pause_ticks[i] = 1 + draw(20000);
		ask_its_cpu(i);
	}
}

/* Then all who are not off want to run all the time. */
static void live(unsigned seed, unsigned n)
{
	srand(seed);
	machine(n);
	memset(left, 0, sizeof(left));
	vcpus = 2 + draw(7);
	pinned = draw(2);
	for (unsigned i = 0; i < vcpus; i++) {
		hog(i, weights[draw(11)], 0, ~0u);
		TELL("vCPU %u: weight %u\n", i, domain[i].weight);
		stopped[i] = true;
	}
	for (unsigned events = 5 + draw(60); events > 0; events--)
		one_event(seed);
	run(2);
	for (unsigned c = 0; c < cpus; c++)
		join(c);
	for (unsigned i = 0; i < vcpus; i++) {
		set_domain(i, domain[i].weight, 0);
		set_affinity(i, ~0u);
		burst[i] = left[i] = 0;
		if (draw(2))
			start(i);
		if (wake_at[i])
			wake(i);
	}
	memset(ran, 0, sizeof(ran));
	for (unsigned c = 0; c < cpus; c++)
		began[c] = now;
}

/* Behind its share of one CPU by no more than two slices, and who weighs more by that much more: a slice of virtual time is what the
 * others may be ahead of it for having slept. True: so it is. */
static bool shares_are_as_weights(unsigned seed)
{
	uint64_t time = 20000 + some_time() % 3000000, sum = 0;
	bool good = true;

	live(seed, 1);
	for (unsigned i = 0; i < vcpus; i++)
		sum += stopped[i] ? 0 : domain[i].weight;
	run(time);
	for (unsigned i = 0; i < vcpus; i++) {
		uint64_t share = stopped[i] ? 0 : time * domain[i].weight / sum;

		TELL("vCPU %u: weight %u, share %lu, ran %lu\n", i, domain[i].weight, share,
		     ran[i]);
		good &= ran[i] + 2 * (SLICE + SLICE * domain[i].weight / CREDIT_WEIGHT) >= share;
	}
	return good;
}

static void test_shares_whatever_was_before(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < HISTORIES; seed++) {
		if (shares_are_as_weights(seed))
			continue;
		telling = true;
		(void)shares_are_as_weights(seed);
		fail_msg("seed %u", seed);
	}
}

/* On several CPUs shares are approximate; but all CPUs work that can. */
static void test_all_cpus_work_whatever_was_before(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < HISTORIES; seed++) {
		unsigned n = 2 + seed % 3, want = 0;
		uint64_t all = 0;

		live(seed, n);
		for (unsigned i = 0; i < vcpus; i++)
			want += !stopped[i];
		run(HZ);
		for (unsigned i = 0; i < vcpus; i++)
			all += ran[i];
		/* a budget that was to come, and a CPU that was asked, are waited for */
		if (all + 4 * SLICE * n < HZ * (want < n ? want : n))
			fail_msg("seed %u: %u vCPUs ran %lu on %u CPUs", seed, want, all, n);
	}
}

/* A domain gets no more than a budget for each period, and one besides. */
static void test_a_cap_holds_whatever_was_before(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < HISTORIES / 8; seed++) {
		live(seed, 1 + seed % 3);
		for (unsigned i = 0; i < vcpus; i++)
			set_domain(i, domain[i].weight, 1 + draw(100));
		for (unsigned n = 0; n < 100; n++) {
			uint64_t time = 1 + draw(40000);

			memset(ran, 0, sizeof(ran));
			run(time);
			for (unsigned i = 0; i < vcpus; i++)
				if (ran[i] >
				    (time / pool.period + 2) * pool.period * domain[i].cap / 100)
					fail_msg("seed %u: cap %u, %lu of %lu", seed, domain[i].cap,
						 ran[i], time);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_whatever_was_before),
		cmocka_unit_test(test_all_cpus_work_whatever_was_before),
		cmocka_unit_test(test_a_cap_holds_whatever_was_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
