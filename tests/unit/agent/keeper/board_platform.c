#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libfdt.h>

#include "keeper/hardware_board.h"

static char tree[16384];
static struct inventory inventory;

static void cells_put(const char *name, unsigned count, ...)
{
	uint32_t value[16];
	va_list list;

	va_start(list, count);
	for (unsigned i = 0; i < count; i++)
		value[i] = cpu_to_fdt32(va_arg(list, uint32_t));
	va_end(list);
	assert_int_equal(fdt_property(tree, name, value, (int)count * 4), 0);
}

static void device_begin(const char *name, uint32_t base, uint32_t irq)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "compatible", "test,device");
	cells_put("reg", 2, base, 0x1000);
	cells_put("interrupts", 3, 0, irq, 4);
}

static void device(const char *name, uint32_t base, uint32_t irq, uint32_t power, uint32_t stream)
{
	device_begin(name, base, irq);
	if (power)
		cells_put("power-domains", 2, 1, power);
	if (stream)
		cells_put("iommus", 3, 2, stream, 0x7f80);
	fdt_end_node(tree);
}

/* A root with 64-bit addresses, a power controller, an IOMMU, and a bus whose addresses are shifted up. */
static void tree_begin(void)
{
	memset(tree, 0, sizeof(tree));
	fdt_create(tree, sizeof(tree));
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	cells_put("#address-cells", 1, 2);
	cells_put("#size-cells", 1, 2);
	fdt_begin_node(tree, "power");
	cells_put("#power-domain-cells", 1, 1);
	cells_put("phandle", 1, 1);
	fdt_end_node(tree);
	fdt_begin_node(tree, "iommu");
	cells_put("#iommu-cells", 1, 2);
	cells_put("phandle", 1, 2);
	fdt_end_node(tree);
	fdt_begin_node(tree, "bus@5b000000");
	fdt_property_string(tree, "compatible", "simple-bus");
	cells_put("#address-cells", 1, 1);
	cells_put("#size-cells", 1, 1);
	cells_put("ranges", 4, 0x1000000, 0, 0x5b000000, 0x1000000);
}

static void tree_parse(void)
{
	fdt_end_node(tree);
	fdt_end_node(tree);
	assert_int_equal(fdt_finish(tree), 0);
	inventory.count = 0;
	platform_parse(NULL, tree, fdt_totalsize(tree), &inventory);
}

static const struct verbs_device *found(const char *id)
{
	for (unsigned i = 0; i < inventory.count; i++) {
		if (strcmp(inventory.devices[i].id, id) == 0)
			return &inventory.devices[i];
	}
	return NULL;
}

static void device_is_known_by_the_address_that_the_cpu_sees(void **state)
{
	const struct verbs_device *d;

	(void)state;
	tree_begin();
	device("mmc@1010000", 0x1010000, 232, 248, 0x11);
	tree_parse();
	assert_int_equal(inventory.count, 1);
	d = found("platform-5b010000.mmc");
	assert_non_null(d);
	assert_int_equal(d->mmio_base, 0x5b010000);
	assert_int_equal(d->mmio_size, 0x1000);
	assert_int_equal(d->irq, 264);
	assert_int_equal(d->gate, VERBS_GATE_NONE);
	assert_true(d->note[0]);
	assert_string_equal(d->group, "");
}

static void what_cannot_be_divided_moves_together(void **state)
{
	(void)state;
	tree_begin();
	device("a@1000000", 0x1000000, 1, 10, 0x11);
	device("b@1010000", 0x1010000, 2, 11, 0x11); /* a's stream */
	device("c@1020000", 0x1020000, 2, 12, 0x13); /* b's interrupt */
	device("d@1030000", 0x1030000, 4, 13, 0x14);
	device("e@1040000", 0x1040000, 5, 13, 0x15); /* d's power domain */
	device("f@1050000", 0x1050000, 6, 0, 0);
	device("g@1050800", 0x1050800, 7, 0, 0); /* f's page */
	device("h@1060000", 0x1060000, 8, 0, 0);
	tree_parse();
	assert_string_equal(found("platform-5b000000.a")->group, "platform-5b000000.a");
	assert_string_equal(found("platform-5b010000.b")->group, "platform-5b000000.a");
	assert_string_equal(found("platform-5b020000.c")->group, "platform-5b000000.a");
	assert_non_null(strstr(found("platform-5b000000.a")->group_reason, "stream 0x11"));
	assert_non_null(strstr(found("platform-5b020000.c")->group_reason, "interrupt 34"));
	assert_string_equal(found("platform-5b040000.e")->group, "platform-5b030000.d");
	assert_non_null(strstr(found("platform-5b040000.e")->group_reason, "power domain 13"));
	assert_string_equal(found("platform-5b050800.g")->group, "platform-5b050000.f");
	assert_string_equal(found("platform-5b060000.h")->group, "");
}

static void what_is_no_device_is_left_out(void **state)
{
	(void)state;
	tree_begin();
	device_begin("off@1000000", 0x1000000, 1);
	fdt_property_string(tree, "status", "disabled");
	fdt_end_node(tree);
	device_begin("memory@1010000", 0x1010000, 2);
	fdt_property_string(tree, "device_type", "memory");
	fdt_end_node(tree);
	device("nowhere@9000000", 0x9000000, 3, 0, 0); /* outside the bus's window */
	device("noaddress", 0x1020000, 4, 0, 0);
	tree_parse();
	assert_int_equal(inventory.count, 0);
}

static void interrupt_controller_is_needed(void **state)
{
	(void)state;
	tree_begin();
	device_begin("gic@1a00000", 0x1a00000, 9);
	fdt_property(tree, "interrupt-controller", NULL, 0);
	fdt_end_node(tree);
	tree_parse();
	assert_true(found("platform-5ba00000.gic")->needed[0]);
}

static void tree_that_is_cut_off_or_damaged_gives_nothing_or_less(void **state)
{
	size_t size;

	(void)state;
	tree_begin();
	device("mmc@1010000", 0x1010000, 232, 248, 0x11);
	tree_parse();
	size = fdt_totalsize(tree);
	for (size_t cut = 0; cut < size; cut++) {
		char *copy = malloc(cut ? cut : 1); /* of exact size: ASan sees a read past it */

		memcpy(copy, tree, cut);
		inventory.count = 0;
		platform_parse(NULL, copy, cut, &inventory);
		assert_int_equal(inventory.count, 0);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_is_known_by_the_address_that_the_cpu_sees),
		cmocka_unit_test(what_cannot_be_divided_moves_together),
		cmocka_unit_test(what_is_no_device_is_left_out),
		cmocka_unit_test(interrupt_controller_is_needed),
		cmocka_unit_test(tree_that_is_cut_off_or_damaged_gives_nothing_or_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
