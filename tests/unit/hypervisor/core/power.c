/* Rails on the real backend, driver and messages, down to the simulated firmware; what is true is asked of the simulator. */
#include "core/power.h"
#include "core/unit.h"
#include "drivers/scu_power.h"
#include "fake/machine.h"
#include "fake/power_machine.h"
#include "fake/scu_sim.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The rails of these tests: by their lowest resource. */
enum { UART = 57, DISK = 248, CARD = 249, NET = 251, JPEG = 385 };
enum { JPEG_PARTNER = 532 };

static struct domain dom[6];

/* Its slot is not its number. */
#define SLOT(id) ((id) == 0 ? 0 : (id) + 7)

static struct domain *domain(unsigned id)
{
	memset(&dom[id], 0, sizeof(dom[id]));
	dom[id].id = (uint16_t)id;
	dom[id].slot = (uint8_t)SLOT(id);
	dom[id].state = DOMAIN_CREATED;
	domains[SLOT(id)] = &dom[id];
	return &dom[id];
}

static const struct unit *unit(void)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (strcmp(u->name, "power") == 0)
			return u;
	fail();
	return NULL;
}

/* One round of its end; true when it is over. */
static bool gone(struct domain *d)
{
	int error;

	d->state = DOMAIN_DYING;
	error = unit()->domain_relinquish(d);
	if (error)
		assert_int_equal(error, -ERESTART);
	else
		domains[d->slot] = NULL;
	return !error;
}

static void kill(struct domain *d)
{
	while (!gone(d))
		;
}

static void shut(struct domain *d)
{
	d->state = DOMAIN_SHUT;
	unit()->domain_shutdown(d);
}

static void add(const char *name, uint16_t resource, uint16_t partner, uint64_t base,
		uint16_t owner)
{
	uint16_t ids[2] = {resource, partner};
	struct power_range range = {base, 0x10000};

	assert_int_equal(power_add(name, ids, partner ? 2 : 1, &range, 1, owner,
				   owner == POWER_HYPERVISOR ? "console" : NULL),
			 0);
}

static struct rail rail(uint32_t id)
{
	struct rail r;

	for (unsigned i = 0; power_get(i, &r) == 0; i++)
		if (r.id == id)
			return r;
	fail();
	return r;
}

static void settle(void)
{
	fake_timer_run(100000);
	assert_false(fake_timer_is_set());
}

static void board(void)
{
	assert_int_equal(scu_power_open(&sim_port, SIM_TIMEOUT), 0);
	assert_int_equal(power_init(&scu_power), 0);
	add("serial@5a060000", UART, 0, 0x5a060000, POWER_HYPERVISOR);
	add("mmc@5b010000", DISK, 0, 0x5b010000, 0);
	add("mmc@5b020000", CARD, 0, 0x5b020000, POWER_NOBODY);
	add("ethernet@5b040000", NET, 0, 0x5b040000, POWER_NOBODY);
	add("jpegdec@58400000", JPEG_PARTNER, JPEG, 0x58400000, POWER_NOBODY);
}

static int setup(void **state)
{
	static const unsigned left_on[] = {UART, DISK, CARD, JPEG, JPEG_PARTNER};

	(void)state;
	memset(domains, 0, sizeof(domains));
	memset(fake_mapped, 0, sizeof(fake_mapped));
	memset(fake_timers, 0, sizeof(fake_timers));
	domain(0)->state = DOMAIN_RUNNING;
	dom[0].privileged = true;
	sim_reset();
	/* as a boot loader leaves things */
	for (unsigned i = 0; i < ARRAY_SIZE(left_on); i++)
		sim.resource[left_on[i]].vote[SIM_HOME] = 3;
	/* and as Dom0's builder maps them */
	fake_mapped[0] = 0x5b010000;
	fake_mapped[1] = 0x5b020000;
	fake_mapped[2] = 0x5b040000;
	fake_mapped[3] = 0x58400000;
	memset(fake_mapped_by, 0, sizeof(fake_mapped_by));
	board();
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	return sim.violations != 0;
}

static void boot(void **state)
{
	(void)state;
	power_start();
	assert_false(fake_timer_is_set());
}

