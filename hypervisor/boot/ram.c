/* The machine's RAM: banks, what is taken, the direct map, the page words; then Dom0's part, then the free list. */
#include "arch/mmu.h"
#include "arch/stage2.h"
#include "boot/boot.h"
#include "core/options.h"
#include "core/page.h"
#include "lib/print.h"
#include "lib/string.h"

#define RANGES_MAX 64
#define EXTENDED_MIN MIB(64) /* as in Xen: what is smaller does not pay */
#define HEAP_FIRST MIB(1) /* the hypervisor's first heap: beside the image, so that Dom0's memory has no hole */

struct ranges {
	unsigned count;
	struct dt_range at[RANGES_MAX];
};
static struct ranges ram, unused;
/* What the hypervisor keeps for itself for good: image, page words. */
static struct dt_range kept[BANKS_MAX + 1];
static unsigned kept_count;
extern const char image_begin[], image_end[];

static void add(struct ranges *r, uint64_t base, uint64_t size)
{
	unsigned i = r->count;

	if (size == 0)
		return;
	if (r->count == RANGES_MAX)
		panic("the memory of this machine is in more than %d pieces", RANGES_MAX);
	for (; i > 0 && r->at[i - 1].base > base; i--)
		r->at[i] = r->at[i - 1];
	r->at[i] = (struct dt_range){base, size};
	r->count++;
}

/* Takes [base, base+size), widened to whole pages, out of the ranges. */
static void subtract(struct ranges *r, uint64_t base, uint64_t size)
{
	uint64_t from = ALIGN_DOWN(base, PAGE_SIZE), end = base + size < base ? -PAGE_SIZE : base + size;
	uint64_t to = ALIGN_UP(end, PAGE_SIZE);

	for (unsigned i = 0; size > 0 && i < r->count; i++) {
		uint64_t b = r->at[i].base, e = b + r->at[i].size;

		if (to <= b || from >= e)
			continue;
		r->at[i].size = from > b ? from - b : 0;
		if (from <= b)
			r->at[i].base = b;
		if (to < e) {
			if (r->at[i].size == 0)
				r->at[i] = (struct dt_range){to, e - to};
			else
				add(r, to, e - to);
		}
	}
	for (unsigned i = 0; i < r->count;)
		if (r->at[i].size == 0)
			memmove(&r->at[i], &r->at[i + 1], (--r->count - i) * sizeof(r->at[0]));
		else
			i++;
}

/* Cuts `size` bytes off the first range that lies in whole pages and can give them, at or above `above`. */
static uint64_t take(uint64_t above, uint64_t size)
{
	for (unsigned i = 0; i < unused.count; i++) {
		uint64_t b = ALIGN_UP(unused.at[i].base, PAGE_SIZE), e = unused.at[i].base + unused.at[i].size;

		if (b < above)
			b = above;
		if (b < e && e - b >= size) {
			subtract(&unused, b, size);
			return b;
		}
	}
	return 0;
}

static void banks_find(const void *fdt)
{
	uint64_t limit = 1UL << stage2_address_bits();
	struct dt_walk w;

	/* /memory nodes are children of the root */
	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w)) {
		int node = dt_walk_node(&w)->offset;
		const char *type = w.depth == 1 ? dt_string(fdt, node, "device_type") : NULL;
		struct dt_range at;

		if (type == NULL || strcmp(type, "memory") != 0 || !dt_enabled(fdt, node))
			continue;
		for (unsigned i = 0; dt_walk_reg(&w, i, &at); i++) {
			uint64_t from = ALIGN_UP(at.base, PAGE_SIZE), to = ALIGN_DOWN(at.base + at.size, PAGE_SIZE);

			if (ram.count == BANKS_MAX || at.base >= limit || at.size > limit - at.base) {
				log_warning("%lu MiB of memory at %lx are left alone: %s", at.size >> 20, at.base,
					    ram.count == BANKS_MAX ? "too many banks" : "no guest could address them");
				continue;
			}
			for (unsigned k = 0; k < ram.count; k++)
				if (from < ram.at[k].base + ram.at[k].size && ram.at[k].base < to)
					panic("the device tree names memory at %lx twice", from);
			if (to > from)
				add(&ram, from, to - from);
		}
	}
	if (ram.count == 0)
		panic("the device tree names no memory");
}

