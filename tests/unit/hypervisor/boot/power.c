/* A boot on the real boards' device trees, with everything switched on by the boot loader and the firmware simulated: what has power
 * when Dom0 begins, and what Linux finds when it asks. Links no fake machine: what is below stands here. */
#include "core/power.h"
#include "arch/mmu.h"
#include "boot/boot.h"
#include "boot/power_tree.h"
#include "core/memory.h"
#include "core/page.h"
#include "core/time.h"
#include "drivers/scu_power.h"
#include "fake/scu_sim.h"
#include "guest/vscu.h"
#include "lib/print.h"
#include "trees.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct domain *domains[DOMAIN_MAX];
static struct domain dom0;
static struct power_range unmapped[RAIL_RANGES];
static unsigned unmapped_count;

/* what a boot makes stays for good */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* ---- the machine below --------------------------------------------------------------------------------------------------- */
void *heap_pages(unsigned order)
{
	return calloc(1, PAGE_SIZE << order);
}
void heap_free(void *va, unsigned order)
{
	(void)order;
	free(va);
}
struct domain *domain_find(uint16_t id)
{
	return id == 0 ? &dom0 : NULL;
}
int memory_map_device(struct domain *d, ipa_t ipa, pa_t pa, uint64_t size)
{
	(void)d;
	(void)ipa;
	(void)pa;
	(void)size;
	fail(); /* nothing goes on at boot */
	return 0;
}
int memory_unmap_range(struct domain *d, ipa_t ipa, uint64_t size)
{
	assert_ptr_equal(d, &dom0);
	unmapped[unmapped_count++] = (struct power_range){ipa.raw, size};
	return 0;
}
void timer_set(struct timer *t, uint64_t deadline)
{
	(void)t;
	(void)deadline;
	fail(); /* all is done before Dom0 runs */
}
uint64_t time_ns(void)
{
	return sim.clock;
}
uint64_t time_ticks_of_ns(uint64_t ns)
{
	(void)ns;
	return SIM_TIMEOUT;
}
void log_line(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}
void panic(const char *format, ...)
{
	puts(format);
	abort();
}
size_t string_copy(char *to, const char *from, size_t size)
{
	return (size_t)snprintf(to, size, "%s", from);
}
void *mmu_map_device(pa_t pa, size_t size)
{
	(void)pa;
	(void)size;
	abort();
}
int vscu_create(struct domain *d, uint64_t base, uint64_t size, unsigned intid)
{
	(void)d;
	(void)base;
	(void)size;
	(void)intid;
	abort();
}

/* ---- the boot ---------------------------------------------------------------------------------------------------------------- */
static bool is_unmapped(uint64_t at)
{
	for (unsigned i = 0; i < unmapped_count; i++)
		if (at >= unmapped[i].base && at - unmapped[i].base < unmapped[i].size)
			return true;
	return false;
}

static void boot(const char *name)
{
	sim_reset();
	unmapped_count = 0;
	for (unsigned r = 19; r < 546; r++)
		sim.resource[r].vote[SIM_HOME] = 3;
	assert_true(power_open(tree(name), &sim_port));
	power_start();
	assert_int_equal(sim.violations, 0);
}

static struct rail rail_with(const char *name)
{
	struct rail r;

	for (unsigned i = 0; power_get(i, &r) == 0; i++)
		if (strcmp(r.name, name) == 0)
			return r;
	fail_msg("no rail %s", name);
	return r;
}

static void test_what_has_power_when_dom0_begins(void **state)
{
	(void)state;
	boot("imx8qm-mek.dtb");
	assert_int_equal(power_count(), 67);
	assert_true(sim_powered(248));	/* the eMMC */
	assert_true(sim_powered(57));	/* the console */
	assert_false(sim_powered(250)); /* a disabled card slot */
	assert_false(sim_powered(259)); /* USB OTG1 and PHY, disabled */
	assert_false(sim_powered(261));
	assert_false(sim_powered(540)); /* the video processor */
	assert_true(sim_powered(152));	/* PCIe: in no node of this tree, so not ours to switch */
	assert_true(is_unmapped(0x5b030000) &&
		    is_unmapped(0x5b220000)); /* the slot and its clock gate */
	assert_true(is_unmapped(0x5a060000) &&
		    is_unmapped(0x5a460000)); /* the console and its clock gate */
	assert_false(is_unmapped(0x5b010000));
	assert_false(is_unmapped(0x5d200000)); /* a mailbox that ends elsewhere */
	assert_int_equal(rail_with("serial@5a060000").reason, POWER_ALWAYS_ON);
	assert_string_equal(rail_with("serial@5a060000").why, "the console");
}

static void test_no_way_past_the_filter(void **state)
{
	static const uint64_t mailboxes[] = {0x5d1b0000, 0x5d1c0000, 0x5d1d0000, 0x5d1e0000,
					     0x5d1f0000};

	(void)state;
	for (unsigned b = 0; b < tree_count; b++) {
		boot(trees[b].name);
		for (unsigned i = 0; i < ARRAY_SIZE(mailboxes); i++) {
			assert_true(is_unmapped(mailboxes[i]) &&
				    is_unmapped(mailboxes[i] + 0xffff));
			assert_true(power_has_registers(mailboxes[i], PAGE_SIZE));
		}
		assert_int_equal(power_access(214, 0), POWER_FOREIGN);
	}
}

static void test_every_board(void **state)
{
	(void)state;
	for (unsigned b = 0; b < tree_count; b++) {
		unsigned off = 0;
		struct rail r;

		boot(trees[b].name);
		for (unsigned i = 0; power_get(i, &r) == 0; i++) {
			assert_int_equal(r.error, 0);
			assert_int_equal(r.step, RAIL_SETTLED);
			assert_int_equal(r.actual, r.owner == POWER_NOBODY ? POWER_OFF : POWER_ON);
			assert_int_equal(sim_powered(r.id), r.actual == POWER_ON);
			off += r.actual == POWER_OFF;
		}
		assert_in_range(off, 15, 40);
	}
}

static void test_a_dead_firmware_leaves_the_machine_to_dom0(void **state)
{
	(void)state;
	sim_reset();
	sim_break(SIM_DEAF, SIM_ANY, 0, 1000);
	assert_false(power_open(tree("imx8qm-mek.dtb"), &sim_port));
	sim_reset();
	sim_break(SIM_BAD_SIZE, SIM_ANY, 0, 1000);
	assert_false(power_open(tree("imx8qm-mek.dtb"), &sim_port));
}

static void test_a_firmware_that_dies_during_boot_does_not_hang_it(void **state)
{
	struct rail r;
	unsigned wrong = 0;

	(void)state;
	sim_reset();
	for (unsigned i = 19; i < 546; i++)
		sim.resource[i].vote[SIM_HOME] = 3;
	assert_true(power_open(tree("imx8qm-mek.dtb"), &sim_port));
	sim_break(SIM_SILENT, SIM_ANY, 0, 100000);
	power_start();
	for (unsigned i = 0; power_get(i, &r) == 0; i++)
		wrong += r.error != 0 && r.actual == POWER_UNKNOWN;
	assert_int_equal(wrong, power_count());
	assert_true(sim.clock < 20 * SIM_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_dead_firmware_leaves_the_machine_to_dom0),
		cmocka_unit_test(test_what_has_power_when_dom0_begins),
		cmocka_unit_test(test_no_way_past_the_filter),
		cmocka_unit_test(test_every_board),
		cmocka_unit_test(test_a_firmware_that_dies_during_boot_does_not_hang_it),
	};

	return cmocka_run_group_tests(tests, trees_open, NULL);
}
