/* boot/ram and boot/modules: what the boot loader left, and that every frame ends up with one owner. */
#include "boot/boot.h"
#include "core/options.h"
#include "core/page.h"
#include "fake/boot_machine.h"
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE	0x40000000ul
#define KERNEL	0x44000000ul
#define RAMDISK 0x46000000ul
#define TREE	0x4f000000ul

/* What a test says of its machine. */
struct machine {
	uint64_t memory[40], reserved[8]; /* pairs of base and size, ended by a size of 0 */
	uint64_t block[2];		  /* an entry of the reservation block */
	uint64_t kernel[2], ramdisk[2];	  /* of the modules; 0: the usual */
	uint64_t dom0;			  /* bytes; 0: 128 MiB */
	const char *own, *dom0_line, *bootargs, *module_line, *kind;
	bool no_chosen, initrd, twice;
};
static uint64_t blob[65536];
#define FDT ((void *)blob)

static void pairs(const char *name, const uint64_t *values, unsigned n)
{
	uint64_t data[40];

	for (unsigned i = 0; i < n; i++)
		data[i] = cpu_to_fdt64(values[i]);
	CHECK(fdt_property(FDT, name, data, (int)n * 8) == 0);
}

static unsigned count(const uint64_t *list)
{
	unsigned n = 0;

	while (list[n + 1] != 0)
		n += 2;
	return n;
}

static void line(const char *name, const char *text)
{
	if (text != NULL)
		CHECK(fdt_property_string(FDT, name, text) == 0);
}

static void write_module(const struct machine *m, const char *kind, const uint64_t *at)
{
	fdt_begin_node(FDT, kind);
	fdt_property_string(FDT, "compatible", m->kind != NULL ? m->kind : kind);
	pairs("reg", at, 2);
	if (strcmp(kind, "multiboot,kernel") == 0)
		line("bootargs", m->module_line);
	fdt_end_node(FDT);
}

static void write_chosen(const struct machine *m)
{
	static const uint64_t kernel[] = {KERNEL, MIB(1)}, ramdisk[] = {RAMDISK, MIB(1)};

	fdt_begin_node(FDT, "chosen");
	line("xen,xen-bootargs", m->own);
	line("xen,dom0-bootargs", m->dom0_line);
	line("bootargs", m->bootargs);
	if (m->initrd) {
		fdt_property_u64(FDT, "linux,initrd-start", RAMDISK);
		fdt_property_u64(FDT, "linux,initrd-end", RAMDISK + MIB(3));
	}
	write_module(m, "multiboot,kernel", m->kernel[1] != 0 ? m->kernel : kernel);
	if (m->twice)
		write_module(m, "multiboot,kernel", kernel);
	if (!m->initrd)
		write_module(m, "multiboot,ramdisk", m->ramdisk[1] != 0 ? m->ramdisk : ramdisk);
	fdt_end_node(FDT);
}

static void *tree_of(const struct machine *m)
{
	CHECK(fdt_create(FDT, sizeof(blob)) == 0);
	if (m->block[1] != 0)
		fdt_add_reservemap_entry(FDT, m->block[0], m->block[1]);
	fdt_finish_reservemap(FDT);
	fdt_begin_node(FDT, "");
	fdt_property_u32(FDT, "#address-cells", 2);
	fdt_property_u32(FDT, "#size-cells", 2);
	fdt_begin_node(FDT, "memory@0");
	fdt_property_string(FDT, "device_type", "memory");
	pairs("reg", m->memory, count(m->memory));
	fdt_end_node(FDT);
	if (!m->no_chosen)
		write_chosen(m);
	fdt_begin_node(FDT, "reserved-memory");
	fdt_property_u32(FDT, "#address-cells", 2);
	fdt_property_u32(FDT, "#size-cells", 2);
	fdt_property(FDT, "ranges", "", 0);
	fdt_begin_node(FDT, "firmware");
	pairs("reg", m->reserved, count(m->reserved));
	fdt_end_node(FDT);
	fdt_end_node(FDT);
	fdt_end_node(FDT);
	CHECK(fdt_finish(FDT) == 0 && dt_check(FDT, sizeof(blob)) == NULL);
	return FDT;
}

