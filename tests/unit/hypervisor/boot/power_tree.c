/* The rails of the real i.MX8QM boards, from the device trees in Debian's kernel package (DTBS, a folder). */
#include "boot/power_tree.h"
#include "trees.h"
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct power_tree t;
static struct power_tree_rail rails[RAIL_MAX];
static unsigned rail_count;

static void read_tree(void *fdt)
{
	assert_int_equal(fdt_check_full(fdt, fdt_totalsize(fdt)), 0);
	assert_null(dt_check(fdt, fdt_totalsize(fdt)));
	assert_true(power_tree_read(&t, fdt));
	rail_count = 0;
	for (unsigned at = 0; power_tree_next(&t, &at, &rails[rail_count]);)
		assert_true(++rail_count < RAIL_MAX);
}

static struct power_tree_rail *of_resource(unsigned id)
{
	for (unsigned i = 0; i < rail_count; i++)
		for (unsigned k = 0; k < rails[i].resources; k++)
			if (rails[i].resource[k] == id)
				return &rails[i];
	return NULL;
}

static bool has_registers(const struct power_tree_rail *r, uint64_t at)
{
	for (unsigned i = 0; r && i < r->ranges; i++)
		if (at >= r->range[i].base && at - r->range[i].base < r->range[i].size)
			return true;
	return false;
}

static void test_boards_are_there(void **state)
{
	(void)state;
	assert_true(tree_count >= 8);
}

/* Resource numbers as the SCFW has them, against what the trees say: same number, same device, same registers. */
static void test_devices_have_the_resources_of_the_firmware(void **state)
{
	static const struct {
		unsigned resource;
		uint64_t registers;
		const char *name;
	} table[] = {
		{248, 0x5b010000, "mmc@5b010000"},	{249, 0x5b020000, "mmc@5b020000"},
		{250, 0x5b030000, "mmc@5b030000"},	{251, 0x5b040000, "ethernet@5b040000"},
		{252, 0x5b050000, "ethernet@5b050000"}, {259, 0x5b0d0000, "usb@5b0d0000"},
		{262, 0x5b110000, "usb@5b110000"},	{58, 0x5a070000, "serial@5a070000"},
		{59, 0x5a080000, "serial@5a080000"},	{96, 0x5a800000, "i2c@5a800000"},
		{199, 0x5d080000, "gpio@5d080000"},	{206, 0x5d0f0000, "gpio@5d0f0000"},
		{144, 0x53100000, "gpu@53100000"},	{105, 0x5a8d0000, "can@5a8d0000"},
	};

	(void)state;
	read_tree(tree("imx8qm-mek.dtb"));
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		struct power_tree_rail *r = of_resource(table[i].resource);

		assert_non_null(r);
		assert_string_equal(r->name, table[i].name);
		assert_true(has_registers(r, table[i].registers));
	}
}

static void test_what_must_move_together(void **state)
{
	static const unsigned together[][2] = {
		{259, 261}, /* USB OTG1 and its PHY, by fsl,usbphy */
		{262, 263}, /* USB3 and its PHY, by the child's phys */
		{532, 385}, /* JPEG decoder: wrapper and slot */
		{64, 85},   /* the channels of one DMA controller */
		{540, 517}, /* VPU and the core below it */
		{540, 535}, /* and its mailbox */
		{278, 297}, /* Cortex-M4: core and mailbox */
		{494, 414}, /* audio clock multiplexer and what it feeds */
		{393, 394}, /* MIPI0: clock gates in one page */
		{268, 397}, /* LVDS0's with MIPI1's, as this tree numbers them */
	};
	static const unsigned apart[][2] = {
		{248, 249}, {249, 250}, {251, 252}, {248, 251}, {57, 58},
		{96, 97},   {199, 200}, {259, 262}, {532, 533}, {278, 298},
	};

	(void)state;
	read_tree(tree("imx8qm-mek.dtb"));
	for (unsigned i = 0; i < ARRAY_SIZE(together); i++)
		if (of_resource(together[i][0]) != of_resource(together[i][1]))
			fail_msg("%u and %u", together[i][0], together[i][1]);
	for (unsigned i = 0; i < ARRAY_SIZE(apart); i++)
		if (of_resource(apart[i][0]) == of_resource(apart[i][1]))
			fail_msg("%u and %u", apart[i][0], apart[i][1]);
}