/* A domain with a rail that is on. */
static struct domain *guest_with(unsigned id, uint32_t rail_id, uint16_t driver)
{
	struct domain *d = domain_find((uint16_t)id) ? domain_find((uint16_t)id) : domain(id);

	assert_int_equal(power_give(rail_id, (uint16_t)id, driver), 0);
	assert_int_equal(power_set(rail_id, true), 0);
	settle();
	assert_int_equal(rail(rail_id).actual, POWER_ON);
	assert_int_equal(rail(rail_id).error, 0);
	return d;
}

static void test_boot_switches_off_what_is_nobodys(void **state)
{
	boot(state);
	assert_false(sim_powered(CARD));
	assert_false(sim_powered(JPEG));
	assert_false(sim_powered(JPEG_PARTNER));
	assert_true(sim_powered(DISK));
	assert_true(sim_powered(UART));
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_int_equal(rail(CARD).error, 0);
	assert_int_equal(rail(DISK).actual, POWER_ON);
	assert_int_equal(rail(UART).actual, POWER_ON);
	assert_int_equal(rail(UART).reason, POWER_ALWAYS_ON);
	/* before it went off, Dom0 lost the registers: touching them would hang the bus */
	assert_false(fake_is_mapped(0, 0x5b020000));
	assert_false(fake_is_mapped(0, 0x58400000));
	assert_true(fake_is_mapped(0, 0x5b010000));
}

static void test_a_domains_life(void **state)
{
	struct domain *d;
	unsigned pt;

	boot(state);
	d = guest_with(3, CARD, 0);
	pt = sim.resource[CARD].owner;
	assert_int_not_equal(pt, SIM_HOME);
	assert_true(sim_powered(CARD));
	assert_true(sim.resource[CARD].bypass); /* Dom0 drives it, at machine addresses */
	assert_true(fake_is_mapped(0, 0x5b020000));
	assert_int_equal(rail(CARD).owner, 3);

	shut(d);
	assert_int_equal(rail(CARD).wanted, POWER_OFF);
	settle();
	assert_false(sim_powered(CARD));
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_int_equal(rail(CARD).reason, POWER_OWNER_SHUT);
	assert_int_equal(rail(CARD).owner, 3); /* until it is destroyed */
	assert_int_equal(sim.partition[pt].mode, 0);
	assert_false(fake_is_mapped(0, 0x5b020000));

	kill(d);
	assert_int_equal(rail(CARD).owner, POWER_NOBODY);
	assert_int_equal(sim.resource[CARD].owner, SIM_HOME);
	assert_false(sim.partition[pt].used);
	assert_int_equal(sim_powered_count(), 2);
}

static void test_a_killed_domain_leaves_nothing_on(void **state)
{
	struct domain *d;

	boot(state);
	d = guest_with(3, CARD, 3);
	guest_with(3, JPEG, 0);
	assert_true(fake_is_mapped(3, 0x5b020000));
	assert_false(sim.resource[CARD].bypass); /* it drives it itself: its own stream id */
	assert_int_equal(sim.resource[CARD].sid, 16 + SLOT(3));
	assert_int_equal(sim.resource[CARD].owner, sim.resource[JPEG].owner);
	kill(d); /* without having shut down */
	assert_int_equal(sim_powered_count(), 2);
	assert_int_equal(rail(CARD).reason, POWER_OWNER_GONE);
	for (unsigned pt = SIM_HOME + 1; pt < SIM_PARTITIONS; pt++)
		assert_false(sim.partition[pt].used);
}

static void test_a_domain_destroyed_while_its_rail_is_on_its_way(void **state)
{
	boot(state);
	for (unsigned steps = 0; steps < 80; steps++) {
		struct domain *d = domain(3);
		uint16_t driver = steps % 2 ? 3 : 0; /* itself, or Dom0 for it */

		assert_int_equal(power_give(CARD, 3, driver), 0);
		assert_int_equal(power_set(CARD, true), 0);
		fake_timer_run(steps / 2);
		while (!gone(d))
			assert_true(driver == 0 || !fake_is_mapped(0, 0x5b020000));
		assert_false(fake_is_mapped(driver, 0x5b020000));
		fake_timer_run(1);
		assert_false(fake_timer_is_set());
		assert_false(sim_powered(CARD));
		assert_int_equal(rail(CARD).actual, POWER_OFF);
		assert_int_equal(sim.resource[CARD].owner, SIM_HOME);
		for (unsigned pt = SIM_HOME + 1; pt < SIM_PARTITIONS; pt++)
			assert_false(sim.partition[pt].used);
	}
}

