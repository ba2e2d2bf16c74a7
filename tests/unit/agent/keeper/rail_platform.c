/* Rails of the SoC and cores, against a hypervisor of the test's own that speaks hypervisor/xen/domus_power.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libfdt.h>

#include "hypervisor/xen/domus_power.h"
#include "keeper/hardware_board.h"

enum { OFF = 1, ON = 2 };
enum { CARD, GPU, CONSOLE, OWN, RAILS };

/* Each rail has the registers from base on. */
static struct {
	struct domus_rail r;
	uint64_t base, size;
	unsigned busy_for; /* questions until it has settled */
	bool stuck;	   /* takes the order, and nothing happens */
	uint8_t read;	   /* what the firmware says when it is asked next; 0: what it said last */
} rails[RAILS];
static int version, affinity, dead; /* dead: what every call says */
static struct board board;
static struct inventory inventory;
static unsigned orders, refreshed;

static int index_of(uint32_t id)
{
	for (int i = 0; i < RAILS; i++)
		if (rails[i].r.id == id)
			return i;
	return -1;
}

static int hv_find(struct domus_power_find *f)
{
	for (uint32_t i = 0; i < RAILS; i++) {
		if (f->address - rails[i].base < rails[i].size) {
			f->index = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int hv_get(struct domus_rail *out)
{
	uint32_t i = out->index;

	if (i >= RAILS)
		return -ENOENT;
	*out = rails[i].r;
	out->index = i;
	out->busy = rails[i].busy_for > 0;
	if (rails[i].busy_for > 0 && --rails[i].busy_for == 0 && !rails[i].stuck)
		rails[i].r.actual = rails[i].r.wanted;
	else if (rails[i].busy_for == 0 && rails[i].stuck && rails[i].r.actual != rails[i].r.wanted)
		rails[i].r.error = -EIO;
	return 0;
}

static int hv_refresh(const struct domus_power_set *s)
{
	int i = index_of(s->id);

	if (i < 0)
		return -ENOENT;
	refreshed++;
	if (rails[i].read) {
		rails[i].r.actual = rails[i].read;
		rails[i].r.error = rails[i].r.actual == rails[i].r.wanted ? 0 : -EIO;
	}
	return 0;
}

/* The rules of core/power.h. */
static int hv_set(const struct domus_power_set *s)
{
	int i = index_of(s->id);

	if (i < 0)
		return -ENOENT;
	orders++;
	if (rails[i].r.owner == DOMUS_OWNER_HYPERVISOR ||
	    (s->on && rails[i].r.owner == DOMUS_OWNER_NOBODY))
		return -EPERM;
	if (s->on && rails[i].r.wanted == OFF && rails[i].r.actual != OFF)
		return -EIO;
	rails[i].r.wanted = s->on ? ON : OFF;
	rails[i].r.reason = 2;
	rails[i].r.error = 0;
	rails[i].busy_for = 3;
	return 0;
}

static int hv_give(const struct domus_power_give *g)
{
	int i = index_of(g->id);

	if (i < 0)
		return -ENOENT;
	if (rails[i].r.owner == DOMUS_OWNER_HYPERVISOR || g->driver != 0)
		return -EPERM;
	if (rails[i].r.wanted == OFF && rails[i].r.actual != OFF)
		return -EIO;
	if (rails[i].busy_for || rails[i].r.wanted == ON)
		return -EBUSY;
	rails[i].r.owner = g->owner;
	return 0;
}

static int hypervisor(void *context, unsigned op, void *argument)
{
	struct domus_power_info *info = argument;
	struct domus_power_core *core = argument;

	assert_ptr_equal(context, &version);
	if (dead)
		return dead;
	switch (op) {
	case DOMUS_POWER_info:
		*info = (struct domus_power_info){.version = (uint32_t)version, .rails = RAILS};
		return 0;
	case DOMUS_POWER_get:
		return hv_get(argument);
	case DOMUS_POWER_set:
		return hv_set(argument);
	case DOMUS_POWER_give:
		return hv_give(argument);
	case DOMUS_POWER_find:
		return hv_find(argument);
	case DOMUS_POWER_refresh:
		return hv_refresh(argument);
	case DOMUS_POWER_core:
		if (core->index > 3)
			return -ENOENT;
		core->affinity = affinity;
		core->cluster = core->index / 2;
		return 0;
	default:
		return -ENOSYS;
	}
}

static struct verbs_device *add(const char *id, uint64_t base)
{
	struct verbs_device *d = inventory_add(&inventory, id, VERBS_KIND_PLATFORM);

	snprintf(d->name, sizeof(d->name), "%s", id + strlen("platform-"));
	snprintf(d->note, sizeof(d->note), "as it was");
	d->mmio_base = base;
	return d;
}

static struct verbs_device *find(const char *id)
{
	for (unsigned i = 0; i < inventory.count; i++)
		if (strcmp(inventory.devices[i].id, id) == 0)
			return &inventory.devices[i];
	fail_msg("no %s", id);
	return NULL;
}

static int setup(void **state)
{
	static const struct {
		uint64_t base;
		uint32_t id;
		uint16_t owner;
		uint8_t level;
	} table[RAILS] = {[CARD] = {0x5b020000, 249, DOMUS_OWNER_NOBODY, OFF},
			  [GPU] = {0x53100000, 144, DOMUS_OWNER_NOBODY, OFF},
			  [CONSOLE] = {0x5a060000, 57, DOMUS_OWNER_HYPERVISOR, ON},
			  [OWN] = {0x5b010000, 248, 0, ON}};

	(void)state;
	memset(rails, 0, sizeof(rails));
	memset(&inventory, 0, sizeof(inventory));
	for (int i = 0; i < RAILS; i++) {
		rails[i].base = table[i].base;
		rails[i].size = 0x20000;
		rails[i].r.id = table[i].id;
		rails[i].r.owner = table[i].owner;
		rails[i].r.wanted = rails[i].r.actual = table[i].level;
	}
	rails[CARD].size = rails[OWN].size = rails[CONSOLE].size = 0x10000;
	strcpy(rails[CONSOLE].r.why, "the console");
	version = DOMUS_POWER_VERSION;
	affinity = dead = 0;
	orders = refreshed = 0;
	board = (struct board){
		.root = "/nowhere", .power_call = hypervisor, .power_context = &version};
	add("platform-53100000.gpu", 0x53100000);
	add("platform-53110000.display", 0x53110000);
	add("platform-5a060000.serial", 0x5a060000);
	add("platform-5b010000.mmc", 0x5b010000);
	add("platform-5b020000.mmc", 0x5b020000);
	add("platform-5d080000.gpio", 0x5d080000);
	return 0;
}

static void rails_of_the_board_are_found_by_registers(void **state)
{
	(void)state;
	platform_rails(&board, &inventory, 0);
	assert_int_equal(find("platform-5b020000.mmc")->gate, VERBS_GATE_PLATFORM);
	assert_int_equal(find("platform-5b020000.mmc")->power, VERBS_POWER_OFF);
	assert_string_equal(find("platform-5b020000.mmc")->note, "");
	assert_string_equal(find("platform-5b020000.mmc")->needed, "");
	assert_string_equal(find("platform-5b020000.mmc")->group, "");
	assert_string_equal(find("platform-5a060000.serial")->needed,
			    "The hypervisor keeps it on: the console.");
	assert_int_equal(find("platform-5a060000.serial")->power, VERBS_POWER_ON);
	assert_non_null(strstr(find("platform-5b010000.mmc")->needed, "device tree"));
	assert_int_equal(find("platform-5d080000.gpio")->gate, VERBS_GATE_NONE);
	assert_string_equal(find("platform-5d080000.gpio")->note,
			    "No rail of this board feeds it alone.");
	assert_string_equal(find("platform-53110000.display")->group, "platform-53100000.gpu");
	assert_string_equal(find("platform-53100000.gpu")->group, "platform-53100000.gpu");
	assert_non_null(strstr(find("platform-53110000.display")->group_reason, "(144)"));
}

static void boards_and_hypervisors_without_rails_say_so(void **state)
{
	static const struct {
		int dead, version;
		const char *note;
	} table[] = {
		{-ENOSYS, 0,
		 "as it was"}, /* the note that board_platform.c gave: another hypervisor */
		{-EPERM, 0, "as it was"},
		{0, 0, "This board has no switches for devices of the SoC."},
		{0, DOMUS_POWER_VERSION + 1, "The hypervisor speaks of power in another version."},
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
		setup(state);
		dead = table[i].dead;
		version = table[i].version;
		platform_rails(&board, &inventory, 0);
		for (unsigned k = 0; k < inventory.count; k++) {
			assert_int_equal(inventory.devices[k].gate, VERBS_GATE_NONE);
			assert_string_equal(inventory.devices[k].note, table[i].note);
		}
	}
	setup(state);
	board.power_call = NULL;
	platform_rails(&board, &inventory, 0);
	assert_string_equal(inventory.devices[0].note, "as it was");
}

static void switched_on_it_is_dom0s_and_off_it_is_nobodys(void **state)
{
	struct verbs_device *d = find("platform-5b020000.mmc");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	assert_int_equal(board_set(&board, d, true, &e), 0);
	assert_int_equal(rails[CARD].r.owner, 0);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_ON);
	/* a scan does not take it for the appliance's */
	platform_rails(&board, &inventory, 0);
	assert_string_equal(d->needed, "");
	assert_int_equal(board_set(&board, d, false, &e), 0);
	assert_int_equal(rails[CARD].r.owner, DOMUS_OWNER_NOBODY);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_OFF);
}

static void rail_that_is_stuck_is_a_fault_until_it_is_off_again(void **state)
{
	struct verbs_device *d = find("platform-5b020000.mmc");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	assert_int_equal(board_set(&board, d, true, &e), 0);
	rails[CARD].stuck = true;
	assert_int_equal(board_set(&board, d, false, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_non_null(strstr(d->error, "does not do as it is told"));
	assert_int_equal(rails[CARD].r.owner, 0); /* not given away while it is on */
	rails[CARD].stuck = false;
	assert_int_equal(board_set(&board, d, false, &e), 0);
	assert_int_equal(rails[CARD].r.owner, DOMUS_OWNER_NOBODY);
}

static void rail_that_does_not_come_on_is_left_off(void **state)
{
	struct verbs_device *d = find("platform-5b020000.mmc");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	rails[CARD].stuck = true;
	assert_int_equal(board_set(&board, d, true, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	assert_int_equal(rails[CARD].r.wanted, OFF);
	assert_int_equal(rails[CARD].r.owner, DOMUS_OWNER_NOBODY);
}

static void what_is_the_hypervisors_stays_on(void **state)
{
	struct verbs_device *d = find("platform-5a060000.serial");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	assert_int_equal(board_set(&board, d, false, &e), -1);
	assert_int_equal(rails[CONSOLE].r.wanted, ON);
}

static void every_reading_asks_the_firmware(void **state)
{
	struct verbs_device *d = find("platform-5b020000.mmc");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	assert_int_equal(board_set(&board, d, true, &e), 0);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_int_equal(refreshed, 1);
	rails[CARD].read = OFF; /* by another hand */
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_OFF);
	assert_true(d->error[0]);
	rails[CARD].busy_for = 1000000;
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_UNKNOWN);
}

/* A tree of one bus-less device, as the hypervisor gives it to Dom0. */
static void what_dom0_may_not_use_is_a_device_when_it_has_a_rail(void **state)
{
	static const struct {
		const char *name;
		uint32_t base;
		bool listed;
	} table[] = {{"mmc@5b020000", 0x5b020000, true}, {"gpio@5d080000", 0x5d080000, false}};
	static char tree[1024];

	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint32_t one = cpu_to_fdt32(1),
			 reg[2] = {cpu_to_fdt32(table[i].base), cpu_to_fdt32(0x1000)};

		setup(state);
		fdt_create(tree, sizeof(tree));
		fdt_finish_reservemap(tree);
		fdt_begin_node(tree, "");
		fdt_property(tree, "#address-cells", &one, sizeof(one));
		fdt_property(tree, "#size-cells", &one, sizeof(one));
		fdt_begin_node(tree, table[i].name);
		fdt_property_string(tree, "compatible", "test,device");
		fdt_property_string(tree, "status", "disabled");
		fdt_property(tree, "reg", reg, sizeof(reg));
		fdt_end_node(tree);
		fdt_end_node(tree);
		assert_int_equal(fdt_finish(tree), 0);
		inventory.count = 0;
		platform_parse(&board, tree, sizeof(tree), &inventory);
		assert_int_equal(inventory.count, table[i].listed);
		if (table[i].listed)
			assert_string_equal(inventory.devices[0].id, "platform-5b020000.mmc");
		/* another hypervisor has no rails */
		dead = -ENOSYS;
		inventory.count = 0;
		platform_parse(&board, tree, sizeof(tree), &inventory);
		assert_int_equal(inventory.count, 0);
	}
}

static void hypervisor_that_does_not_answer_is_unknown(void **state)
{
	struct verbs_device *d = find("platform-5b020000.mmc");
	struct error e = {0};

	(void)state;
	platform_rails(&board, &inventory, 0);
	dead = -EPERM;
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_UNKNOWN);
	assert_true(d->error[0]);
	assert_int_equal(board_set(&board, d, true, &e), -1);
	assert_int_equal(orders, 0);
}

static void cores_are_as_psci_says(void **state)
{
	static const struct {
		int affinity;
		enum verbs_power power;
	} table[] = {{0, VERBS_POWER_ON},	{1, VERBS_POWER_OFF},
		     {2, VERBS_POWER_ON},	{-1, VERBS_POWER_UNKNOWN},
		     {-2, VERBS_POWER_UNKNOWN}, {77, VERBS_POWER_UNKNOWN}};
	struct verbs_device *d = inventory_add(&inventory, "cpu-3", VERBS_KIND_CPU);

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
		affinity = table[i].affinity;
		core_read(&board, d);
		assert_int_equal(d->gate, VERBS_GATE_HYPERVISOR);
		assert_int_equal(d->power, table[i].power);
		assert_int_equal(d->cluster, 1);
		assert_int_equal(d->error[0] != '\0', d->power == VERBS_POWER_UNKNOWN);
	}
	/* once a second it is read alone */
	affinity = 1;
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_OFF);
}