static void test_who_has_what_at_boot(void **state)
{
	(void)state;
	read_tree(tree("imx8qm-mek.dtb"));
	assert_int_equal(of_resource(57)->owner, POWER_HYPERVISOR); /* the console */
	assert_true(has_registers(of_resource(57), 0x5a460000));    /* and its clock gate */
	assert_int_equal(of_resource(248)->owner, 0);
	assert_int_equal(of_resource(250)->owner, POWER_NOBODY); /* status "disabled" */
	assert_int_equal(of_resource(259)->owner, POWER_NOBODY);
	assert_int_equal(of_resource(540)->owner, POWER_NOBODY);
	assert_int_equal(of_resource(61)->owner,
			 POWER_NOBODY); /* a clock gate without its device */
	/* the console is elsewhere on another board */
	read_tree(tree("imx8qm-apalis-eval.dtb"));
	assert_int_equal(of_resource(58)->owner, POWER_HYPERVISOR);
	assert_int_not_equal(of_resource(57)->owner, POWER_HYPERVISOR);
}

static void test_a_device_kept_for_a_domain_is_nobodys(void **state)
{
	static uint8_t copy[1 << 20];

	(void)state;
	assert_int_equal(fdt_open_into(tree("imx8qm-mek.dtb"), copy, sizeof(copy)), 0);
	assert_int_equal(fdt_setprop(copy, fdt_path_offset(copy, "/bus@5b000000/mmc@5b010000"),
				     "xen,passthrough", NULL, 0),
			 0);
	read_tree(copy);
	assert_int_equal(of_resource(248)->owner, POWER_NOBODY);
	assert_int_equal(of_resource(249)->owner, 0);
}

/* On every board: no resource and no page in two rails, everything that the tree names in one, tables with room to spare. */
static void test_every_board(void **state)
{
	(void)state;
	for (unsigned b = 0; b < tree_count; b++) {
		unsigned resources = 0, ranges = 0, named = 0;

		read_tree(trees[b].fdt);
		for (unsigned i = 0; i < rail_count; i++) {
			assert_int_not_equal(rails[i].resources, 0);
			assert_true(rails[i].name[0] != '\0');
			resources += rails[i].resources;
			ranges += rails[i].ranges;
			for (unsigned k = 0; k < rails[i].resources; k++)
				assert_ptr_equal(of_resource(rails[i].resource[k]), &rails[i]);
			for (unsigned k = 0; k < rails[i].ranges; k++)
				for (unsigned o = 0; o < i; o++) {
					assert_false(
						has_registers(&rails[o], rails[i].range[k].base));
					assert_false(has_registers(
						&rails[i],
						rails[o].ranges ? rails[o].range[0].base : 0));
				}
		}
		for (unsigned id = 0; id < POWER_RESOURCE_IDS; id++)
			named += t.up[id] != POWER_NO_RESOURCE;
		assert_int_equal(named, resources);
		print_message("%s: %u rails, %u resources, %u ranges, %u handles\n", trees[b].name,
			      rail_count, resources, ranges, t.handles);
		assert_true(rail_count <= RAIL_MAX * 3 / 4 && resources <= RAIL_RESOURCES * 3 / 4 &&
			    t.ranges <= RAIL_RANGES * 7 / 8);
	}
}

static void test_other_boards_have_none(void **state)
{
	uint32_t fdt[64];

	(void)state;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_false(power_tree_read(&t, fdt));
	assert_null(t.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boards_are_there),
		cmocka_unit_test(test_devices_have_the_resources_of_the_firmware),
		cmocka_unit_test(test_what_must_move_together),
		cmocka_unit_test(test_who_has_what_at_boot),
		cmocka_unit_test(test_a_device_kept_for_a_domain_is_nobodys),
		cmocka_unit_test(test_every_board),
		cmocka_unit_test(test_other_boards_have_none),
	};

	return cmocka_run_group_tests(tests, trees_open, NULL);
}