static bool within(uint64_t at, const uint64_t *list)
{
	for (unsigned i = 0, n = count(list); i < n; i += 2)
		if (at - list[i] < list[i + 1])
			return true;
	return false;
}

static bool in_banks(uint64_t at, const struct banks *b)
{
	for (unsigned i = 0; i < b->count; i++)
		if (at - b->bank[i].base < b->bank[i].size)
			return true;
	return false;
}

/* The whole way; then every frame of memory is looked at. */
static void boot(void *arg)
{
	const struct machine *m = arg;
	const void *fdt = tree_of(m);
	struct boot_modules found = {.tree = {TREE, fdt_totalsize(fdt)}};
	uint64_t taken = 0, free = 0;
	struct banks banks;

	modules_find(fdt, &found);
	ram_init(fdt, &found);
	ram_take_dom0(&found, m->dom0 != 0 ? m->dom0 : MIB(128), &banks);
	ram_free_rest(&found);
	for (unsigned i = 0; i < count(m->memory); i += 2)
		for (uint64_t at = m->memory[i]; at - m->memory[i] < m->memory[i + 1]; at += PAGE_SIZE) {
			struct page *p = page_of(PA(at));
			bool image = at - FAKE_IMAGE < FAKE_IMAGE_SIZE;
			bool reserved = within(at, m->reserved) || at - m->block[0] < m->block[1];

			if (p == NULL) /* a bank that is left alone, or the odd end of one */
				continue;
			CHECK((page_type(p) == PAGE_RAM) == in_banks(at, &banks));
			CHECK(!image || page_type(p) == PAGE_HYP);
			CHECK(!reserved || page_type(p) == PAGE_RESERVED);
			CHECK(page_type(p) != PAGE_RESERVED || reserved);
			CHECK(page_type(p) != PAGE_RAM || page_owner(p) == 0);
			taken += page_type(p) == PAGE_RAM;
			free += page_type(p) == PAGE_FREE;
		}
	CHECK(taken == ALIGN_UP(m->dom0 != 0 ? m->dom0 : MIB(128), MIB(2)) >> PAGE_SHIFT);
	CHECK(free == page_free_count());
	for (unsigned i = 0; i < banks.count; i++)
		CHECK((banks.bank[i].base | banks.bank[i].size) % MIB(2) == 0);
	/* all that is free can be had, and none of it twice */
	for (uint64_t n = page_free_count(); n > 0; n--) {
		pa_t at = page_alloc(0);

		CHECK(at.raw != 0 && !in_banks(at.raw, &banks) && !within(at.raw, m->reserved));
	}
	CHECK(page_alloc(0).raw == 0);
}

#define BOOTS(...) RUNS(boot, (&(struct machine){__VA_ARGS__}))
#define STOPS(text, ...) PANICS(boot, (&(struct machine){__VA_ARGS__}), text)
#define MEMORY .memory = {BASE, MIB(256)}

static void test_every_frame_has_one_owner(void **state)
{
	(void)state;
	BOOTS(MEMORY);
	BOOTS(MEMORY, .initrd = true);
	/* banks in disorder, with odd ends, and the hypervisor's in the middle */
	BOOTS(.memory = {0x80000000, MIB(64) + 0x800, BASE + 0x1200, MIB(128), 0x100000000, MIB(64)}, .dom0 = MIB(160));
	/* reserved: at the start, in the middle, over a bank's end, in no memory, overlapping each other */
	BOOTS(MEMORY, .reserved = {BASE, PAGE_SIZE, 0x48000000, MIB(3), 0x4ff00000, MIB(2), 0x1000, PAGE_SIZE},
	      .block = {0x48100000, MIB(4)});
	/* modules in the reservation block, as a boot loader may put its own */
	BOOTS(MEMORY, .block = {RAMDISK, MIB(1)});
	BOOTS(MEMORY, .block = {0x4ff00000, -0x4ff00000ul + 4096}); /* around the end of the address space */
}

