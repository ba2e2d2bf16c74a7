/* Domus's own hypercall: what Dom0 sees and may order, and nobody else. */
#include "drivers/scu_power.h"
#include "fake/machine.h"
#include "fake/power_machine.h"
#include "fake/scu_sim.h"
#include "fake/xen_machine.h"
#include "guest/trap.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domus_power.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT (FAKE_GUEST + 0xff8) /* across two pages */
#define IN ((void *)(fake_guest + 0xff8))
enum { UART = 57, CARD = 249 };

static struct domain *d;

static int64_t call(unsigned op, uint64_t at)
{
	struct frame f = {.x = {[0] = op, [1] = at, [16] = DOMUS_POWER_HYPERCALL}};

	hypercall(fake_cpu->vcpu, &f);
	return (int64_t)f.x[0];
}

static int setup(void **state)
{
	(void)state;
	memset(fake_timers, 0, sizeof(fake_timers));
	memset(fake_mapped, 0, sizeof(fake_mapped));
	memset(fake_guest, 0, sizeof(fake_guest));
	d = fake_domain(1);
	d->privileged = true;
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	fake_domain_free(d);
	return sim.violations != 0;
}

static void board(void)
{
	static const uint16_t ids[] = {UART, CARD};
	struct power_range range = {0x9020000, 0x10000}; /* devices of the fake machine */

	sim_reset();
	assert_int_equal(scu_power_open(&sim_port, SIM_TIMEOUT), 0);
	assert_int_equal(power_init(&scu_power), 0);
	assert_int_equal(power_add("serial@5a060000", &ids[0], 1, &range, 0, POWER_HYPERVISOR,
				   "the console"),
			 0);
	assert_int_equal(power_add("mmc@5b020000", &ids[1], 1, &range, 1, POWER_NOBODY, NULL), 0);
	power_start();
}

static struct domus_rail *get(unsigned index)
{
	struct domus_rail *r = IN;

	memset(r, 0xee, sizeof(*r));
	r->index = index;
	assert_int_equal(call(DOMUS_POWER_get, AT), 0);
	assert_int_equal(r->index, index);
	return r;
}

static int64_t set(uint32_t id, uint32_t on)
{
	*(struct domus_power_set *)IN = (struct domus_power_set){id, on};
	return call(DOMUS_POWER_set, AT);
}

static int64_t give(uint32_t id, uint16_t owner, uint16_t driver)
{
	*(struct domus_power_give *)IN = (struct domus_power_give){id, owner, driver};
	return call(DOMUS_POWER_give, AT);
}

/* First of all: before any test makes a board. */
static void test_a_board_without_rails_says_so(void **state)
{
	struct domus_power_info *info = IN;

	(void)state;
	memset(info, 0xee, sizeof(*info));
	assert_int_equal(call(DOMUS_POWER_info, AT), 0);
	assert_int_equal(info->version, 0);
	assert_int_equal(info->rails, 0);
	assert_string_equal(info->backend, "");
	assert_int_equal(call(DOMUS_POWER_get, AT), -ENOENT);
	assert_int_equal(set(CARD, 1), -EOPNOTSUPP);
	assert_int_equal(give(CARD, 1, 0), -EOPNOTSUPP);
	assert_int_equal(call(DOMUS_POWER_refresh, AT), -EOPNOTSUPP);
	assert_false(power_has_registers(0, ~0ul));
}

static void test_rails_are_listed(void **state)
{
	struct domus_power_info *info = IN;
	struct domus_rail *r;

	(void)state;
	board();
	assert_int_equal(call(DOMUS_POWER_info, AT), 0);
	assert_int_equal(info->version, DOMUS_POWER_VERSION);
	assert_int_equal(info->rails, 2);
	assert_string_equal(info->backend, "scu");
	r = get(0);
	assert_int_equal(r->id, UART);
	assert_int_equal(r->owner, DOMUS_OWNER_HYPERVISOR);
	assert_string_equal(r->device, "serial@5a060000");
	assert_string_equal(r->why, "the console");
	assert_int_equal(r->reason, 1);
	r = get(1);
	assert_int_equal(r->id, CARD);
	assert_int_equal(r->owner, DOMUS_OWNER_NOBODY);
	assert_int_equal(r->wanted, 1);
	assert_int_equal(r->actual, 1);
	assert_int_equal(r->busy, 0);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->resources, 1);
	assert_string_equal(r->why, "");
	r->index = 2;
	assert_int_equal(call(DOMUS_POWER_get, AT), -ENOENT);
	r->index = ~0u;
	assert_int_equal(call(DOMUS_POWER_get, AT), -ENOENT);
}

static void test_a_rail_is_given_and_switched(void **state)
{
	struct domus_rail *r;

	(void)state;
	board();
	assert_int_equal(give(CARD, d->id, d->id), 0);
	assert_int_equal(set(CARD, 1), 0);
	r = get(1);
	assert_int_equal(r->wanted, 2);
	assert_int_equal(r->busy, 1);
	fake_timer_run(1000);
	r = get(1);
	assert_int_equal(r->busy, 0);
	assert_int_equal(r->actual, 2);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->owner, d->id);
	assert_int_equal(r->driver, d->id);
	assert_true(sim_powered(CARD));
	sim_break(SIM_STUCK_ON, CARD, 0, 0);
	assert_int_equal(set(CARD, 0), 0);
	fake_timer_run(1000);
	assert_int_equal(get(1)->error, -EIO);
	sim_break(SIM_FINE, 0, 0, 0);
	sim.resource[CARD].vote[sim.resource[CARD].owner] = 0;
	*(struct domus_power_set *)IN = (struct domus_power_set){CARD, 0};
	assert_int_equal(call(DOMUS_POWER_refresh, AT), 0);
	fake_timer_run(1000);
	assert_int_equal(get(1)->error, 0);
	assert_int_equal(get(1)->actual, 1);
}