static void overlap_check(const char *a_name, struct dt_range a, const char *b_name, struct dt_range b)
{
	if (a.size != 0 && b.size != 0 && a.base < b.base + b.size && b.base < a.base + a.size)
		panic("the %s (%lx, %lu bytes) and the %s (%lx, %lu bytes) overlap", a_name, a.base, a.size, b_name, b.base,
		      b.size);
}

static void modules_check(const struct boot_modules *m)
{
	struct dt_range image = {mmu_image_pa(image_begin).raw, (uint64_t)(image_end - image_begin)};

	overlap_check("kernel", m->kernel.at, "ramdisk", m->ramdisk.at);
	overlap_check("kernel", m->kernel.at, "device tree", m->tree);
	overlap_check("ramdisk", m->ramdisk.at, "device tree", m->tree);
	overlap_check("kernel", m->kernel.at, "hypervisor", image);
	overlap_check("ramdisk", m->ramdisk.at, "hypervisor", image);
	overlap_check("device tree", m->tree, "hypervisor", image);
}

/* A boot loader may put its own modules into the reservation block, so those entries may overlap with them; the nodes of
 * /reserved-memory belong to firmware and devices. */
static void reserved_subtract(const void *fdt, const struct boot_modules *m)
{
	int parent = dt_child(fdt, 0, "reserved-memory");
	struct dt_range at;
	struct dt_walk w;

	for (unsigned i = 0; dt_reservation(fdt, i, &at); i++)
		subtract(&unused, at.base, at.size);
	if (!dt_walk_to(&w, fdt, parent))
		return;
	while (dt_walk_next(&w) && w.depth > 1)
		for (unsigned i = 0; dt_walk_reg(&w, i, &at); i++) {
			overlap_check("kernel", m->kernel.at, "reserved memory", at);
			overlap_check("ramdisk", m->ramdisk.at, "reserved memory", at);
			subtract(&unused, at.base, at.size);
		}
}

static bool is_ram(struct dt_range r)
{
	for (unsigned i = 0; i < ram.count; i++)
		if (r.base >= ram.at[i].base && r.base + r.size <= ram.at[i].base + ram.at[i].size)
			return true;
	return false;
}

void ram_init(const void *fdt, const struct boot_modules *m)
{
	uint64_t image = mmu_image_pa(image_begin).raw, image_size = (uint64_t)(image_end - image_begin), at;
	struct ranges with_modules;

	banks_find(fdt);
	modules_check(m);
	if (!is_ram(m->kernel.at) || (m->ramdisk.at.size != 0 && !is_ram(m->ramdisk.at)))
		panic("a module of the boot loader does not lie in memory");
	unused = ram;
	reserved_subtract(fdt, m);
	subtract(&unused, image, image_size);
	for (unsigned i = 0; i < ram.count; i++)
		mmu_map_direct(PA(ram.at[i].base), ram.at[i].size);
	/* our own memory may not fall on a module, Dom0's may: it comes off both views */
	with_modules = unused;
	subtract(&unused, m->kernel.at.base, m->kernel.at.size);
	subtract(&unused, m->ramdisk.at.base, m->ramdisk.at.size);
	subtract(&unused, m->tree.base, m->tree.size);
	for (unsigned i = 0; i < ram.count; i++) {
		uint64_t size = page_words_size(ram.at[i].size);

		at = take(image + image_size, size);
		if (at == 0)
			at = take(0, size);
		if (at == 0)
			panic("no room for the page words of the memory at %lx", ram.at[i].base);
		subtract(&with_modules, at, size);
		page_add_bank(PA(ram.at[i].base), ram.at[i].size, pa_to_va(PA(at)));
		kept[kept_count++] = (struct dt_range){at, size};
	}
	kept[kept_count++] = (struct dt_range){image, ALIGN_UP(image_size, PAGE_SIZE)};
	at = take(image + image_size, HEAP_FIRST);
	if (at == 0)
		panic("no room for the hypervisor's heap");
	subtract(&with_modules, at, HEAP_FIRST);
	for (unsigned i = 0; i < kept_count; i++)
		page_set_range(PA(kept[i].base), kept[i].size, PAGE_HYP, 0);
	page_add_free(PA(at), HEAP_FIRST);
	unused = with_modules;
}