static void test_the_ceiling_stays_up_while_another_rail_is_on(void **state)
{
	struct domain *d;
	unsigned pt;

	boot(state);
	d = guest_with(3, CARD, 0);
	guest_with(3, NET, 0);
	pt = sim.resource[CARD].owner;
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_false(sim_powered(CARD));
	assert_true(sim_powered(NET));
	assert_int_equal(sim.partition[pt].mode, 3);
	/* both at once: neither loses power before its registers are unmapped */
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	shut(d);
	while (fake_timer_is_set()) {
		assert_true(sim_powered(CARD) || !fake_is_mapped(0, 0x5b020000));
		assert_true(sim_powered(NET) || !fake_is_mapped(0, 0x5b040000));
		fake_timer_run(1);
	}
	assert_int_equal(sim.partition[pt].mode, 0);
}

static void test_orders_that_are_refused(void **state)
{
	boot(state);
	domain(3);
	assert_int_equal(power_set(1000, true), -ENOENT);
	assert_int_equal(power_set(JPEG_PARTNER, true), -ENOENT); /* not a rail's id */
	assert_int_equal(power_set(~0u, false), -ENOENT);
	assert_int_equal(power_set(UART, false), -EPERM); /* always on */
	assert_int_equal(power_set(CARD, true), -EPERM);  /* nobody's */
	assert_int_equal(power_give(CARD, 4, 0), -ESRCH);
	assert_int_equal(power_give(CARD, 3, 2), -EPERM); /* neither Dom0 nor owner drives */
	assert_int_equal(power_give(UART, 3, 0), -EPERM);
	assert_int_equal(power_give(DISK, 3, 3), -EBUSY); /* on */
	dom[3].state = DOMAIN_SHUT;
	assert_int_equal(power_give(CARD, 3, 0), -ESRCH);
	dom[3].state = DOMAIN_CREATED;
	assert_int_equal(power_give(CARD, 3, 0), 0);
	dom[3].state = DOMAIN_DYING;
	assert_int_equal(power_set(CARD, true), -EPERM);
	assert_false(fake_timer_is_set());
}

static void test_a_rail_can_be_taken_from_dom0_and_given_back(void **state)
{
	boot(state);
	assert_int_equal(power_set(DISK, false), 0);
	settle();
	assert_false(sim_powered(DISK));
	assert_false(fake_is_mapped(0, 0x5b010000));
	guest_with(3, DISK, 0);
	assert_int_equal(power_set(DISK, false), 0);
	settle();
	assert_int_equal(power_give(DISK, 0, 0), 0);
	settle();
	assert_int_equal(sim.resource[DISK].owner, SIM_HOME);
	assert_int_equal(power_set(DISK, true), 0);
	settle();
	assert_true(sim_powered(DISK));
	assert_true(fake_is_mapped(0, 0x5b010000));
}

static void test_what_dom0_drives_is_on_before_its_owner_exists(void **state)
{
	struct domain *d;

	boot(state);
	assert_int_equal(power_give(CARD, 0, 0), 0);
	assert_int_equal(power_set(CARD, true), 0);
	assert_int_equal(power_give(CARD, 0, 0), -EBUSY); /* on its way */
	settle();
	d = domain(3);
	assert_int_equal(power_give(CARD, 3, 3), -EBUSY); /* on, it does not move */
	assert_int_equal(power_give(CARD, POWER_NOBODY, 0), -EBUSY);
	assert_int_equal(power_give(CARD, 3, 0), 0);
	assert_int_equal(sim.resource[CARD].owner, SIM_HOME);
	assert_true(sim_powered(CARD) && fake_is_mapped(0, 0x5b020000));
	assert_int_equal(power_access(CARD, 0), POWER_FULL);
	/* the guest crashes; it starts anew as another domain, with the disk off and on in between */
	shut(d);
	settle();
	assert_false(sim_powered(CARD) || fake_is_mapped(0, 0x5b020000));
	kill(d);
	assert_int_equal(rail(CARD).owner, POWER_NOBODY);
	assert_int_equal(power_give(CARD, 0, 0), 0);
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	d = domain(4);
	assert_int_equal(power_give(CARD, 4, 0), 0);
	kill(d);
	assert_false(sim_powered(CARD) || fake_is_mapped(0, 0x5b020000));
	/* what a domain's partition has does not change hands while it is on */
	guest_with(5, NET, 0);
	domain(4);
	assert_int_equal(power_give(NET, 4, 0), -EBUSY);
}