static void test_a_rail_is_found_by_its_registers(void **state)
{
	static const struct {
		uint64_t address;
		int64_t result;
	} table[] = {{0x9020000, 0},	   {0x902ffff, 0}, {0x901ffff, -ENOENT},
		     {0x9030000, -ENOENT}, {0, -ENOENT},   {~0ul, -ENOENT}};
	struct domus_power_find *op = IN;

	(void)state;
	board();
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		*op = (struct domus_power_find){table[i].address, 77, 77};
		assert_int_equal(call(DOMUS_POWER_find, AT), table[i].result);
		assert_int_equal(op->index, table[i].result ? 77 : 1);
	}
}

static void test_orders_that_make_no_sense(void **state)
{
	(void)state;
	board();
	assert_int_equal(set(CARD, 2), -EINVAL);
	assert_int_equal(set(1, 1), -ENOENT);
	assert_int_equal(set(UART, 0), -EPERM);
	assert_int_equal(set(CARD, 1), -EPERM); /* nobody's */
	assert_int_equal(give(CARD, 999, 0), -ESRCH);
	assert_int_equal(give(CARD, d->id, 7), -EPERM);
	for (unsigned op = 7; op < 70; op += 8)
		assert_int_equal(call(op, AT), -ENOSYS);
	for (unsigned op = 0; op < 7; op++)
		assert_int_equal(call(op, FAKE_GUEST + FAKE_GUEST_SIZE - 4), -EFAULT);
}

static void test_only_dom0_may_ask(void **state)
{
	(void)state;
	board();
	d->privileged = false;
	for (unsigned op = 0; op < 7; op++)
		assert_int_equal(call(op, AT), -EPERM);
}

static void test_cores_are_as_the_firmware_says(void **state)
{
	struct domus_power_core *c = IN;

	(void)state;
	for (unsigned i = 0; i < cpu_count; i++) {
		for (fake_affinity[i] = -3; fake_affinity[i] < 3; fake_affinity[i]++) {
			*c = (struct domus_power_core){i, 77, 77, 77, 77};
			assert_int_equal(call(DOMUS_POWER_core, AT), 0);
			assert_int_equal(c->index, i);
			assert_int_equal(c->affinity, fake_affinity[i]);
			assert_int_equal(c->mpidr, cpus[i].mpidr);
			assert_int_equal(c->cluster, cpus[i].cluster);
		}
		fake_affinity[i] = 0;
	}
	for (unsigned i = cpu_count; i < cpu_count + 300; i += 43) {
		*c = (struct domus_power_core){i, 77, 77, 77, 77};
		assert_int_equal(call(DOMUS_POWER_core, AT), -ENOENT);
		assert_int_equal(c->affinity, 77);
	}
	c->index = ~0u;
	assert_int_equal(call(DOMUS_POWER_core, AT), -ENOENT);
}

static int64_t domctl(uint32_t cmd, uint64_t first, uint64_t count)
{
	struct frame f = {.x = {[0] = AT, [16] = __HYPERVISOR_domctl}};
	struct xen_domctl *op = IN;

	memset(op, 0, sizeof(*op));
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = d->id;
	if (cmd == XEN_DOMCTL_iomem_permission) {
		op->u.iomem_permission.first_mfn = first;
		op->u.iomem_permission.nr_mfns = count;
		op->u.iomem_permission.allow_access = 1;
	} else {
		op->u.memory_mapping.first_gfn = op->u.memory_mapping.first_mfn = first;
		op->u.memory_mapping.nr_mfns = count;
		op->u.memory_mapping.add_mapping = 1;
	}
	hypercall(fake_cpu->vcpu, &f);
	return (int64_t)f.x[0];
}

static void test_registers_of_rails_are_mapped_by_nobody_else(void **state)
{
	(void)state;
	board();
	assert_int_equal(domctl(XEN_DOMCTL_iomem_permission, 0x9010, 0x30), 0);
	assert_int_equal(domctl(XEN_DOMCTL_memory_mapping, 0x9020, 1), -EPERM);
	assert_int_equal(domctl(XEN_DOMCTL_memory_mapping, 0x902f, 2), -EPERM);
	assert_int_equal(domctl(XEN_DOMCTL_memory_mapping, 0x901f, 2), -EPERM);
	assert_int_equal(domctl(XEN_DOMCTL_memory_mapping, 0x901f, 1), 0);
	assert_int_equal(domctl(XEN_DOMCTL_memory_mapping, 0x9030, 1), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_board_without_rails_says_so),
		T(test_rails_are_listed),
		T(test_a_rail_is_given_and_switched),
		T(test_a_rail_is_found_by_its_registers),
		T(test_orders_that_make_no_sense),
		T(test_only_dom0_may_ask),
		T(test_cores_are_as_the_firmware_says),
		T(test_registers_of_rails_are_mapped_by_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