void ram_take_dom0(const struct boot_modules *m, uint64_t size, struct banks *out)
{
	struct ranges left = {0};
	uint64_t wanted = ALIGN_UP(size, MIB(2)), have = 0;

	(void)m;
	out->count = 0;
	for (unsigned i = 0; i < unused.count; i++)
		have += unused.at[i].size;
	if (wanted > have)
		panic("dom0_mem=%luM, but this machine has only %luM to give", wanted >> 20, have >> 20);
	if (wanted < MIB(64))
		panic("dom0_mem=%luM is too little: Debian's kernel alone needs 64M", wanted >> 20);
	for (unsigned i = 0; i < unused.count; i++) {
		uint64_t b = ALIGN_UP(unused.at[i].base, MIB(2)), e = ALIGN_DOWN(unused.at[i].base + unused.at[i].size, MIB(2));
		uint64_t n = e > b ? e - b : 0;

		/* bits of less than 16 MiB are left to the hypervisor: Dom0 wants few and large banks */
		if (n < MIB(16) || wanted == 0 || out->count == BANKS_MAX) {
			add(&left, unused.at[i].base, unused.at[i].size);
			continue;
		}
		n = n < wanted ? n : wanted;
		wanted -= n;
		out->bank[out->count++] = (struct dt_range){b, n};
		add(&left, unused.at[i].base, b - unused.at[i].base);
		add(&left, b + n, unused.at[i].base + unused.at[i].size - (b + n));
	}
	if (wanted != 0)
		panic("dom0_mem: %luM more than the large pieces of this machine's memory hold", wanted >> 20);
	unused = left;
	for (unsigned i = 0; i < out->count; i++)
		page_set_range(PA(out->bank[i].base), out->bank[i].size, PAGE_RAM, 0);
}

unsigned ram_extended_regions(struct dt_range *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < unused.count && n < max; i++) {
		uint64_t b = ALIGN_UP(unused.at[i].base, MIB(2)), e = ALIGN_DOWN(unused.at[i].base + unused.at[i].size, MIB(2));

		if (e > b && e - b >= EXTENDED_MIN)
			out[n++] = (struct dt_range){b, e - b};
	}
	return n;
}

static uint64_t kept_bytes(void)
{
	uint64_t n = HEAP_FIRST;

	for (unsigned i = 0; i < kept_count; i++)
		n += kept[i].size;
	return n;
}

struct dt_range ram_grant_window(void)
{
	_Static_assert(HEAP_FIRST >= KIB(256), "64 grant frames");
	return (struct dt_range){mmu_image_pa(image_begin).raw, KIB(256)};
}

void ram_free_rest(const struct boot_modules *m)
{
	/* a module outside Dom0's memory has been copied by now, and nobody reads the host's tree any more */
	(void)m;
	for (unsigned i = 0; i < unused.count; i++)
		page_add_free(PA(unused.at[i].base), unused.at[i].size);
	log_info("memory: %lu MiB, %lu KiB of them kept by the hypervisor", page_total() >> 8, kept_bytes() >> 10);
}