static void test_from_one_domain_to_another(void **state)
{
	unsigned pt;

	boot(state);
	guest_with(3, CARD, 0);
	pt = sim.resource[CARD].owner;
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	domain(4);
	/* the order to go on overtakes the way home */
	assert_int_equal(power_give(CARD, 4, 0), 0);
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	assert_true(sim_powered(CARD));
	assert_int_equal(rail(CARD).owner, 4);
	assert_int_equal(rail(CARD).home, SLOT(4));
	assert_int_equal(sim_powered_count(), 3);
	/* the first one's partition is gone or the second one's by now: exactly one is in use */
	(void)pt;
	pt = 0;
	for (unsigned i = SIM_HOME + 1; i < SIM_PARTITIONS; i++)
		pt += sim.partition[i].used;
	assert_int_equal(pt, 1);
}

/* ---- faults ---------------------------------------------------------------------------------------------------------------- */
static void test_stuck_on_is_given_to_nobody(void **state)
{
	struct domain *d;

	boot(state);
	d = guest_with(3, CARD, 0);
	sim_break(SIM_STUCK_ON, CARD, 0, 0);
	shut(d);
	settle();
	assert_int_equal(rail(CARD).actual, POWER_ON);
	assert_int_equal(rail(CARD).error, -EIO);
	assert_false(fake_is_mapped(0, 0x5b020000));
	assert_false(sim_powered(CARD)); /* the domain's partition went off: the second lock held */
	kill(d);
	domain(4);
	assert_int_equal(power_give(CARD, 4, 0), -EIO);
	assert_int_equal(rail(CARD).owner, POWER_NOBODY);
	/* it comes loose */
	sim_break(SIM_FINE, 0, 0, 0);
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_int_equal(rail(CARD).error, 0);
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_int_equal(sim.resource[CARD].owner, SIM_HOME);
	guest_with(4, CARD, 0);
}

static void test_a_new_domain_does_not_light_what_an_old_one_left_stuck(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	sim_break(SIM_STUCK_ON, CARD, 0, 0);
	kill(&dom[3]);
	domain(4)->slot = SLOT(3); /* its place is given again */
	assert_int_equal(power_give(NET, 4, 0), 0);
	assert_int_equal(power_set(NET, true), -EBUSY);
	assert_false(sim_powered(CARD));
	sim_break(SIM_FINE, 0, 0, 0);
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_int_equal(power_set(NET, true), 0);
	settle();
	assert_true(sim_powered(NET));
}

static void test_stuck_on_at_boot(void **state)
{
	sim_break(SIM_STUCK_ON, JPEG, 0, 0);
	boot(state);
	assert_int_equal(rail(JPEG).actual, POWER_ON);
	assert_int_equal(rail(JPEG).error, -EIO);
	domain(3);
	assert_int_equal(power_give(JPEG, 3, 0), -EIO);
	assert_int_equal(rail(CARD).error, 0);
}

