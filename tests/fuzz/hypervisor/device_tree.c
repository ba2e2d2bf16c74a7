/* Any blob as the host's device tree: what dt_check lets through libfdt does too, walks of both agree, and it gives
 * a Dom0 tree that can be read again, or one sentence. */
#include "boards/board.h"
#include "boot/boot.h"
#include "boot/dom0_tree.h"
#include "fake/boot_machine.h"
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf stopped;
static uint64_t out[(1 << 20) / 8];

static void walk_agrees(const void *fdt)
{
	int offset = fdt_next_node(fdt, -1, NULL), depth = 0, length;
	struct dt_range r;
	struct dt_walk w;
	struct dt_gic gic = dt_gic(fdt, dt_compatible(fdt, -1, "arm,gic-v3"));
	unsigned intid, flags;

	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w)) {
		if (dt_walk_node(&w)->offset != offset || (int)w.depth != depth)
			abort();
		if (dt_walk_node(&w)->compatible.data != fdt_getprop(fdt, offset, "compatible", &length))
			abort();
		for (unsigned i = 0; dt_walk_reg(&w, i, &r); i++)
			if (r.base + r.size < r.base)
				abort();
		for (unsigned i = 0, n = dt_walk_interrupts(&w, &gic); i < n && i < 64; i++)
			if (dt_walk_interrupt(&w, &gic, i, &intid, &flags) && intid >= 1020)
				abort();
		offset = fdt_next_node(fdt, offset, &depth);
	}
}

static void build(const void *fdt)
{
	static const struct dt_range bank = {0x80000000, 0x40000000};
	struct dom0_tree_input in = {.fdt = fdt, .command_line = "x", .banks = &bank, .bank_count = 1, .vcpus = 2, .xen_minor = 20,
				     .windows = {{0x80200000, 0x40000}}, .window_count = 1};
	struct dom0_tree_facts facts;
	const char *why = NULL;

	if (!dom0_tree_facts(fdt, &facts, &why)) {
		if (why == NULL)
			abort();
		return;
	}
	if (dom0_tree_build(&in, &facts, out, sizeof(out)) == 0 && (fdt_check_full(out, sizeof(out)) != 0 || dt_check(out, sizeof(out)) != NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_modules modules;
	struct board b;

	board_find(data, size);
	if (dt_check(data, size) != NULL)
		return 0;
	if (fdt_check_full(data, size) != 0)
		abort();
	board_uart_of_tree(data, size, &b);
	walk_agrees(data);
	build(data);
	memset(&modules, 0, sizeof(modules));
	fake_stopped = &stopped;
	if (setjmp(stopped) == 0)
		modules_find(data, &modules);
	return 0;
}
