/* lib/dt and lib/dt_walk: by hand-made trees, and on real boards' trees against libfdt. */
#include "lib/dt.h"
#include "boards/board.h"
#include "fake/boards.h"
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t blob[8192];
#define FDT ((void *)blob)

static void begin(void)
{
	memset(blob, 0, sizeof(blob));
	assert_int_equal(fdt_create(FDT, sizeof(blob)), 0);
	assert_int_equal(fdt_finish_reservemap(FDT), 0);
	fdt_begin_node(FDT, "");
}
static void finish(void)
{
	fdt_end_node(FDT);
	assert_int_equal(fdt_finish(FDT), 0);
	assert_int_equal(fdt_check_full(FDT, sizeof(blob)), 0);
	assert_null(dt_check(FDT, sizeof(blob)));
}
static void node(const char *name)
{
	assert_int_equal(fdt_begin_node(FDT, name), 0);
}
static void end(void)
{
	assert_int_equal(fdt_end_node(FDT), 0);
}
static void cells(const char *name, unsigned count, ...)
{
	uint32_t data[16];
	va_list args;

	va_start(args, count);
	for (unsigned i = 0; i < count; i++)
		data[i] = cpu_to_fdt32(va_arg(args, uint32_t));
	va_end(args);
	assert_int_equal(fdt_property(FDT, name, data, (int)count * 4), 0);
}
static void text(const char *name, const char *value)
{
	assert_int_equal(fdt_property_string(FDT, name, value), 0);
}
static int at(const char *path)
{
	int found = fdt_path_offset(FDT, path);

	assert_true(found >= 0);
	return found;
}

/* ---- registers -------------------------------------------------------------------------------------------------------- */
static void two_buses(void)
{
	begin();
	cells("#address-cells", 1, 2);
	cells("#size-cells", 1, 2);
	node("bus@5a000000");
	cells("#address-cells", 1, 1);
	cells("#size-cells", 1, 1);
	cells("ranges", 8, 0, 0, 0x5a000000, 0x1000000, 0x8000000, 1, 0, 0x100000);
	node("inner");
	cells("#address-cells", 1, 1);
	cells("#size-cells", 1, 1);
	cells("ranges", 0);
	node("uart@60000");
	cells("reg", 4, 0x60000, 0x1000, 0x8000010, 0x10);
	end();
	node("out@ffff000");
	cells("reg", 4, 0xfff000, 0x2000, 0x7000000, 0x10);
	end();
	end();
	end();
	node("closed");
	cells("#address-cells", 1, 1);
	cells("#size-cells", 1, 0);
	node("i2c-device@50");
	cells("reg", 1, 0x50);
	end();
	end();
	node("wrap");
	cells("reg", 4, ~0u, ~0xfffu, 0, 0x2000);
	end();
	node("cut");
	cells("reg", 3, 1, 2, 3);
	end();
	finish();
}

static void test_registers_are_translated_through_every_bus(void **state)
{
	struct dt_range r;

	(void)state;
	two_buses();
	assert_true(dt_reg(FDT, at("/bus@5a000000/inner/uart@60000"), 0, &r));
	assert_true(r.base == 0x5a060000 && r.size == 0x1000);
	assert_true(dt_reg(FDT, at("/bus@5a000000/inner/uart@60000"), 1, &r));
	assert_true(r.base == 0x100000010 && r.size == 0x10);
	assert_false(dt_reg(FDT, at("/bus@5a000000/inner/uart@60000"), 2, &r));
}

static void test_registers_without_an_address_are_refused(void **state)
{
	struct dt_range r;

	(void)state;
	two_buses();
	assert_false(dt_reg(FDT, at("/bus@5a000000/inner/out@ffff000"), 0, &r)); /* across the end of its window */
	assert_false(dt_reg(FDT, at("/bus@5a000000/inner/out@ffff000"), 1, &r)); /* in none */
	assert_false(dt_reg(FDT, at("/closed/i2c-device@50"), 0, &r));		  /* no ranges: no way up */
	assert_false(dt_reg(FDT, at("/wrap"), 0, &r));
	assert_false(dt_reg(FDT, at("/cut"), 0, &r));
	assert_false(dt_reg(FDT, at("/closed"), 0, &r));
	assert_false(dt_reg(FDT, 0, 0, &r));
	assert_false(dt_reg(FDT, 4, 0, &r)); /* no node there */
}