static void test_half_a_rail_that_fails_goes_off_again(void **state)
{
	boot(state);
	domain(3);
	sim_break(SIM_STUCK_OFF, JPEG_PARTNER, 0, 0);
	assert_int_equal(power_give(JPEG, 3, 0), 0);
	assert_int_equal(power_set(JPEG, true), 0);
	settle();
	assert_int_equal(rail(JPEG).wanted, POWER_ON);
	assert_int_equal(rail(JPEG).actual, POWER_OFF);
	assert_int_equal(rail(JPEG).error, -EIO);
	assert_false(sim_powered(JPEG));
	assert_false(fake_is_mapped(0, 0x58400000));
	assert_int_equal(power_access(JPEG, 0), POWER_IDLE);
	/* asked again when it is well */
	sim_break(SIM_FINE, 0, 0, 0);
	assert_int_equal(power_set(JPEG, true), 0);
	settle();
	assert_int_equal(rail(JPEG).error, 0);
	assert_true(sim_powered(JPEG) && sim_powered(JPEG_PARTNER));
}

static void test_no_access(void **state)
{
	boot(state);
	domain(3);
	assert_int_equal(power_give(CARD, 3, 0), 0);
	sim_break(SIM_STATUS, SIM_ANY, 4, 1); /* making the partition */
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	assert_int_equal(rail(CARD).error, -EACCES);
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	sim_break(SIM_STATUS, CARD, 4, 1); /* switching it on */
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	assert_int_equal(rail(CARD).error, -EACCES);
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_false(fake_is_mapped(0, 0x5b020000));
	assert_int_equal(power_set(CARD, true), 0);
	settle();
	assert_int_equal(rail(CARD).error, 0);
	/* switching it off is refused: on it stays, and says so */
	sim_break(SIM_STATUS, CARD, 4, 1);
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_int_equal(rail(CARD).actual, POWER_ON);
	assert_int_equal(rail(CARD).error, -EACCES);
}

static void test_a_time_out_while_going_off(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	sim_break(SIM_SILENT, CARD, 0, 1); /* "off" is carried out, the answer lost for good */
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	/* it is off; but nobody can know */
	assert_int_equal(rail(CARD).actual, POWER_UNKNOWN);
	assert_int_equal(rail(CARD).error, -ETIMEDOUT);
	assert_int_equal(power_give(CARD, 3, 0), -EIO);
	assert_false(fake_is_mapped(0, 0x5b020000));
}

static void test_a_late_answer_heals(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	sim_break(SIM_LATE, CARD, 2 * SIM_TIMEOUT, 1);
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_int_equal(rail(CARD).error, 0);
	assert_false(sim_powered(CARD));
}

static void test_every_fault_at_every_call(void **state)
{
	static const struct {
		enum sim_fault fault;
		uint32_t value;
	} faults[] = {{SIM_STATUS, 4},	    {SIM_STATUS, 8},
		      {SIM_STATUS, 200},    {SIM_LATE, 3 * SIM_TIMEOUT},
		      {SIM_OUT_OF_STEP, 0}, {SIM_BAD_SIZE, 0},
		      {SIM_BAD_SIZE, 77},   {SIM_SHORT, 0},
		      {SIM_BAD_VALUE, 99},  {SIM_HALF, 0},
		      {SIM_SILENT, 0},	    {SIM_DEAF, 0}};

	/* a life of a domain with the n-th message going wrong, for every n and every way: whatever happens, what reads off is
	 * off, nothing is mapped that has no power, and the work ends */
	for (unsigned f = 0; f < ARRAY_SIZE(faults); f++)
		for (unsigned at = 1; at < 40; at++) {
			struct domain *d;
			bool broken = false;

			setup(state);
			sim.calls = 0;
			power_start();
			d = domain(3);
			assert_int_equal(power_give(JPEG, 3, 0), 0);
			assert_int_equal(power_set(JPEG, true), 0);
			sim.calls = 0;
			for (unsigned phase = 0; phase < 3; phase++) {
				for (unsigned i = 0; fake_timer_is_set(); i++) {
					if (!broken && sim.calls == at) {
						sim_break(faults[f].fault, SIM_ANY, faults[f].value,
							  1);
						broken = true;
					}
					fake_timer_run(1);
					assert_true(sim_powered(JPEG) ||
						    !fake_is_mapped(0, 0x58400000));
					assert_true(i < 20000);
				}
				if (rail(JPEG).actual == POWER_OFF)
					assert_false(sim_powered(JPEG) ||
						     sim_powered(JPEG_PARTNER));
				if (rail(JPEG).wanted == POWER_OFF &&
				    rail(JPEG).actual != POWER_OFF)
					assert_int_not_equal(rail(JPEG).error, 0);
				if (phase == 0)
					shut(d);
				else if (phase == 1)
					kill(d);
			}
			assert_false(fake_is_mapped(0, 0x58400000));
			assert_int_equal(sim.violations, 0);
		}
}

