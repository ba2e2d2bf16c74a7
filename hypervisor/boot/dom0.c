/* Dom0: its memory, kernel, ramdisk and tree in place, devices mapped, interrupts routed, vCPUs made. */
#include "arch/guest_va.h"
#include "boot/boot.h"
#include "boot/dom0_tree.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/time.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "lib/errno.h"
#include "lib/gzip.h"
#include "lib/print.h"
#include "lib/string.h"
#include <libfdt.h>

#define TREE_ROOM KIB(64) /* what our nodes can add to twice the host's tree (names are not shared) */

/* The header of an arm64 Image (Linux Documentation/arch/arm64/booting.rst). */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint32_t magic, pe;
};

/* What lies where in Dom0's memory; nothing may overlap. */
struct layout {
	struct banks banks;
	struct dt_range kernel, ramdisk, tree;
	uint64_t entry;
};
static struct layout layout;

static bool overlap(struct dt_range a, struct dt_range b)
{
	return a.size != 0 && b.size != 0 && a.base < b.base + b.size && b.base < a.base + a.size;
}

static bool in_bank(const struct banks *b, struct dt_range r)
{
	for (unsigned i = 0; i < b->count; i++)
		if (r.base >= b->bank[i].base && r.base + r.size <= b->bank[i].base + b->bank[i].size)
			return true;
	return false;
}

/* The lowest place in Dom0's memory that keeps clear of the ranges; 0 when there is none. */
static uint64_t place(const struct banks *b, uint64_t size, uint64_t align, const struct dt_range *keep, unsigned n)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct dt_range r = {ALIGN_UP(b->bank[i].base, align), size};

		while (in_bank(b, r)) {
			unsigned k = 0;

			while (k < n && !overlap(r, keep[k]))
				k++;
			if (k == n)
				return r.base;
			r.base = ALIGN_UP(keep[k].base + keep[k].size, align);
		}
	}
	return 0;
}

/* The kernel's header, and how long it is, unpacked. */
static uint64_t kernel_look(const struct boot_modules *m, bool packed, struct image_header *h)
{
	const uint8_t *file = pa_to_va(PA(m->kernel.at.base));
	uint64_t length = m->kernel.at.size;
	const char *why;
	uint32_t unpacked = 0;

	memset(h, 0, sizeof(*h));
	if (packed) {
		why = gzip_size(file, length, &unpacked);
		if (why == NULL)
			why = gzip_begin(file, length, (uint8_t *)h, sizeof(*h));
		if (why != NULL)
			panic("the Dom0 kernel is a gzip file, but %s", why);
		if (unpacked > GIB(1)) /* a cut file says anything */
			panic("the Dom0 kernel is a gzip file, but says that %u MiB are in it", unpacked >> 20);
		length = unpacked;
	} else if (length >= sizeof(*h)) {
		memcpy(h, file, sizeof(*h));
	}
	if (length < sizeof(*h) || h->magic != 0x644d5241)
		panic("the Dom0 kernel at %lx is not an arm64 Image (no ARM\\x64 at offset 0x38)", m->kernel.at.base);
	return length;
}

static void load_kernel(const struct boot_modules *m)
{
	const uint8_t *file = pa_to_va(PA(m->kernel.at.base));
	struct dt_range keep[] = {m->ramdisk.at, m->tree, m->kernel.at}, here;
	bool packed = gzip_is(file, m->kernel.at.size);
	struct image_header h;
	uint64_t length = kernel_look(m, packed, &h), size, offset = h.text_offset, at;
	const char *why = NULL;
	uint8_t *to;

	size = h.image_size > length ? h.image_size : length;
	if (offset >= MIB(2) || size > GIB(1))
		panic("the Dom0 kernel's header makes no sense: text_offset %lx, image_size %lx", offset, size);
	here = (struct dt_range){m->kernel.at.base, size};
	/* where it is, if that is aligned and its bss falls on nothing that is still needed */
	if (!packed && (here.base - offset) % MIB(2) == 0 && in_bank(&layout.banks, here) && !overlap(here, m->ramdisk.at) &&
	    !overlap(here, m->tree)) {
		layout.kernel = here;
	} else {
		at = place(&layout.banks, offset + size, MIB(2), keep, ARRAY_SIZE(keep));
		if (at == 0)
			panic("no room for the Dom0 kernel (%lu MiB) in Dom0's memory: raise dom0_mem", size >> 20);
		layout.kernel = (struct dt_range){at + offset, size};
		to = pa_to_va(PA(at + offset));
		if (packed)
			why = gzip_unpack(file, m->kernel.at.size, to, length);
		else
			memcpy(to, file, length);
		if (why != NULL)
			panic("the Dom0 kernel is a gzip file, but %s", why);
		cache_instructions(to, length);
	}
	layout.entry = layout.kernel.base;
}