static void test_cells_beyond_two_are_refused(void **state)
{
	struct dt_range r;
	unsigned a, s;

	(void)state;
	begin();
	node("pci");
	cells("#address-cells", 1, 3);
	cells("#size-cells", 1, 2);
	node("device");
	cells("reg", 5, 0, 0, 0, 0, 0);
	end();
	end();
	node("odd");
	cells("#address-cells", 2, 0, 1);
	node("device");
	cells("reg", 3, 0, 0, 0);
	end();
	end();
	finish();
	assert_false(dt_cells(FDT, at("/pci"), &a, &s));
	assert_false(dt_reg(FDT, at("/pci/device"), 0, &r));
	assert_false(dt_reg(FDT, at("/odd/device"), 0, &r));
	assert_true(dt_cells(FDT, 0, &a, &s) && a == 2 && s == 1); /* what stands when nothing stands there */
}

/* ---- interrupts ------------------------------------------------------------------------------------------------------- */
static void interrupts(unsigned gic_cells)
{
	begin();
	cells("interrupt-parent", 1, 1);
	node("gic");
	text("compatible", "arm,gic-v3");
	cells("#interrupt-cells", 1, gic_cells);
	cells("phandle", 1, 1);
	end();
	node("gpio");
	cells("#interrupt-cells", 1, 2);
	cells("phandle", 1, 2);
	cells("interrupts", gic_cells, 0, 7, 4, 0);
	node("key");
	cells("interrupt-parent", 1, 2);
	cells("interrupts", 2, 3, 1);
	end();
	end();
	node("timer");
	cells("interrupts", 2 * gic_cells, 1, 13, 8, gic_cells == 4 ? 0 : 1, gic_cells == 4 ? 1 : 14, gic_cells == 4 ? 14 : 8, 8, 0);
	end();
	node("both");
	cells("interrupts-extended", 3 + 1 + gic_cells, 2, 5, 1, 1, 0, 100, 4, 0);
	cells("interrupts", gic_cells, 0, 9, 4, 0); /* interrupts-extended comes first */
	end();
	node("nobody");
	cells("interrupts-extended", 4, 77, 0, 1, 4);
	end();
	node("wild");
	cells("interrupts", 2 * gic_cells, 0, 988, 4, gic_cells == 4 ? 0 : 1, gic_cells == 4 ? 1 : 16, gic_cells == 4 ? 16 : 4, 4, 0);
	end();
	finish();
}