static unsigned random_below(unsigned limit)
{
	static uint32_t x = 20260;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % limit;
}

static const struct {
	uint32_t id;
	uint64_t base;
} switched[] = {{CARD, 0x5b020000}, {NET, 0x5b040000}, {JPEG, 0x58400000}};

/* What holds at every moment, whatever was ordered and however the firmware behaves. */
static void check_rule(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(switched); i++) {
		struct rail r = rail(switched[i].id);
		bool powered = sim_powered(r.id) || (r.id == JPEG && sim_powered(JPEG_PARTNER));

		for (unsigned d = 0; d < 6; d++)
			assert_true(powered || !domain_find((uint16_t)d) ||
				    !fake_is_mapped(d, switched[i].base));
		/* what is at rest and reads off is off; what is not wanted and not off is nobody's success */
		if (r.step != RAIL_SETTLED || r.todo != RAIL_SETTLED)
			continue;
		if (r.actual == POWER_OFF)
			assert_false(powered);
		else if (r.wanted == POWER_OFF)
			assert_int_not_equal(r.error, 0);
		if (r.wanted == POWER_ON && r.error == 0)
			assert_non_null(domain_find(r.owner));
	}
}

static void random_event(void)
{
	uint32_t id = switched[random_below(ARRAY_SIZE(switched))].id;
	uint16_t owner = (uint16_t)(random_below(5) + 1);
	struct domain *d = domain_find(owner);

	switch (random_below(10)) {
	case 0:
		if (d && d->state == DOMAIN_CREATED)
			shut(d);
		break;
	case 1:
		if (d)
			kill(d);
		break;
	case 2:
	case 3: /* off, another owner, on: as a toolstack would, without waiting */
	case 4:
		if (!d)
			domain(owner);
		(void)power_set(id, false);
		fake_timer_run(random_below(40));
		(void)power_give(id, random_below(8) ? owner : POWER_NOBODY,
				 random_below(2) ? owner : 0);
		(void)power_set(id, true);
		break;
	case 5:
	case 6:
		(void)power_set(id, random_below(2));
		break;
	case 7:
		(void)power_refresh(id);
		break;
	default:
		if (random_below(4) == 0)
			sim_break((enum sim_fault[]){SIM_FINE, SIM_STUCK_ON, SIM_STUCK_OFF,
						     SIM_STATUS, SIM_LATE}[random_below(5)],
				  random_below(2) ? id : SIM_ANY,
				  random_below(2) ? 4 : 3 * SIM_TIMEOUT, random_below(4));
	}
	for (unsigned n = random_below(30); n > 0 && fake_timer_is_set(); n--) {
		fake_timer_run(1);
		check_rule();
	}
	check_rule();
}

static void test_random_lives_with_random_faults(void **state)
{
	for (unsigned sequence = 0; sequence < 200; sequence++) {
		setup(state);
		power_start();
		for (unsigned i = 0; i < 60; i++)
			random_event();
		/* the firmware recovers and everybody dies: nothing is left over */
		sim_break(SIM_FINE, 0, 0, 0);
		for (uint16_t id = 1; id < 6; id++)
			if (domain_find(id))
				kill(domain_find(id));
		for (unsigned i = 0; i < ARRAY_SIZE(switched); i++)
			assert_int_equal(power_set(switched[i].id, false), 0);
		settle();
		for (unsigned i = 0; i < ARRAY_SIZE(switched); i++) {
			assert_int_equal(rail(switched[i].id).actual, POWER_OFF);
			assert_int_equal(rail(switched[i].id).error, 0);
		}
		assert_int_equal(sim_powered_count(), 2); /* Dom0's disk, the console */
		for (unsigned pt = SIM_HOME + 1; pt < SIM_PARTITIONS; pt++)
			assert_false(sim.partition[pt].used);
		assert_int_equal(sim.violations, 0);
	}
}