static void load_ramdisk(const struct boot_modules *m)
{
	struct dt_range keep[] = {layout.kernel, m->tree, m->ramdisk.at};
	uint64_t at;

	if (m->ramdisk.at.size == 0 || in_bank(&layout.banks, m->ramdisk.at)) {
		layout.ramdisk = m->ramdisk.at;
		return;
	}
	at = place(&layout.banks, m->ramdisk.at.size, PAGE_SIZE, keep, ARRAY_SIZE(keep));
	if (at == 0)
		panic("no room for the ramdisk (%lu MiB) in Dom0's memory: raise dom0_mem", m->ramdisk.at.size >> 20);
	layout.ramdisk = (struct dt_range){at, m->ramdisk.at.size};
	memcpy(pa_to_va(PA(at)), pa_to_va(PA(m->ramdisk.at.base)), m->ramdisk.at.size);
	cache_clean(pa_to_va(PA(at)), m->ramdisk.at.size);
}

static void write_tree(const struct boot_modules *m, struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	uint64_t size = ALIGN_UP(2 * m->tree.size + TREE_ROOM, PAGE_SIZE), at;
	struct dt_range keep[] = {layout.kernel, layout.ramdisk, m->tree};
	int error;

	/* not across a border of 2 MiB: the kernel maps it in one block */
	at = place(&layout.banks, size > MIB(2) ? size : MIB(2), MIB(2), keep, ARRAY_SIZE(keep));
	if (at == 0)
		panic("no room for the device tree in Dom0's memory: raise dom0_mem");
	error = dom0_tree_build(in, facts, pa_to_va(PA(at)), (int)size);
	if (error != 0)
		panic("Dom0's device tree cannot be built (libfdt %d)", error);
	layout.tree = (struct dt_range){at, fdt_totalsize(pa_to_va(PA(at)))};
	cache_clean(pa_to_va(PA(at)), layout.tree.size);
}

/* Registers 1:1, whole pages, but for the pages with registers of the hypervisor (a bus around its console has those). Its RAM is
 * refused by memory_map_device(). */
static void map_range(struct domain *d, const struct dom0_tree_facts *facts, struct dt_range r)
{
	const struct dt_range own[] = {facts->distributor, facts->redistributors, facts->console};
	uint64_t from = ALIGN_DOWN(r.base, PAGE_SIZE), end = ALIGN_UP(r.base + r.size, PAGE_SIZE);

	if (r.size == 0 || end > 1UL << stage2_address_bits())
		return;
	while (from < end) {
		uint64_t to = end, next = end;
		int error;

		for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
			uint64_t b = ALIGN_DOWN(own[i].base, PAGE_SIZE), e = ALIGN_UP(own[i].base + own[i].size, PAGE_SIZE);

			if (own[i].size != 0 && b < to && e > from) {
				to = b > from ? b : from;
				next = e;
			}
		}
		error = to > from ? memory_map_device(d, IPA(from), PA(from), to - from) : 0;
		if (error != 0)
			log_debug("device at %lx, %lx bytes: not mapped (%d)", from, to - from, error);
		from = next;
	}
}

/* The windows of a PCI host bridge: ranges with 3 address cells below. */
static void map_pci(struct domain *d, const struct dom0_tree_facts *facts, const struct dt_walk *w)
{
	const struct dt_node *n = dt_walk_node(w);
	struct dt_value type = dt_property(w->fdt, n->offset, "device_type");
	unsigned up = n[-1].address_cells;
	int length = n->ranges.size, step = (int)(3 + up + 2) * 4;

	if (type.size != sizeof("pci") || memcmp(type.data, "pci", sizeof("pci")) != 0 || n->ranges.data == NULL || up < 1 ||
	    up > 2)
		return;
	for (const char *p = n->ranges.data; length >= step; length -= step, p += step)
		map_range(d, facts, (struct dt_range){dt_read_cells(p + 12, up), dt_read_cells(p + 12 + up * 4, 2)});
}

