/* The scheduler's policy in single scenes, on a simulated machine. */
#include "fake/credit_machine.h"

/* Within `percent` percent of what is expected. */
static void about(uint64_t value, uint64_t expected, unsigned percent)
{
	if (value * 100 < expected * (100 - percent) || value * 100 > expected * (100 + percent))
		fail_msg("%lu is not within %u %% of %lu", value, percent, expected);
}

static void test_shares_are_as_weights(void **state)
{
	static const unsigned weights[] = {256, 256, 512, 1024};

	(void)state;
	machine(1);
	for (unsigned i = 0; i < 4; i++) {
		hog(i, weights[i], 0, ~0u);
		wake(i);
	}
	run(10 * HZ);
	for (unsigned i = 0; i < 4; i++)
		about(ran[i], 10 * HZ * weights[i] / 2048, 2);
	assert_true(asked < 10 * 1000); /* not more often than the rate limit */
}

static void test_extreme_weights_starve_nobody(void **state)
{
	(void)state;
	machine(1);
	hog(0, 65535, 0, ~0u);
	hog(1, 1, 0, ~0u);
	hog(2, 65535, 0, ~0u);
	for (unsigned i = 0; i < 3; i++)
		wake(i);
	run(2000 * HZ);
	about(ran[0], ran[2], 2);
	assert_in_range(ran[1], 1000, 100000); /* 2000 s / 131071 are 15 ms: within a few slices */
}

static void test_three_on_two_cpus_are_equal(void **state)
{
	(void)state;
	machine(2);
	for (unsigned i = 0; i < 3; i++) {
		hog(i, 256, 0, ~0u);
		wake(i);
	}
	run(10 * HZ);
	for (unsigned i = 0; i < 3; i++)
		about(ran[i], 20 * HZ / 3, 3);
}

static void test_a_vcpu_alone_is_left_alone(void **state)
{
	(void)state;
	machine(2);
	hog(0, 256, 0, 1);
	hog(1, 256, 0, 2);
	wake(0);
	wake(1);
	run(100 * HZ);
	assert_true(ran[0] == 100 * HZ && ran[1] == 100 * HZ);
	assert_in_range(asked, 2, 4);
}

static void test_a_cap_holds_and_the_rest_is_for_others(void **state)
{
	(void)state;
	machine(1);
	hog(0, 1024, 20, ~0u);
	hog(1, 256, 0, ~0u);
	wake(0);
	wake(1);
	run(10 * HZ);
	about(ran[0], 2 * HZ, 3);
	about(ran[1], 8 * HZ, 3);
}

static void test_a_cap_holds_on_an_idle_machine(void **state)
{
	(void)state;
	machine(4);
	hog(0, 256, 150, ~0u); /* one domain of three vCPUs, one and a half CPUs */
	for (unsigned i = 1; i < 3; i++) {
		credit_vcpu_init(&vcpu[i], &domain[0], 0);
		vcpu[i].hard = ~0u;
	}
	for (unsigned i = 0; i < 3; i++)
		wake(i);
	run(10 * HZ);
	about(ran[0] + ran[1] + ran[2], 15 * HZ, 3);
}

static void test_pinned_ones_share_their_cpu_whatever_others_do(void **state)
{
	(void)state;
	machine(4);
	for (unsigned i = 0; i < 4; i++) /* a crowd on CPU 0 */
		hog(i, 256, 0, 1);
	burst[3] = 3000; /* one of the crowd sleeps a moment now and then */
	pause_ticks[3] = 50;
	for (unsigned i = 4; i < 7; i++) /* the others have a CPU each */
		hog(i, 256, 0, 1u << (i - 3));
	for (unsigned i = 0; i < 7; i++)
		wake(i);
	run(20 * HZ);
	for (unsigned i = 0; i < 4; i++)
		about(ran[i], 5 * HZ, 4);
	for (unsigned i = 4; i < 7; i++)
		assert_int_equal(ran[i], 20 * HZ);
}

