/* Pools: by cluster at boot; CPUs and domains that move between them. */
#include "core/pool.h"
#include "core/vcpu.h"
#include "fake/machine.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct domain *d;

static int setup(void **state)
{
	(void)state;
	d = fake_domain(2);
	for (unsigned i = 0; i < POOL_MAX; i++)
		pools[i] = (struct pool){0};
	for (unsigned i = 0; i < MAX_CPUS; i++)
		cpus[i].cluster = i < 4 ? 7 : 3; /* four CPUs and twelve */
	pool_init();
	for (unsigned i = 0; i < MAX_CPUS; i++)
		credit_cpu_join(&cpus[i].pool->credit, i);
	pools[0].domains = 1;
	d->credit.weight = CREDIT_WEIGHT;
	for (unsigned i = 0; i < 2; i++)
		credit_vcpu_init(&d->vcpu[i]->credit, &d->credit, i);
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}

static void test_a_pool_for_each_cluster(void **state)
{
	(void)state;
	assert_int_equal(pools[0].members, 0x000f);
	assert_int_equal(pools[1].members, 0xfff0);
	assert_ptr_equal(cpus[3].pool, &pools[0]);
	assert_ptr_equal(pool_next(1), &pools[1]);
	assert_null(pool_next(2));
	assert_null(pool_find(2));
	assert_null(pool_find(~0u));
}

static void test_pools_come_and_go(void **state)
{
	unsigned id = ~0u;

	(void)state;
	assert_int_equal(pool_create(&id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(pool_create(&id), -EEXIST);
	id = POOL_MAX;
	assert_int_equal(pool_create(&id), -ENOSPC);
	assert_int_equal(pool_destroy(2), 0);
	assert_int_equal(pool_destroy(2), -ENOENT);
	assert_int_equal(pool_destroy(1), -EBUSY); /* it has CPUs */
	for (unsigned i = 2; i < POOL_MAX; i++) {
		id = ~0u;
		assert_int_equal(pool_create(&id), 0);
	}
	id = ~0u;
	assert_int_equal(pool_create(&id), -ENOSPC);
}

static void test_a_cpu_moves(void **state)
{
	(void)state;
	assert_int_equal(pool_cpu_add(&pools[1], 2), -ENODEV); /* it is in a pool */
	assert_int_equal(pool_cpu_add(&pools[1], MAX_CPUS), -ENODEV);
	assert_int_equal(pool_cpu_leave(&pools[1], 2), -ENODEV);
	assert_int_equal(pool_cpu_leave(&pools[0], 2), 0);
	assert_int_equal(pools[0].members, 0x000b);
	assert_int_equal(pools[0].credit.cpus, 0x000b);
	assert_int_equal(pool_cpu_leave(&pools[0], 2), -ENODEV);
	cpus[2].pool = NULL; /* its scheduler does that */
	assert_int_equal(pool_cpu_add(&pools[1], 2), 0);
	assert_int_equal(pools[1].members, 0xfff4);
}

static void test_the_last_cpu_stays_as_long_as_a_domain_needs_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pool_cpu_leave(&pools[0], i), 0);
	assert_int_equal(pool_cpu_leave(&pools[0], 3), -EBUSY);
	pools[0].domains = 0;
	assert_int_equal(pool_cpu_leave(&pools[0], 3), 0);
}

static void test_an_affinity_that_loses_its_cpu_becomes_any(void **state)
{
	(void)state;
	d->vcpu[0]->credit.hard = 1u << 2;
	d->vcpu[1]->credit.hard = 1u << 2 | 1u << 1;
	assert_int_equal(pool_cpu_leave(&pools[0], 2), 0);
	assert_int_equal(d->vcpu[0]->credit.hard, ~0u);
	assert_int_equal(d->vcpu[1]->credit.hard, 1u << 2 | 1u << 1);
}

static void test_a_domain_moves_with_its_vcpus(void **state)
{
	unsigned id = ~0u;

	(void)state;
	d->vcpu[0]->credit.hard = 3; /* only of the old pool */
	d->vcpu[1]->credit.hard = 1u << 9;
	(void)credit_wake(&pools[0].credit, &d->vcpu[0]->credit, 5);
	d->vcpu[0]->run = VCPU_RUNNABLE;
	assert_int_equal(pool_move(d, &pools[1]), 0);
	assert_ptr_equal(d->pool, &pools[1]);
	assert_int_equal(pools[0].domains, 0);
	assert_int_equal(pools[1].domains, 1);
	assert_null(pools[0].credit.waiting);
	assert_int_equal(d->vcpu[0]->credit.hard, ~0u);
	assert_int_equal(d->vcpu[1]->credit.home, 9);
	assert_true(pools[1].members >> d->vcpu[0]->credit.home & 1);
	assert_int_equal(d->vcpu[0]->pauses, 0);
	assert_int_equal(pool_create(&id), 0);
	assert_int_equal(pool_move(d, &pools[id]), -EBUSY); /* no CPUs */
	d->moving_to = &pools[0];
	d->vcpu[0]->pauses = d->vcpu[1]->pauses = 1;
	assert_int_equal(pool_move(d, &pools[0]), 0); /* goes on where it stopped */
	assert_int_equal(d->vcpu[1]->pauses, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_pool_for_each_cluster),
		T(test_pools_come_and_go),
		T(test_a_cpu_moves),
		T(test_the_last_cpu_stays_as_long_as_a_domain_needs_it),
		T(test_an_affinity_that_loses_its_cpu_becomes_any),
		T(test_a_domain_moves_with_its_vcpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