static void test_registers_that_cannot_be_unmapped_keep_their_power(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	fake_unmap_error = -ENOMEM;
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_true(sim_powered(CARD));
	assert_int_equal(rail(CARD).error, -ENOMEM);
	assert_int_equal(rail(CARD).actual, POWER_ON);
}

static void test_found_on_is_an_error(void **state)
{
	boot(state);
	sim.resource[CARD].vote[SIM_HOME] = 3; /* somebody else's doing */
	assert_int_equal(power_refresh(CARD), 0);
	settle();
	assert_int_equal(rail(CARD).actual, POWER_ON);
	assert_int_equal(rail(CARD).error, -EIO);
	assert_int_equal(power_set(CARD, false), 0);
	settle();
	assert_int_equal(rail(CARD).actual, POWER_OFF);
	assert_int_equal(rail(CARD).error, 0);
}

/* Nobody ordered it: the firmware, or somebody who speaks to it, switched off what a domain has. */
static void test_found_off_is_unmapped_before_anything_else(void **state)
{
	unsigned calls;

	boot(state);
	guest_with(3, JPEG, 0);
	sim.resource[JPEG].vote[sim.resource[JPEG].owner] = 0;
	sim.resource[JPEG_PARTNER].vote[sim.resource[JPEG].owner] = 0;
	assert_int_equal(power_refresh(JPEG), 0);
	while (rail(JPEG).actual == POWER_ON)
		fake_timer_run(1);
	calls = sim.calls;
	while (fake_is_mapped(0, 0x58400000))
		fake_timer_run(1);
	assert_int_equal(sim.calls, calls);
	settle();
	assert_int_equal(rail(JPEG).wanted, POWER_ON);
	assert_int_equal(rail(JPEG).actual, POWER_OFF);
	assert_int_equal(rail(JPEG).error, -EIO);
	assert_int_equal(power_access(JPEG, 0), POWER_IDLE);
	/* it comes back by itself: that is no success, for nobody sees its registers */
	sim.resource[JPEG].vote[sim.resource[JPEG].owner] = 3;
	assert_int_equal(power_refresh(JPEG), 0);
	settle();
	assert_int_equal(rail(JPEG).actual, POWER_OFF);
	assert_int_equal(rail(JPEG).error, -EIO);
	assert_false(sim_powered(JPEG) || fake_is_mapped(0, 0x58400000));
	/* whoever wants it asks again */
	assert_int_equal(power_set(JPEG, true), 0);
	settle();
	assert_int_equal(rail(JPEG).error, 0);
	assert_true(sim_powered(JPEG) && fake_is_mapped(0, 0x58400000));
}

static void test_what_cannot_be_read_is_mapped_nowhere(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	/* one answer that is late takes nothing away */
	sim_break(SIM_LATE, CARD, 2 * SIM_TIMEOUT, 1);
	assert_int_equal(power_refresh(CARD), 0);
	settle();
	assert_int_equal(rail(CARD).error, 0);
	assert_true(fake_is_mapped(0, 0x5b020000));
	sim_break(SIM_STATUS, CARD, 4, 2);
	assert_int_equal(power_refresh(CARD), 0);
	settle();
	assert_int_equal(rail(CARD).error, -EACCES);
	assert_false(sim_powered(CARD) || fake_is_mapped(0, 0x5b020000));
}

static void test_dom0s_own_may_be_off(void **state)
{
	boot(state);
	sim.resource[DISK].vote[SIM_HOME] = 0; /* its kernel did that */
	assert_int_equal(power_refresh(DISK), 0);
	settle();
	assert_int_equal(rail(DISK).actual, POWER_OFF);
	assert_int_equal(rail(DISK).error, 0);
	assert_true(fake_is_mapped(0, 0x5b010000));
	assert_int_equal(power_access(DISK, 0), POWER_FULL);
}