static void cores_of_another_hypervisor_are_on_and_say_so(void **state)
{
	struct verbs_device *d = inventory_add(&inventory, "cpu-0", VERBS_KIND_CPU);

	(void)state;
	dead = -ENOSYS;
	d->power = VERBS_POWER_ON;
	core_read(&board, d);
	assert_int_equal(d->gate, VERBS_GATE_NONE);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_string_equal(d->note, "This hypervisor keeps every core on and offers no switch.");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(rails_of_the_board_are_found_by_registers),
		TEST(boards_and_hypervisors_without_rails_say_so),
		TEST(switched_on_it_is_dom0s_and_off_it_is_nobodys),
		TEST(rail_that_is_stuck_is_a_fault_until_it_is_off_again),
		TEST(rail_that_does_not_come_on_is_left_off),
		TEST(what_is_the_hypervisors_stays_on),
		TEST(every_reading_asks_the_firmware),
		TEST(what_dom0_may_not_use_is_a_device_when_it_has_a_rail),
		TEST(hypervisor_that_does_not_answer_is_unknown),
		TEST(cores_are_as_psci_says),
		TEST(cores_of_another_hypervisor_are_on_and_say_so),
	};

	return cmocka_run_group_tests_name("rail_platform", tests, NULL, NULL);
}