static void test_what_cannot_be_used_is_left_alone(void **state)
{
	struct machine many = {.memory = {BASE, MIB(256)}};

	(void)state;
	for (unsigned i = 1; i < 19; i++)
		many.memory[2 * i] = GIB(2 + i), many.memory[2 * i + 1] = MIB(2);
	RUNS(boot, &many);
	assert_non_null(strstr(fake_console, "too many banks"));
	BOOTS(.memory = {BASE, MIB(256), GIB(2048), MIB(64)});
	assert_non_null(strstr(fake_console, "no guest could address them"));
	BOOTS(.memory = {BASE, MIB(256), GIB(1024) - MIB(1), MIB(64)});
	BOOTS(.memory = {BASE, MIB(256), -PAGE_SIZE, PAGE_SIZE - 1});
}

static void test_memory_that_cannot_be(void **state)
{
	(void)state;
	STOPS("names no memory", .memory = {0});
	STOPS("names memory at 41000000 twice", .memory = {BASE, MIB(256), BASE + MIB(16), MIB(1)});
	STOPS("dom0_mem=512M, but this machine has only", MEMORY, .dom0 = MIB(512));
	STOPS("dom0_mem=2M is too little", MEMORY, .dom0 = MIB(1));
	/* enough, but in pieces of 8 MiB */
	STOPS("more than the large pieces", .memory = {BASE, MIB(48), GIB(2), MIB(8), GIB(3), MIB(8), GIB(4), MIB(8), GIB(5), MIB(8)},
	      .dom0 = MIB(64), .kernel = {BASE, 4096}, .ramdisk = {BASE + 4096, 4096});
}

static void test_modules_where_they_cannot_be(void **state)
{
	(void)state;
	STOPS("the kernel (44000000, 1048576 bytes) and the ramdisk (440ff000, 4096 bytes) overlap", MEMORY,
	      .ramdisk = {KERNEL + MIB(1) - 4096, 4096});
	STOPS("the kernel (40000000, 8388608 bytes) and the hypervisor", MEMORY, .kernel = {BASE, MIB(8)});
	STOPS("and the device tree", MEMORY, .ramdisk = {TREE - 1, 2});
	STOPS("and the reserved memory", MEMORY, .reserved = {KERNEL - 4096, 8192});
	STOPS("does not lie in memory", MEMORY, .kernel = {BASE - 4096, 4096});
	STOPS("does not lie in memory", MEMORY, .ramdisk = {BASE + MIB(256) - 4096, 8192});
	STOPS("no usable reg property", MEMORY, .ramdisk = {-4096ul, 8192});
}

/* ---- modules and options ---------------------------------------------------------------------------------------------------- */
struct expected {
	struct machine m;
	const char *kernel_line, *options;
	uint64_t dom0_mem;
	unsigned vcpus;
};

static void find(void *arg)
{
	const struct expected *e = arg;
	struct boot_modules found = {.tree = {TREE, 0}};

	modules_find(tree_of(&e->m), &found);
	if (e->kernel_line != NULL)
		CHECK(strcmp(found.kernel.command_line, e->kernel_line) == 0);
	if (e->options != NULL)
		CHECK(strcmp(options.line, e->options) == 0);
	if (e->dom0_mem != 0)
		CHECK(options.dom0_mem == e->dom0_mem);
	CHECK(options.dom0_max_vcpus == e->vcpus);
	CHECK(options.sync_console == (strstr(options.line, "sync_console") != NULL));
	CHECK(found.kernel.at.base == KERNEL);
}

static void test_command_lines(void **state)
{
	struct expected in_module = {{.bootargs = "loglvl=info", .module_line = "a b"}, "a b", "loglvl=info", 0, 0},
			both = {{.own = "dom0_mem=1G", .bootargs = "linux"}, "linux", "dom0_mem=1G", GIB(1), 0},
			dom0 = {{.own = "own", .dom0_line = "dom0", .bootargs = "else"}, "dom0", "own", 0, 0},
			none = {{.no_chosen = false}, "", "", MIB(512), 0};

	(void)state;
	RUNS(find, &in_module);
	RUNS(find, &both);
	RUNS(find, &dom0);
	RUNS(find, &none);
}