static void test_interrupts_of_the_gic(void **state)
{
	unsigned gic_cells = (unsigned)(uintptr_t)*state, intid, flags;
	struct dt_gic gic;
	struct dt_walk w;

	interrupts(gic_cells);
	gic = dt_gic(FDT, at("/gic"));
	assert_true(gic.cells == gic_cells && gic.phandle == 1);
	assert_true(dt_interrupt(FDT, at("/gpio"), 0, gic.node, &intid, &flags));
	assert_true(intid == 39 && flags == 4);
	assert_true(dt_interrupt(FDT, at("/timer"), 1, gic.node, &intid, &flags));
	assert_true(intid == 30 && flags == 8);
	assert_false(dt_interrupt(FDT, at("/timer"), 2, gic.node, &intid, &flags));
	assert_false(dt_interrupt(FDT, at("/gpio/key"), 0, gic.node, &intid, &flags));
	assert_false(dt_interrupt(FDT, at("/both"), 0, gic.node, &intid, &flags)); /* the GPIO's */
	assert_true(dt_interrupt(FDT, at("/both"), 1, gic.node, &intid, &flags));
	assert_true(intid == 132 && flags == 4);
	assert_true(dt_walk_to(&w, FDT, at("/both")));
	assert_int_equal(dt_walk_interrupts(&w, &gic), 2);
	assert_false(dt_interrupt(FDT, at("/nobody"), 0, gic.node, &intid, &flags));
	assert_false(dt_interrupt(FDT, at("/wild"), 0, gic.node, &intid, &flags)); /* SPI 988, PPI 16 */
	assert_false(dt_interrupt(FDT, at("/wild"), 1, gic.node, &intid, &flags));
	assert_false(dt_interrupt(FDT, at("/gpio"), 0, -1, &intid, &flags));
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */
static void stdout_tree(const char *path, const char *alias)
{
	begin();
	node("chosen");
	if (path != NULL)
		text("stdout-path", path);
	end();
	node("aliases");
	text("serial0", alias);
	end();
	node("soc");
	node("serial@9000000");
	end();
	node("serial@9001000");
	end();
	end();
	finish();
}

static void test_stdout_path(void **state)
{
	static const struct {
		const char *path, *alias, *node;
	} cases[] = {
		{"/soc/serial@9001000", "", "/soc/serial@9001000"},
		{"/soc/serial@9001000:115200n8", "", "/soc/serial@9001000"},
		{"/soc/serial", "", "/soc/serial@9000000"}, /* without its address: the first one */
		{"//soc//serial@9001000", "", "/soc/serial@9001000"},
		{"serial0:115200", "/soc/serial@9001000", "/soc/serial@9001000"},
		{"serial0", "serial0", NULL},
		{"serial1", "/soc", NULL},
		{"a-name-that-is-longer-than-any-alias-may-be", "/soc", NULL},
		{"/soc/serial@9002000", "", NULL},
		{"/soc/serial@9001000/deeper", "", NULL},
		{"/serial@9001000", "", NULL},
		{"/so", "", NULL},
		{"", "", NULL},
		{NULL, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stdout_tree(cases[i].path, cases[i].alias);
		if (cases[i].node != NULL)
			assert_int_equal(dt_stdout(FDT), at(cases[i].node));
		else
			assert_true(dt_stdout(FDT) < 0);
	}
}

static void test_strings_and_numbers_are_checked(void **state)
{
	(void)state;
	begin();
	assert_int_equal(fdt_property(FDT, "status", "okay", 4), 0); /* no NUL */
	cells("three", 3, 1, 2, 3);
	cells("two", 2, 1, 2);
	assert_int_equal(fdt_property(FDT, "compatible", "a,b\0c,d", 7), 0); /* the last one without its NUL */
	finish();
	assert_null(dt_string(FDT, 0, "status"));
	assert_null(dt_string(FDT, 0, "absent"));
	assert_int_equal(dt_number(FDT, 0, "three", 5), 5);
	assert_true(dt_number(FDT, 0, "two", 5) == 0x100000002);
	assert_true(dt_is(dt_property(FDT, 0, "compatible"), "a,b"));
	assert_false(dt_is(dt_property(FDT, 0, "compatible"), "c,d"));
	assert_false(dt_is(dt_property(FDT, 0, "absent"), "a,b"));
}

/* ---- what the walk cannot take ---------------------------------------------------------------------------------------- */
static void test_a_tree_that_is_too_deep_is_refused(void **state)
{
	(void)state;
	for (unsigned levels = 31; levels <= 32; levels++) { /* below the root */
		begin();
		for (unsigned i = 0; i < levels; i++)
			node("n");
		for (unsigned i = 0; i < levels; i++)
			end();
		fdt_end_node(FDT);
		assert_int_equal(fdt_finish(FDT), 0);
		assert_int_equal(dt_check(FDT, sizeof(blob)) == NULL, levels == 31);
	}
}

static void test_old_and_disordered_trees_are_refused(void **state)
{
	uint32_t *words;

	(void)state;
	begin();
	cells("a", 1, 1);
	node("n");
	end();
	finish();
	fdt_set_version(FDT, 16);
	assert_non_null(strstr(dt_check(FDT, sizeof(blob)), "version 17"));
	fdt_set_version(FDT, 17);
	/* BEGIN "" PROP 4 a 1 BEGIN n END END END: the property to behind the child */
	words = (uint32_t *)((char *)FDT + fdt_off_dt_struct(FDT));
	memmove(words + 2, words + 6, 12);
	words[5] = cpu_to_fdt32(FDT_PROP);
	words[6] = cpu_to_fdt32(4);
	words[7] = 0;
	words[8] = 0;
	assert_non_null(strstr(dt_check(FDT, sizeof(blob)), "behind a node's children"));
}

/* Every word of a small tree changed to every value that may mean something: let through, it is one for libfdt too. */
static void test_damage_is_found_that_libfdt_finds(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 3, 4, 5, 8, 9, 16, 40, 56, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	unsigned refused = 0;
	size_t words, size;
	uint32_t *copy;

	(void)state;
	stdout_tree("serial0", "/soc");
	size = fdt_totalsize(FDT);
	words = size / 4;
	for (size_t at = 0; at < words; at++)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			copy = malloc(size); /* exactly, so that the sanitizer watches */
			memcpy(copy, FDT, size);
			copy[at] = cpu_to_fdt32(values[i]);
			if (dt_check(copy, size) != NULL)
				refused++;
			else if (fdt_check_full(copy, size) != 0)
				fail_msg("word %zu as %x is let through", at, values[i]);
			free(copy);
		}
	assert_true(refused > words);
	for (size_t cut = 0; cut < size; cut++) {
		copy = malloc(cut + 1);
		memcpy(copy, FDT, cut);
		assert_non_null(dt_check(copy, cut));
		free(copy);
	}
}

/* ---- against libfdt, on real boards -------------------------------------------------------------------------------------- */
static void compare_properties(const void *fdt, int offset)
{
	int mine = dt_properties(fdt, offset), theirs, length;
	const char *name, *other;
	struct dt_value v;

	for (theirs = fdt_first_property_offset(fdt, offset); theirs >= 0; theirs = fdt_next_property_offset(fdt, theirs)) {
		const void *data = fdt_getprop_by_offset(fdt, theirs, &other, &length);

		assert_true(dt_property_next(fdt, &mine, &name, &v));
		assert_true(name == other && v.data == data && v.size == length);
		assert_true(dt_property(fdt, offset, name).data == v.data);
	}
	assert_false(dt_property_next(fdt, &mine, &name, &v));
}

static void compare(const char *path, const void *fdt)
{
	int offset = fdt_next_node(fdt, -1, NULL), depth = 0, length, same;
	struct dt_walk w;

	(void)path;
	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w)) {
		const struct dt_node *n = dt_walk_node(&w);

		assert_int_equal(n->offset, offset);
		assert_int_equal(w.depth, depth);
		assert_string_equal(n->name, fdt_get_name(fdt, offset, NULL));
		assert_true(n->reg.data == fdt_getprop(fdt, offset, "reg", &length));
		assert_true(n->compatible.data == fdt_getprop(fdt, offset, "compatible", &length));
		assert_int_equal(n->phandle, fdt_get_phandle(fdt, offset));
		if (depth > 0)
			assert_int_equal(w.at[depth - 1].offset, fdt_supernode_atdepth_offset(fdt, offset, depth - 1, &same));
		compare_properties(fdt, offset);
		offset = fdt_next_node(fdt, offset, &depth);
	}
	assert_true(offset < 0 || depth < 0);
}