static void test_a_sleeper_comes_soon_and_takes_no_more_than_its_share(void **state)
{
	uint64_t worst = 0;

	(void)state;
	machine(1);
	hog(0, 256, 0, ~0u);
	hog(1, 256, 0, ~0u);
	hog(2, 256, 0, ~0u);
	burst[2] = 100;
	pause_ticks[2] = 5000;
	for (unsigned i = 0; i < 3; i++)
		wake(i);
	for (unsigned n = 0; n < 2000; n++) {
		uint64_t before = ran[2], start;

		while (!wake_at[2]) /* until it sleeps */
			run(100);
		before = ran[2];
		run(wake_at[2] - now);
		for (start = now; ran[2] == before;)
			run(50);
		if (n >= 10) /* at first all begin together */
			worst = now - start > worst ? now - start : worst;
	}
	assert_in_range(worst, 0, 1100); /* the rate limit */
	about(ran[0], ran[1], 3);
	assert_true(ran[2] < now / 20);
}

/* How late vCPU i was at worst when it wanted to run, in `n` times. */
static uint64_t latest(unsigned i, unsigned n)
{
	uint64_t worst = 0;

	while (n-- > 0) {
		uint64_t before, start;

		while (!wake_at[i])
			run(50);
		run(wake_at[i] - now);
		before = ran[i];
		for (start = now; ran[i] == before;)
			run(50);
		worst = now - start > worst ? now - start : worst;
	}
	return worst;
}

/* A crowd that sleeps as often as it does must not stand before it each time it wakes. */
static void test_weight_counts_among_sleepers(void **state)
{
	(void)state;
	machine(2);
	hog(0, 4096, 0, ~0u);
	burst[0] = 50;
	pause_ticks[0] = 1000;
	srand(1);
	for (unsigned i = 1; i < 17; i++) {
		hog(i, 256, 0, ~0u);
		burst[i] = 200 + (uint64_t)rand() % 2000;
		pause_ticks[i] = 1 + (uint64_t)rand() % 15000;
	}
	for (unsigned i = 0; i < 17; i++)
		wake(i);
	run(HZ);
	assert_in_range(latest(0, 5000), 0, 50); /* latest() looks so often */
}

/* One that weighs more and has just had all that it could get is in time all the same, beside those who burn what there is. */
static void test_weight_counts_after_a_burst(void **state)
{
	(void)state;
	machine(1);
	hog(0, 4096, 0, ~0u);
	for (unsigned i = 1; i < 18; i++)
		hog(i, 256, 0, ~0u);
	for (unsigned i = 0; i < 18; i++)
		wake(i);
	run(HZ);
	about(ran[0], HZ * 16 / 33, 3); /* no more than its share: */
	for (unsigned i = 1; i < 18; i++)
		about(ran[i], HZ / 33, 15);
	burst[0] = left[0] = 50;
	pause_ticks[0] = 1000;
	assert_in_range(latest(0, 1), 0, 50);
	assert_in_range(latest(0, 1000), 0, 50);
}

/* Who had a CPU for itself waits no longer than a little for that when another one comes. */
static void test_a_cpu_for_oneself_is_no_debt(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		machine(n);
		for (unsigned i = 0; i <= n; i++)
			hog(i, 256, 0, ~0u);
		for (unsigned i = 0; i < n; i++)
			wake(i);
		run(10 * HZ);
		wake(n);
		run(HZ / 10);
		for (unsigned i = 0; i < n; i++)
			assert_in_range(ran[i] - 10 * HZ, HZ / 10 * n / (n + 1) - 15000, HZ / 10);
	}
}

/* A timer of one that weighs more and waits, because it has just had much, is in time beside one that had the CPU for itself and
 * many who come then. */
static void test_a_deadline_after_a_burst(void **state)
{
	(void)state;
	srand(2);
	for (unsigned hogs = 5; hogs < 18; hogs++) {
		machine(1);
		for (unsigned i = 0; i <= hogs; i++)
			hog(i, i == 0 ? 4096 : 256, 0, ~0u);
		wake(1);
		run(HZ);
		for (unsigned i = 0; i <= hogs; i++)
			if (i != 1)
				wake(i);
		for (unsigned n = 0; n < 500; n++) {
			uint64_t before;
			int cpu;

			for (run(4000 + (uint64_t)rand() % 1000); vcpu[0].link == NULL;)
				run(50);
			before = ran[0];
			vcpu[0].urgent = true;
			cpu = credit_place(&pool, &vcpu[0], now);
			if (cpu >= 0)
				ask_at[cpu] = now;
			run(50);
			assert_int_equal(ran[0] - before, 50);
		}
	}
}

