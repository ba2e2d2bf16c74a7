/* Event channels: binding, delivery in the 2-level words, and who is told. */
#include "core/event.h"
#include "core/domain_life.h"
#include "fake/machine.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct domain *d;
static uint64_t pending[64], mask[64], selector[2];
static uint8_t upcall[2];

static int setup(void **state)
{
	(void)state;
	d = fake_domain(2);
	memset(pending, 0, sizeof(pending));
	memset(mask, 0, sizeof(mask));
	d->events->pending = pending;
	d->events->mask = mask;
	for (unsigned i = 0; i < 2; i++) {
		event_register_vcpu(d->vcpu[i], &upcall[i], &selector[i]);
		assert_int_equal(upcall[i], 1);
		assert_int_equal(selector[i], ~0ul);
		upcall[i] = 0;
		selector[i] = 0;
		d->vcpu[i]->marked = 0;
		memset(d->vcpu[i]->mark, 0, sizeof(d->vcpu[i]->mark));
	}
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return 0;
}
static bool told(unsigned i)
{
	bool was = d->vcpu[i]->mark[0] >> d->event_intid & 1;

	d->vcpu[i]->mark[0] = 0;
	return was;
}

/* Two ends in one domain. */
static void pair(unsigned *a, unsigned *b)
{
	assert_int_equal(event_alloc_unbound(d, d->id, a), 0);
	assert_int_equal(event_bind_interdomain(d, d->id, *a, b), 0);
	assert_int_equal(*a, 1);
	assert_int_equal(*b, 2);
	/* told once after binding: something may have been sent before */
	assert_int_equal(pending[0], 1u << *b);
	assert_true(told(0));
	pending[0] = selector[0] = upcall[0] = 0;
}

static void test_send_sets_pending_selector_upcall_and_interrupt(void **state)
{
	unsigned a, b;

	(void)state;
	pair(&a, &b);
	assert_int_equal(event_send(d, b), 0);
	assert_int_equal(pending[0], 1u << a);
	assert_int_equal(selector[0], 1);
	assert_int_equal(upcall[0], 1);
	assert_true(told(0));
	assert_int_equal(event_send(d, b), 0); /* still pending: nobody is told twice */
	assert_false(told(0));
}

static void test_a_masked_port_waits_for_unmask(void **state)
{
	unsigned a, b;

	(void)state;
	pair(&a, &b);
	mask[0] = 1u << a;
	assert_int_equal(event_send(d, b), 0);
	assert_int_equal(pending[0], 1u << a);
	assert_int_equal(selector[0], 0);
	assert_false(told(0));
	assert_int_equal(event_unmask(d, a), 0);
	assert_int_equal(mask[0], 0);
	assert_int_equal(upcall[0], 1);
	assert_true(told(0));
}

static void test_bind_vcpu_moves_delivery(void **state)
{
	unsigned a, b;

	(void)state;
	pair(&a, &b);
	assert_int_equal(event_bind_vcpu(d, a, 1), 0);
	assert_int_equal(event_bind_vcpu(d, a, 2), -ENOENT);
	assert_int_equal(event_send(d, b), 0);
	assert_false(told(0));
	assert_true(told(1));
	assert_int_equal(selector[1], 1);
}

static void test_close_leaves_the_peer_unbound_for_us(void **state)
{
	struct event_port port;
	unsigned a, b;

	(void)state;
	pair(&a, &b);
	assert_int_equal(event_close(d, b), 0);
	assert_int_equal(event_close(d, b), -EINVAL);
	assert_int_equal(event_status(d, a, &port), 0);
	assert_int_equal(port.state, EVENT_UNBOUND);
	assert_int_equal(port.domain, d->id);
	assert_int_equal(event_bind_interdomain(d, d->id, a, &b), 0);
	assert_int_equal(event_reset(d), 0);
	assert_int_equal(event_status(d, a, &port), 0);
	assert_int_equal(port.state, EVENT_FREE);
}

static void test_reset_of_many_ports_takes_steps(void **state)
{
	unsigned first, port, steps = 0;

	(void)state;
	assert_int_equal(event_bind_ipi(d, 0, &first), 0);
	for (unsigned i = 1; i < 200; i++)
		assert_int_equal(event_bind_ipi(d, 0, &port), 0);
	while (event_reset(d) == -ERESTART)
		steps++;
	assert_in_range(steps, 10, 14);
	assert_int_equal(event_bind_ipi(d, 0, &port), 0);
	assert_int_equal(port, first); /* all are free again */
}

static void test_virqs(void **state)
{
	unsigned port, other;

	(void)state;
	assert_int_equal(event_bind_virq(d, 3, 1, &port), -EINVAL); /* the domain's, not a vCPU's */
	assert_int_equal(event_bind_virq(d, EVENT_VIRQS, 0, &port), -EINVAL);
	assert_int_equal(event_bind_virq(d, 3, 0, &port), 0);
	assert_int_equal(event_bind_virq(d, 3, 0, &other), -EEXIST);
	event_raise_virq(d, 3, 0);
	assert_int_equal(pending[0], 1u << port);
	assert_int_equal(event_bind_vcpu(d, port, 1), 0);
	assert_int_equal(event_close(d, port), 0);
	assert_int_equal(pending[0], 0);
	assert_int_equal(event_bind_virq(d, 3, 0, &port), 0);
	assert_int_equal(event_bind_virq(d, 1, 1, &port), 0); /* one of each vCPU's own */
	assert_int_equal(event_bind_vcpu(d, port, 0), -EINVAL);
}