static void map_devices(struct domain *d, const void *fdt, const struct dom0_tree_facts *facts)
{
	struct dt_range r;
	struct dt_walk w;
	const char *why;

	dt_walk_begin(&w, fdt);
	dt_walk_next(&w); /* the root is no device */
	for (bool more = dt_walk_next(&w); more;) {
		enum dom0_node what = dom0_tree_node(facts, &w, &why);

		if (what == DOM0_NODE_HIDDEN) {
			more = dt_walk_over(&w);
			continue;
		}
		if (why != NULL)
			log_warning("Dom0 does not get %s: %s", dt_walk_node(&w)->name, why);
		for (unsigned i = 0; what == DOM0_NODE_WHOLE && dt_walk_reg(&w, i, &r); i++)
			map_range(d, facts, r);
		if (what == DOM0_NODE_WHOLE)
			map_pci(d, facts, &w);
		more = dt_walk_next(&w);
	}
}

/* One after the other on the CPUs of pool 0, and round again when there are more vCPUs. */
static void make_vcpus(struct domain *d, unsigned n)
{
	struct vcpu *v;

	for (unsigned i = 0, on = 0; i < n; i++, on++) {
		while (!cpus[on % cpu_count].online || cpus[on % cpu_count].pool != d->pool)
			on++;
		if (vcpu_create(d, i, &cpus[on % cpu_count], &v) != 0)
			panic("no memory for Dom0's vCPU %u", i);
	}
}

/* As many as pool 0 has CPUs, or as the command line says, which may be more; each needs a redistributor's place. */
static unsigned count_vcpus(const struct dom0_tree_facts *facts)
{
	unsigned n = options.dom0_max_vcpus, places = (unsigned)(facts->redistributors.size / KIB(128));

	for (unsigned i = 0; options.dom0_max_vcpus == 0 && i < cpu_count; i++)
		n += cpus[i].online && cpus[i].pool == cpus[0].pool;
	if (n > MAX_VCPUS)
		n = MAX_VCPUS;
	return n < places ? n : places;
}

void dom0_build(const void *fdt, const struct boot_modules *m)
{
	struct dom0_tree_facts facts;
	struct dom0_tree_input in = {.fdt = fdt, .xen_minor = options.xen_minor};
	struct domain *d;
	unsigned n;
	const char *why;

	if (!dom0_tree_facts(fdt, &facts, &why))
		panic("%s", why);
	n = count_vcpus(&facts);
	ram_take_dom0(m, options.dom0_mem, &layout.banks);
	if (domain_create(&(struct domain_config){.vcpus_max = n, .pages_max = ALIGN_UP(options.dom0_mem, MIB(2)) >> PAGE_SHIFT},
			  &d) != 0)
		panic("no memory for Dom0's structures");
	d->privileged = true;
	d->direct_mapped = true;
	d->event_intid = facts.event_intid;
	for (unsigned i = 0; i < layout.banks.count; i++) {
		struct dt_range *b = &layout.banks.bank[i];

		if (stage2_map(&d->stage2, IPA(b->base), PA(b->base), b->size, STAGE2_RAM) != 0)
			panic("no memory for Dom0's stage 2 tables");
		d->pages += b->size >> PAGE_SHIFT;
	}
	load_kernel(m);
	load_ramdisk(m);
	in.command_line = m->kernel.command_line;
	in.ramdisk = layout.ramdisk;
	in.banks = layout.banks.bank;
	in.bank_count = layout.banks.count;
	in.vcpus = n;
	in.windows[0] = ram_grant_window();
	in.window_count = 1 + ram_extended_regions(in.windows + 1, DOM0_EXTENDED_MAX);
	map_devices(d, fdt, &facts);
	write_tree(m, &in, &facts);
	if (vgic_place(d, IPA(facts.distributor.base), IPA(facts.redistributors.base), gic.interrupts - 32) != 0)
		panic("no memory for Dom0's interrupt controller");
	vuart_early_place(d);
	make_vcpus(d, n);
	for (unsigned intid = 32; intid < gic.interrupts; intid++)
		irq_route_guest(intid, d); /* -EBUSY: the hypervisor's own */
	ram_free_rest(m);
	log_info("Dom0: %lu MiB in %u banks from %lx, %u vCPUs, kernel at %lx, ramdisk at %lx, tree at %lx", d->pages >> 8,
		 layout.banks.count, layout.banks.bank[0].base, n, layout.entry, layout.ramdisk.base, layout.tree.base);
	log_info("ready for Dom0 %lu us after the counter began", time_ns_of_ticks(cpu_counter()) / 1000);
	vcpu_start(d->vcpu[0], layout.entry, layout.tree.base);
}