/* Two that wake at the same time take two idle CPUs, though the first of them was at home for both. */
static void test_two_wake_and_two_cpus_are_idle(void **state)
{
	(void)state;
	machine(2);
	for (unsigned i = 0; i < 2; i++)
		hog(i, 256, 0, ~0u);
	wake(0);
	wake(1);
	run(100);
	assert_true(ran[0] == 100 && ran[1] == 100);
}

/* A clock does not stand still while one has the CPU for itself: a light one's old debt is over then, and who was preempted by it is
 * not ahead of a third for that. */
static void test_a_debt_ends_while_another_runs_alone(void **state)
{
	(void)state;
	machine(1);
	for (unsigned i = 0; i < 3; i++)
		hog(i, i == 0 ? 1 : 256, 0, ~0u);
	wake(0);
	run(1000);
	wake(1);
	run(1000);
	credit_remove(&vcpu[0]); /* it owes 256 ms of the other one's time */
	run(10 * HZ);
	wake(0);
	run(2);
	wake(2);
	memset(ran, 0, sizeof(ran));
	run(HZ / 5);
	assert_in_range(ran[1], HZ / 10 - 15000, HZ / 10 + 15000);
	assert_in_range(ran[2], HZ / 10 - 15000, HZ / 10 + 15000);
}

/* Nor does arithmetic end when one has had the CPU for years. */
static void test_years_alone(void **state)
{
	static const unsigned weights[] = {1, 256, 65535};

	(void)state;
	for (unsigned i = 0; i < 27; i++) {
		machine(1);
		hog(0, weights[i / 3 % 3], 0, ~0u);
		hog(1, weights[i % 3], 0, ~0u);
		wake(0);
		run((5 + i / 9 * 5) * 365 * 86400 * HZ);
		wake(1);
		memset(ran, 0, sizeof(ran));
		run(200 * HZ);
		about(ran[1] + 15000,
		      200 * HZ * domain[1].weight / (domain[0].weight + domain[1].weight) + 15000,
		      70);
	}
}

/* A CPU that was away for a moment: who counts by its clock, and slept, owes nothing new. */
static void test_a_cpu_that_comes_back_has_its_clock(void **state)
{
	(void)state;
	machine(2);
	for (unsigned i = 0; i < 2; i++)
		hog(i, i == 0 ? 1 : 256, 0, 2);
	for (unsigned i = 0; i < 2; i++) { /* one after the other */
		wake(i);
		run(10 * HZ);
		stopped[i] = true;
		ask_at[1] = now;
		run(1);
		stopped[i] = false;
	}
	credit_cpu_leave(&pool, 1);
	credit_cpu_join(&pool, 1);
	wake(1);
	run(2000);
	wake(0);
	memset(ran, 0, sizeof(ran));
	run(20000);
	assert_in_range(ran[0], 1, 20000);
}

/* What runs counts by its CPU's clock, though for a moment it was to run elsewhere. */
static void test_an_affinity_that_changes_twice(void **state)
{
	struct credit_vcpu *v;

	(void)state;
	machine(2);
	for (unsigned i = 0; i < 4; i++)
		hog(i, 256, 0, i == 3 ? 2 : 1);
	wake(3);
	run(100 * HZ);
	credit_charge(&pool, 1, now);
	wake(0);
	wake(1);
	run(100);
	v = pool.cpu[0].running;
	v->hard = 2;
	credit_rehome(&pool, v);
	v->hard = 3;
	credit_rehome(&pool, v);
	ask_at[0] = now;
	run(20000);
	wake(2);
	memset(ran, 0, sizeof(ran));
	run(HZ);
	assert_in_range(ran[2], HZ / 4, HZ);
}

/* What one owes is work: with more weight it is over sooner. */
static void test_more_weight_counts_at_once(void **state)
{
	(void)state;
	machine(1);
	hog(0, 1, 0, ~0u);
	hog(1, 256, 0, ~0u);
	wake(0);
	run(5000);
	wake(1);
	run(5000);
	credit_charge(&pool, 0, now);
	credit_weigh(&pool, &vcpu[0], 256);
	domain[0].weight = 256;
	memset(ran, 0, sizeof(ran));
	run(HZ / 5);
	about(ran[0], HZ / 10, 15);
}