static void test_options(void **state)
{
	static const struct {
		const char *line;
		uint64_t dom0_mem;
		unsigned vcpus;
	} good[] = {{"dom0_mem=1G", GIB(1), 0},		     {"dom0_mem=1048576", GIB(1), 0},
		    {"dom0_mem=1073741824B", GIB(1), 0},     {"dom0_mem=64m", MIB(64), 0},
		    {"dom0_mem=1T", GIB(1024), 0},	     {"dom0_mem=512M,max:1G", MIB(512), 0},
		    {"dom0_mem=max:256M", MIB(256), 0},	     {"  dom0_max_vcpus=16   dom0_mem=65536K ", MIB(64), 16},
		    {"dom0_mem=1G dom0_mem=2G", GIB(2), 0},
		    {"dom0_mem=1G sync_console", GIB(1), 0}};
	static const char *const bad[] = {"dom0_mem=", "dom0_mem=G", "dom0_mem=1X", "dom0_mem=1Gi", "dom0_mem=-1", "dom0_mem",
					  "dom0_mem=18446744073709551616", "dom0_mem=99999999T", "dom0_mem=,",
					  "dom0_max_vcpus=", "dom0_max_vcpus=0", "dom0_max_vcpus=4x", "dom0_max_vcpus=99999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		RUNS(find, (&(struct expected){{.own = good[i].line}, NULL, NULL, good[i].dom0_mem, good[i].vcpus}));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		PANICS(find, (&(struct expected){.m = {.own = bad[i]}}), "dom0_m");
	RUNS(find, (&(struct expected){.m = {.own = "dom0_memory=1G quux"}}));
	assert_non_null(strstr(fake_console, "unknown option on the hypervisor's command line: dom0_memory=1G"));
	assert_non_null(strstr(fake_console, "unknown option on the hypervisor's command line: quux"));
}

static void test_lines_that_do_not_fit(void **state)
{
	static char text[4096];

	(void)state;
	memset(text, ' ', 1023);
	RUNS(find, (&(struct expected){.m = {.own = text}}));
	text[1023] = ' ';
	PANICS(find, (&(struct expected){.m = {.own = text}}), "has 1024 characters, more than the 1023 that it takes");
	memset(text, ' ', 2047);
	RUNS(find, (&(struct expected){.m = {.module_line = text}, .kernel_line = text}));
	text[2047] = ' ';
	PANICS(find, (&(struct expected){.m = {.module_line = text}}), "has 2048 characters, more than the 2047");
	PANICS(find, (&(struct expected){.m = {.dom0_line = text}}), "has 2048 characters, more than the 2047");
}

static void test_modules_that_cannot_be(void **state)
{
	(void)state;
	PANICS(find, (&(struct expected){.m = {.no_chosen = true}}), "no /chosen node");
	PANICS(find, (&(struct expected){.m = {.kind = "something,else"}}), "gave no Dom0 kernel");
	PANICS(find, (&(struct expected){.m = {.kind = "multiboot,kernel"}}), "gave two kernel modules");
	PANICS(find, (&(struct expected){.m = {.twice = true}}), "gave two kernel modules");
	/* untyped: the first is the kernel, the second the ramdisk */
	RUNS(find, (&(struct expected){.m = {.kind = "multiboot,module"}}));
	RUNS(find, (&(struct expected){.m = {.initrd = true}}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_frame_has_one_owner),
		cmocka_unit_test(test_what_cannot_be_used_is_left_alone),
		cmocka_unit_test(test_memory_that_cannot_be),
		cmocka_unit_test(test_modules_where_they_cannot_be),
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_lines_that_do_not_fit),
		cmocka_unit_test(test_modules_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
