/* Dom0's tree for real boards: some forty of Debian's, i.MX8QM's all of them and looked at closely. `make hypervisor-trees` takes
 * every board there is. */
#include "dom0_rules.h"
#include "fake/boards.h"
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t out[(2 << 20) / 8];
static unsigned built;

/* Builds and checks; false when the board is refused, which takes a sentence. */
static bool build(const char *path, const void *fdt, struct dom0_tree_facts *facts)
{
	const char *why = NULL;
	struct rules_result r;

	if (!dom0_tree_facts(fdt, facts, &why)) {
		assert_non_null(why);
		return false;
	}
	r = rules_build(fdt, facts, out, sizeof(out));
	for (unsigned i = 0; i < r.count && i < RULES_MAX; i++)
		print_message("%s: %s\n", path, r.broken[i]);
	assert_int_equal(r.count, 0);
	built++;
	return true;
}

static void any_board(const char *path, const void *fdt)
{
	struct dom0_tree_facts facts;

	build(path, fdt, &facts);
}

static void test_boards_of_every_kind(void **state)
{
	(void)state;
	built = 0;
	assert_true(boards_each("*", 25, any_board) >= 40);
	assert_true(built >= 20);
	assert_true(boards_each("sm8?50-hdk", 1, any_board) >= 3);   /* one serial engine is UART, I2C and SPI */
	assert_true(boards_each("rk3588-rock-5b", 1, any_board) == 1); /* four interrupt cells, PPI partitions */
	assert_true(boards_each("mt8365-evk", 1, any_board) == 1);
	assert_true(boards_each("fsl-ls1028a-rdb", 1, any_board) == 1); /* two UARTs in one page */
}

static bool has(const void *fdt, const char *compatible)
{
	return fdt_node_offset_by_compatible(fdt, -1, compatible) >= 0;
}

/* i.MX 8QuadMax Reference Manual: GIC-500 at 0x51a00000, redistributors at 0x51b00000, LPUARTs from 0x5a060000 */
static void imx8qm(const char *path, const void *fdt)
{
	const char *apalis = strstr(path, "apalis");
	struct dom0_tree_facts facts;
	unsigned intid, flags, uarts = 0, cpus;
	struct dt_range r;
	struct dt_walk w;
	struct dt_gic gic;
	int node;

	assert_true(build(path, fdt, &facts));
	cpus = rules_cpus(fdt);
	assert_int_equal(cpus, apalis != NULL ? 6 : 4); /* the evaluation kit's tree of Debian 13 names the A53s only */
	/* the hypervisor's UART is gone, the three others and theirs are there */
	assert_true(facts.console.base == (apalis != NULL ? 0x5a070000 : 0x5a060000) && facts.console.size == 0x1000);
	gic = dt_gic(out, dt_compatible(out, -1, "arm,gic-v3"));
	dt_walk_begin(&w, out);
	while (dt_walk_next(&w))
		if (dt_is(dt_walk_node(&w)->compatible, "fsl,imx8qm-lpuart")) {
			assert_true(dt_walk_reg(&w, 0, &r) && r.base != facts.console.base);
			/* SPI 345 to 348, as the manual's table of shared interrupts has them: 0x5a060000 is the first */
			assert_true(dt_walk_interrupt(&w, &gic, 0, &intid, &flags));
			assert_int_equal(intid, 32 + 345 + (r.base - 0x5a060000) / 0x10000);
			assert_int_equal(flags, 4);
			uarts++;
		}
	assert_int_equal(uarts, 3);
	/* no SMMU, and nobody behind one */
	assert_true(has(fdt, "arm,mmu-500"));
	assert_false(has(out, "arm,mmu-500"));
	assert_true(strstr((const char *)out + fdt_off_dt_strings(out), "iommus") == NULL);
	/* the PPIs: nothing but the virtual machine's own timer and event channel */
	assert_false(has(out, "arm,cortex-a53-pmu") || has(out, "arm,armv8-pmuv3"));
	node = dt_compatible(out, -1, "arm,armv8-timer");
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned timer[] = {29, 30, 27};

		assert_true(dt_interrupt(out, node, i, gic.node, &intid, &flags));
		assert_int_equal(intid, timer[i]);
	}
	/* the machine has six redistributors; each vCPU has one, one after the other */
	assert_true(facts.redistributors.base == 0x51b00000 && facts.redistributors.size == 6 * 0x20000);
	assert_true(dt_reg(out, gic.node, 0, &r) && r.base == 0x51a00000 && r.size == 0x10000);
	assert_true(dt_reg(out, gic.node, 1, &r) && r.base == 0x51b00000 && r.size == cpus * 0x20000);
	assert_int_equal(rules_cpus(out), cpus);
	/* what Dom0 drives: MMC, Ethernet, the system controller's doorbells */
	assert_true(has(out, "fsl,imx8qm-usdhc") && has(out, "fsl,imx8qm-fec") && has(out, "fsl,imx-scu"));
}

static void test_imx8qm(void **state)
{
	(void)state;
	assert_true(boards_each("imx8qm-*", 1, imx8qm) >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boards_of_every_kind),
		cmocka_unit_test(test_imx8qm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