static void test_what_was_stuck_on_and_reads_off_is_whole_again(void **state)
{
	boot(state);
	guest_with(3, CARD, 0);
	sim_break(SIM_STUCK_ON, CARD, 0, 0);
	kill(&dom[3]);
	assert_int_equal(rail(CARD).error, -EIO);
	sim_break(SIM_FINE, 0, 0, 0);
	sim.resource[CARD].vote[sim.resource[CARD].owner] = 0;
	assert_int_equal(power_refresh(CARD), 0);
	settle();
	assert_int_equal(rail(CARD).error, 0);
	assert_int_equal(sim.resource[CARD].owner, SIM_HOME);
	for (unsigned pt = SIM_HOME + 1; pt < SIM_PARTITIONS; pt++)
		assert_false(sim.partition[pt].used);
}

static void test_who_may_touch_what(void **state)
{
	boot(state);
	assert_int_equal(power_access(DISK, 0), POWER_FULL);
	assert_int_equal(power_access(DISK, 3), POWER_FOREIGN);
	assert_int_equal(power_access(UART, 0), POWER_FOREIGN);
	assert_int_equal(power_access(CARD, 0), POWER_IDLE);
	assert_int_equal(power_access(12, 0), POWER_UNLISTED);
	assert_int_equal(power_access(~0u, 0), POWER_UNLISTED);
	guest_with(3, CARD, 0);
	assert_int_equal(power_access(CARD, 0), POWER_FULL);
	guest_with(4, JPEG, 4);
	assert_int_equal(power_access(JPEG_PARTNER, 0), POWER_FOREIGN);
	assert_int_equal(power_access(JPEG_PARTNER, 4), POWER_FULL);
	assert_int_equal(power_set(CARD, false), 0);
	assert_int_equal(power_access(CARD, 0), POWER_IDLE); /* from the order on */
}

static void test_tables_have_ends(void **state)
{
	uint16_t id = 600, twice = DISK, high = POWER_RESOURCE_IDS;
	struct power_range range = {0};

	(void)state;
	assert_int_equal(power_add("x", &id, 0, &range, 0, 0, NULL), -EINVAL);
	assert_int_equal(power_add("x", &twice, 1, &range, 0, 0, NULL), -EEXIST);
	assert_int_equal(power_add("x", &high, 1, &range, 0, 0, NULL), -EINVAL);
	assert_int_equal(power_add("x", &id, RAIL_RESOURCES, &range, 0, 0, NULL), -ENOSPC);
	assert_int_equal(power_add("x", &id, 1, &range, RAIL_RANGES, 0, NULL), -ENOSPC);
	for (; power_count() < RAIL_MAX; id++)
		assert_int_equal(power_add("a name that is longer than the room for it", &id, 1,
					   &range, 0, 0, NULL),
				 0);
	assert_int_equal(power_add("x", &id, 1, &range, 0, 0, NULL), -ENOSPC);
	assert_int_equal(strlen(rail(600).name), sizeof(rail(600).name) - 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_boot_switches_off_what_is_nobodys),
		T(test_a_domains_life),
		T(test_a_killed_domain_leaves_nothing_on),
		T(test_a_domain_destroyed_while_its_rail_is_on_its_way),
		T(test_the_ceiling_stays_up_while_another_rail_is_on),
		T(test_orders_that_are_refused),
		T(test_a_rail_can_be_taken_from_dom0_and_given_back),
		T(test_what_dom0_drives_is_on_before_its_owner_exists),
		T(test_from_one_domain_to_another),
		T(test_stuck_on_is_given_to_nobody),
		T(test_a_new_domain_does_not_light_what_an_old_one_left_stuck),
		T(test_stuck_on_at_boot),
		T(test_half_a_rail_that_fails_goes_off_again),
		T(test_no_access),
		T(test_a_time_out_while_going_off),
		T(test_a_late_answer_heals),
		T(test_every_fault_at_every_call),
		T(test_random_lives_with_random_faults),
		T(test_registers_that_cannot_be_unmapped_keep_their_power),
		T(test_found_on_is_an_error),
		T(test_found_off_is_unmapped_before_anything_else),
		T(test_what_cannot_be_read_is_mapped_nowhere),
		T(test_dom0s_own_may_be_off),
		T(test_what_was_stuck_on_and_reads_off_is_whole_again),
		T(test_who_may_touch_what),
		T(test_tables_have_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