static void test_real_trees_read_as_libfdt_reads_them(void **state)
{
	(void)state;
	assert_true(boards_each("imx8qm-*", 4, compare) >= 2);
	assert_true(boards_each("*", 100, compare) >= 10);
}

/* ---- the early console's own walk, which trusts nothing -------------------------------------------------------------------- */
static void test_the_board_is_found_in_any_piece_of_a_tree(void **state)
{
	const struct board *b;
	char *copy;

	(void)state;
	begin();
	cells("#address-cells", 1, 2);
	assert_int_equal(fdt_property(FDT, "compatible", "toradex,apalis-imx8-eval\0fsl,imx8qm", 36), 0);
	node("below");
	end();
	finish();
	b = board_find(FDT, sizeof(blob));
	assert_non_null(b);
	assert_string_equal(b->name, "imx8qm-apalis");
	for (size_t size = 0; size < fdt_totalsize(FDT); size++) {
		copy = malloc(size);
		memcpy(copy, blob, size);
		board_find(copy, size); /* the sanitizer watches */
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_are_translated_through_every_bus),
		cmocka_unit_test(test_registers_without_an_address_are_refused),
		cmocka_unit_test(test_cells_beyond_two_are_refused),
		cmocka_unit_test_prestate(test_interrupts_of_the_gic, (void *)3),
		{"test_interrupts_of_a_gic_with_partitions", test_interrupts_of_the_gic, NULL, NULL, (void *)4},
		cmocka_unit_test(test_stdout_path),
		cmocka_unit_test(test_strings_and_numbers_are_checked),
		cmocka_unit_test(test_a_tree_that_is_too_deep_is_refused),
		cmocka_unit_test(test_old_and_disordered_trees_are_refused),
		cmocka_unit_test(test_damage_is_found_that_libfdt_finds),
		cmocka_unit_test(test_real_trees_read_as_libfdt_reads_them),
		cmocka_unit_test(test_the_board_is_found_in_any_piece_of_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