static void test_wrong_ports_are_refused(void **state)
{
	static const unsigned ports[] = {0, 5, EVENT_PORTS - 1, EVENT_PORTS, ~0u};
	struct event_port port;
	unsigned other;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		assert_int_equal(event_send(d, ports[i]), -EINVAL);
		assert_int_equal(event_close(d, ports[i]), -EINVAL);
		assert_int_equal(event_unmask(d, ports[i]), ports[i] ? -EINVAL : 0); /* as in Xen */
		assert_int_equal(event_bind_vcpu(d, ports[i], 0), -EINVAL);
		assert_int_equal(event_bind_interdomain(d, d->id, ports[i], &other), -EINVAL);
	}
	assert_int_equal(event_status(d, EVENT_PORTS, &port), -EINVAL);
	assert_int_equal(event_bind_interdomain(d, 9, 1, &other), -ESRCH);
}

static void test_ports_run_out_cleanly(void **state)
{
	unsigned port = 0;

	(void)state;
	for (unsigned i = 1; i < EVENT_PORTS; i++) {
		assert_int_equal(event_bind_ipi(d, 0, &port), 0);
		assert_int_equal(port, i);
	}
	assert_int_equal(event_bind_ipi(d, 0, &port), -ENOSPC);
	assert_int_equal(event_alloc_unbound(d, 0, &port), -ENOSPC);
}

static void test_a_domain_has_no_more_ports_than_it_may(void **state)
{
	unsigned port;

	(void)state;
	d->events->ports = 66;
	for (unsigned i = 1; i < 66; i++)
		assert_int_equal(event_bind_ipi(d, 0, &port), 0);
	assert_int_equal(event_bind_ipi(d, 0, &port), -ENOSPC);
	assert_int_equal(event_close(d, 65), 0);
	assert_int_equal(event_close(d, 7), 0);
	assert_int_equal(event_bind_ipi(d, 0, &port), 0);
	assert_int_equal(port, 7);
	assert_int_equal(event_bind_ipi(d, 0, &port), 0);
	assert_int_equal(port, 65);
}

/* The peer keeps a port that says so, and can close it even when nobody remembers the domain. */
static void test_a_domain_that_ends_leaves_its_peers_unbound(void **state)
{
	static uint64_t words[64], words_mask[64];
	unsigned theirs, mine, port, steps = 1;
	struct domain *other;
	struct event_port p;

	(void)state;
	assert_int_equal(domain_create(&(struct domain_config){.id = 5, .vcpus_max = 1}, &other),
			 0);
	other->events->pending = words;
	other->events->mask = words_mask;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(event_alloc_unbound(other, d->id, &theirs), 0);
		assert_int_equal(event_bind_interdomain(d, other->id, theirs, &mine), 0);
	}
	while (event_end(other) == -ERESTART)
		steps++;
	assert_int_equal(steps, 7); /* 100 ports, 16 at one go */
	assert_int_equal(event_alloc_unbound(other, d->id, &port), -ENOSPC);
	assert_int_equal(event_status(d, mine, &p), 0);
	assert_int_equal(p.state, EVENT_UNBOUND);
	assert_int_equal(p.domain, other->id);
	assert_int_equal(event_send(d, mine), 0); /* lost */
	domains[other->slot] = NULL;
	assert_int_equal(event_close(d, mine), 0);
	d->events->port[mine - 1].state = EVENT_INTERDOMAIN; /* as if the end had come in between */
	assert_int_equal(event_close(d, mine - 1), 0);
	domain_release(other);
}

/* The tools make a domain, open a channel, and give up before it has a vCPU. */
static void test_a_domain_without_vcpus_has_no_words(void **state)
{
	unsigned a, b;

	(void)state;
	d->events->pending = d->events->mask = NULL;
	assert_int_equal(event_alloc_unbound(d, d->id, &a), 0);
	assert_int_equal(event_bind_interdomain(d, d->id, a, &b), 0);
	assert_int_equal(event_send(d, a), 0);
	assert_int_equal(event_reset(d), 0);
	assert_int_equal(event_send(d, a), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_send_sets_pending_selector_upcall_and_interrupt),
		T(test_a_masked_port_waits_for_unmask),
		T(test_bind_vcpu_moves_delivery),
		T(test_close_leaves_the_peer_unbound_for_us),
		T(test_reset_of_many_ports_takes_steps),
		T(test_virqs),
		T(test_wrong_ports_are_refused),
		T(test_ports_run_out_cleanly),
		T(test_a_domain_has_no_more_ports_than_it_may),
		T(test_a_domain_that_ends_leaves_its_peers_unbound),
		T(test_a_domain_without_vcpus_has_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