static void test_soft_affinity_is_a_wish(void **state)
{
	(void)state;
	machine(2);
	for (unsigned i = 0; i < 2; i++) {
		hog(i, 256, 0, ~0u);
		vcpu[i].soft = 1; /* both want CPU 0 */
		wake(i);
	}
	run(10 * HZ);
	about(ran[0] + ran[1], 20 * HZ, 1); /* and yet no CPU is idle */
	machine(2);
	hog(0, 256, 0, ~0u);
	vcpu[0].soft = 2;
	wake(0);
	run(HZ);
	assert_ptr_equal(pool.cpu[1].running, &vcpu[0]);
}

static void test_a_cpu_that_leaves_gives_its_waiting_ones_to_others(void **state)
{
	struct credit_vcpu *was;

	(void)state;
	machine(2);
	for (unsigned i = 0; i < 4; i++) {
		hog(i, 256, 0, ~0u);
		wake(i);
	}
	run(HZ);
	was = pool.cpu[1].running;
	assert_non_null(was);
	credit_charge(&pool, 1, now);
	pool.cpu[1].running = NULL;
	credit_cpu_leave(&pool, 1);
	cpus = 1;
	(void)credit_wake(&pool, was, now);
	ask_at[0] = now;
	memset(ran, 0, sizeof(ran));
	run(8 * HZ);
	for (unsigned i = 0; i < 4; i++)
		about(ran[i], 2 * HZ, 4);
}

/* Anything in any order: the invariants hold, nobody who may run is forgotten while a CPU that may run it is idle. */
static void test_random_life(void **state)
{
	(void)state;
	srand(1);
	machine(4);
	for (unsigned i = 0; i < VCPUS; i++) {
		hog(i, 1 + (unsigned)rand() % 2000, rand() % 3 ? 0 : 1 + (unsigned)rand() % 120,
		    1 + (unsigned)rand() % 15);
		vcpu[i].soft = (uint32_t)rand() % 16;
		burst[i] = rand() % 4 ? 1 + (uint64_t)rand() % 9000 : 0;
		pause_ticks[i] = 1 + (uint64_t)rand() % 9000;
		wake(i);
	}
	for (unsigned n = 0; n < 20000; n++) {
		unsigned i = (unsigned)rand() % VCPUS;

		run(1 + (uint64_t)rand() % 500);
		if (rand() % 8 == 0) {
			vcpu[i].hard = 1 + (unsigned)rand() % 15;
			credit_rehome(&pool, &vcpu[i]);
			for (unsigned c = 0; c < cpus; c++)
				ask_at[c] = now;
			run(1);
		}
		for (unsigned c = 0; c < cpus; c++) {
			assert_int_equal(pool.idle >> c & 1, pool.cpu[c].running == NULL);
			for (struct credit_vcpu *v = pool.waiting; v != NULL; v = v->next)
				assert_true(pool.cpu[c].running != NULL || v->domain->cap != 0 ||
					    !(v->hard >> c & 1) || ask_at[c] <= now);
		}
	}
	for (unsigned i = 0; i < VCPUS; i++)
		assert_true(ran[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_are_as_weights),
		cmocka_unit_test(test_extreme_weights_starve_nobody),
		cmocka_unit_test(test_three_on_two_cpus_are_equal),
		cmocka_unit_test(test_a_vcpu_alone_is_left_alone),
		cmocka_unit_test(test_a_cap_holds_and_the_rest_is_for_others),
		cmocka_unit_test(test_a_cap_holds_on_an_idle_machine),
		cmocka_unit_test(test_pinned_ones_share_their_cpu_whatever_others_do),
		cmocka_unit_test(test_a_sleeper_comes_soon_and_takes_no_more_than_its_share),
		cmocka_unit_test(test_weight_counts_among_sleepers),
		cmocka_unit_test(test_weight_counts_after_a_burst),
		cmocka_unit_test(test_a_cpu_for_oneself_is_no_debt),
		cmocka_unit_test(test_a_deadline_after_a_burst),
		cmocka_unit_test(test_two_wake_and_two_cpus_are_idle),
		cmocka_unit_test(test_a_debt_ends_while_another_runs_alone),
		cmocka_unit_test(test_years_alone),
		cmocka_unit_test(test_a_cpu_that_comes_back_has_its_clock),
		cmocka_unit_test(test_an_affinity_that_changes_twice),
		cmocka_unit_test(test_more_weight_counts_at_once),
		cmocka_unit_test(test_soft_affinity_is_a_wish),
		cmocka_unit_test(test_a_cpu_that_leaves_gives_its_waiting_ones_to_others),
		cmocka_unit_test(test_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
