/* A walk over the host's tree that leaves out what Dom0 may not see (xen-abi.md 1.4) and adds what it has instead. */
#include "boot/dom0_tree.h"
#include "lib/print.h"
#include "lib/string.h"
#include <libfdt.h>

#define DEPTH_MAX 32

static bool compatible_any(const void *fdt, int node, const char *const *list, size_t n)
{
	int length;
	const char *have = fdt_getprop(fdt, node, "compatible", &length);

	/* one look at the property, then over its strings: this runs for every node */
	while (have != NULL && length > 0) {
		int size = (int)strnlen(have, (size_t)length) + 1;

		for (size_t i = 0; i < n; i++)
			if (have[0] == list[i][0] && strncmp(have, list[i], (size_t)size) == 0)
				return true;
		have += size;
		length -= size;
	}
	return false;
}

static bool interrupt_any(const void *fdt, int node, int gic, unsigned *intid, bool (*test)(unsigned))
{
	unsigned flags;

	for (unsigned i = 0; dt_interrupt(fdt, node, i, gic, intid, &flags); i++)
		if (test(*intid))
			return true;
	return false;
}

static bool is_private(unsigned intid)
{
	return intid < 32;
}

/* Nodes that are left out with all that is below them. */
static bool hidden(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, int node, int depth)
{
	static const char *const kinds[] = {
		"arm,psci", "arm,psci-0.2", "arm,psci-1.0", "xen,xen", "multiboot,module", "xen,multiboot-module",
		"xen,linux-zimage", "xen,linux-initrd", "arm,armv8-timer", "arm,armv7-timer", "arm,armv7-timer-mem",
		"arm,armv8-pmuv3", "arm,cortex-a53-pmu", "arm,cortex-a72-pmu", "arm,cortex-a7-pmu", "arm,cortex-a15-pmu",
		"arm,cortex-a53-edac", "arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,gic-v3-its",
		"arm,smmu-v1", "arm,smmu-v2", "arm,smmu-v3", "arm,mmu-400", "arm,mmu-401", "arm,mmu-500", "xen,domain",
	};
	const char *name = fdt_get_name(in->fdt, node, NULL), *type;
	unsigned intid;

	if (node == in->console_node || node == facts->gic_node)
		return true;
	if (depth == 1) {
		if (strcmp(name, "cpus") == 0 || strcmp(name, "psci") == 0 || strcmp(name, "hypervisor") == 0)
			return true;
		type = dt_string(in->fdt, node, "device_type");
		if (type != NULL && strcmp(type, "memory") == 0)
			return true;
	}
	return compatible_any(in->fdt, node, kinds, ARRAY_SIZE(kinds)) ||
	       interrupt_any(in->fdt, node, facts->gic_node, &intid, is_private);
}

bool dom0_tree_passes(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, int node, int depth)
{
	return !hidden(in, facts, node, depth) &&
	       fdt_getprop(in->fdt, node, "xen,passthrough", NULL) == NULL;
}

static bool property_hidden(const char *name, bool chosen)
{
	static const char *const everywhere[] = {"iommus", "iommu-map", "iommu-map-mask", "xen,passthrough"};
	static const char *const in_chosen[] = {"bootargs", "stdout-path", "linux,stdout-path", "linux,initrd-start",
						"linux,initrd-end"};

	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
		if (strcmp(name, everywhere[i]) == 0)
			return true;
	for (size_t i = 0; chosen && i < ARRAY_SIZE(in_chosen); i++)
		if (strcmp(name, in_chosen[i]) == 0)
			return true;
	return chosen && (strncmp(name, "xen,", 4) == 0 || strncmp(name, "linux,uefi-", 11) == 0);
}

static bool gic_find(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	struct dt_range more;
	uint64_t regions;

	facts->gic_node = dt_compatible(fdt, -1, "arm,gic-v3");
	if (facts->gic_node < 0) {
		*why = dt_compatible(fdt, -1, "arm,gic-400") >= 0 || dt_compatible(fdt, -1, "arm,cortex-a15-gic") >= 0
			       ? "this board has a GICv2; Domus needs a GICv3"
			       : "this board has no Arm GICv3 interrupt controller";
		return false;
	}
	regions = dt_number(fdt, facts->gic_node, "#redistributor-regions", 1);
	if (!dt_reg(fdt, facts->gic_node, 0, &facts->distributor) || !dt_reg(fdt, facts->gic_node, 1, &facts->redistributors) ||
	    regions == 0 || regions > 64) {
		*why = "the GIC's reg property cannot be read";
		return false;
	}
	for (unsigned i = 1; i < regions; i++)
		if (!dt_reg(fdt, facts->gic_node, 1 + i, &more)) {
			*why = "the GIC has fewer redistributor regions than it says";
			return false;
		}
	return true;
}

static bool timer_find(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	int node = dt_compatible(fdt, -1, "arm,armv8-timer");
	uint32_t used = 0;
	unsigned flags, intid;

	if (node < 0) {
		*why = "this board has no Armv8 timer (arm,armv8-timer)";
		return false;
	}
	for (unsigned i = 0; i < 3; i++)
		if (!dt_interrupt(fdt, node, i, facts->gic_node, &facts->timer[i], &flags) || facts->timer[i] >= 32) {
			*why = "the timer's interrupts are not PPIs of the GIC";
			return false;
		}
	for (unsigned i = 0; dt_interrupt(fdt, node, i, facts->gic_node, &intid, &flags); i++)
		used |= intid < 32 ? 1u << intid : 0;
	for (facts->event_intid = 16; facts->event_intid < 31 && (used & 1u << facts->event_intid); facts->event_intid++)
		;
	return true;
}

bool dom0_tree_facts(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	unsigned ac, sc;

	if (fdt_path_offset(fdt, "/cpus") < 0) {
		*why = "the tree has no /cpus node";
		return false;
	}
	if (!dt_cells(fdt, 0, &ac, &sc) || sc == 0) {
		*why = "the root's #address-cells or #size-cells is not 1 or 2";
		return false;
	}
	return gic_find(fdt, facts, why) && timer_find(fdt, facts, why);
}

/* ---- writing. `error` keeps the first error, so that the sequence reads without a test after each line. ---------------- */
struct writer {
	void *fdt;
	int error;
	unsigned address_cells, size_cells; /* of the root */
	unsigned interrupt_cells;	    /* of the GIC: 3, or 4 on boards that partition PPIs */
};

static void note(struct writer *w, int error)
{
	if (w->error == 0)
		w->error = error;
}
static void begin(struct writer *w, const char *name)
{
	note(w, fdt_begin_node(w->fdt, name));
}
static void end(struct writer *w)
{
	note(w, fdt_end_node(w->fdt));
}
static void bytes(struct writer *w, const char *name, const void *data, int size)
{
	note(w, fdt_property(w->fdt, name, data, size));
}
static void text(struct writer *w, const char *name, const char *value)
{
	bytes(w, name, value, (int)strlen(value) + 1);
}
static void cell(struct writer *w, const char *name, uint32_t value)
{
	note(w, fdt_property_u32(w->fdt, name, value));
}

static unsigned put_cells(uint8_t *to, uint64_t value, unsigned cells)
{
	for (unsigned i = 0; i < cells * 4; i++)
		to[i] = (uint8_t)(value >> 8 * (cells * 4 - 1 - i));
	return cells * 4;
}

static void ranges(struct writer *w, const char *name, const struct dt_range *r, unsigned count)
{
	uint8_t data[DOM0_BANKS_MAX * 16];
	unsigned n = 0;

	for (unsigned i = 0; i < count && i < DOM0_BANKS_MAX; i++) {
		n += put_cells(data + n, r[i].base, w->address_cells);
		n += put_cells(data + n, r[i].size, w->size_cells);
	}
	bytes(w, name, data, (int)n);
}

static void ppis(struct writer *w, const unsigned *intid, unsigned count)
{
	uint8_t data[4 * 16];
	unsigned n = 0;

	for (unsigned i = 0; i < count && i < 4; i++) {
		n += put_cells(data + n, 1, 1);
		n += put_cells(data + n, intid[i] - 16, 1);
		n += put_cells(data + n, 0xf08, 1); /* level low, all CPUs */
		if (w->interrupt_cells == 4)
			n += put_cells(data + n, 0, 1); /* no partition */
	}
	bytes(w, "interrupts", data, (int)n);
}

static void write_cpus(struct writer *w, const struct dom0_tree_input *in)
{
	int parent = fdt_path_offset(in->fdt, "/cpus"), node, length;
	const char *compatible = "arm,armv8";
	int compatible_size = (int)sizeof("arm,armv8");

	begin(w, "cpus");
	cell(w, "#address-cells", 1);
	cell(w, "#size-cells", 0);
	node = fdt_first_subnode(in->fdt, parent);
	for (unsigned i = 0; i < in->vcpus; i++) {
		uint32_t affinity = (i & 15) | (i >> 4) << 8;
		char name[16];

		/* vCPU n runs on CPU n: it is of that kind */
		while (node >= 0) {
			const char *type = dt_string(in->fdt, node, "device_type");

			if (type != NULL && strcmp(type, "cpu") == 0)
				break;
			node = fdt_next_subnode(in->fdt, node);
		}
		if (node >= 0 && dt_string(in->fdt, node, "compatible") != NULL) {
			compatible = fdt_getprop(in->fdt, node, "compatible", &length);
			compatible_size = length;
		}
		print_format(name, sizeof(name), "cpu@%x", affinity);
		begin(w, name);
		text(w, "device_type", "cpu");
		bytes(w, "compatible", compatible, compatible_size);
		cell(w, "reg", affinity);
		text(w, "enable-method", "psci");
		end(w);
		if (node >= 0)
			node = fdt_next_subnode(in->fdt, node);
	}
	end(w);
}

static void write_gic(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	struct dt_range regs[2] = {facts->distributor, {facts->redistributors.base, in->vcpus * 0x20000UL}};
	uint32_t phandle = fdt_get_phandle(in->fdt, facts->gic_node);
	char name[40];

	print_format(name, sizeof(name), "interrupt-controller@%lx", facts->distributor.base);
	begin(w, name);
	text(w, "compatible", "arm,gic-v3");
	cell(w, "#interrupt-cells", w->interrupt_cells);
	/* the host's interrupt-maps are laid out by this number */
	cell(w, "#address-cells", (uint32_t)dt_number(in->fdt, facts->gic_node, "#address-cells", 0));
	bytes(w, "interrupt-controller", "", 0);
	cell(w, "#redistributor-regions", 1);
	ranges(w, "reg", regs, 2);
	if (phandle != 0)
		cell(w, "phandle", phandle);
	end(w);
}

static void write_timer(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	int host = dt_compatible(in->fdt, -1, "arm,armv8-timer");
	uint64_t hz = dt_number(in->fdt, host, "clock-frequency", 0);

	begin(w, "timer");
	text(w, "compatible", "arm,armv8-timer");
	ppis(w, facts->timer, 3);
	cell(w, "interrupt-parent", fdt_get_phandle(in->fdt, facts->gic_node));
	bytes(w, "always-on", "", 0);
	if (hz != 0)
		cell(w, "clock-frequency", (uint32_t)hz);
	end(w);
}

static void write_hypervisor(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	char compatible[32];
	int n = print_format(compatible, sizeof(compatible), "xen,xen-4.%u", in->xen_minor) + 1;

	memcpy(compatible + n, "xen,xen", 8);
	begin(w, "hypervisor");
	bytes(w, "compatible", compatible, n + 8);
	ranges(w, "reg", &in->grant_window, 1);
	ppis(w, &facts->event_intid, 1);
	cell(w, "interrupt-parent", fdt_get_phandle(in->fdt, facts->gic_node));
	end(w);
}

static void write_memory(struct writer *w, const struct dom0_tree_input *in)
{
	char name[32];

	print_format(name, sizeof(name), "memory@%lx", in->banks[0].base);
	begin(w, name);
	text(w, "device_type", "memory");
	ranges(w, "reg", in->banks, in->bank_count);
	end(w);
}

static void write_chosen(struct writer *w, const struct dom0_tree_input *in)
{
	text(w, "bootargs", in->command_line);
	if (in->ramdisk.size != 0) {
		note(w, fdt_property_u64(w->fdt, "linux,initrd-start", in->ramdisk.base));
		note(w, fdt_property_u64(w->fdt, "linux,initrd-end", in->ramdisk.base + in->ramdisk.size));
	}
}

static void write_own_nodes(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts,
			    bool chosen_done)
{
	if (!chosen_done) {
		begin(w, "chosen");
		write_chosen(w, in);
		end(w);
	}
	write_memory(w, in);
	write_cpus(w, in);
	begin(w, "psci");
	bytes(w, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", sizeof("arm,psci-1.0\0arm,psci-0.2\0arm,psci"));
	text(w, "method", "hvc");
	cell(w, "cpu_off", 1);
	cell(w, "cpu_on", 2);
	end(w);
	write_gic(w, in, facts);
	write_timer(w, in, facts);
	write_hypervisor(w, in, facts);
}

static void copy_properties(struct writer *w, const void *fdt, int node, bool chosen, bool disable)
{
	int property;

	fdt_for_each_property_offset(property, fdt, node) {
		const char *name;
		int length;
		const void *data = fdt_getprop_by_offset(fdt, property, &name, &length);

		if (data == NULL || property_hidden(name, chosen) || (disable && strcmp(name, "status") == 0))
			continue;
		bytes(w, name, data, length);
	}
	if (disable)
		text(w, "status", "disabled");
}

int dom0_tree_build(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, void *out, int size)
{
	struct writer w = {.fdt = out};
	int depth = 0, skip_below = DEPTH_MAX, node;
	bool chosen_done = false;
	int open = 0; /* nodes begun and not ended */

	if (!dt_cells(in->fdt, 0, &w.address_cells, &w.size_cells) || in->bank_count == 0)
		return -FDT_ERR_BADVALUE;
	w.interrupt_cells = (unsigned)dt_number(in->fdt, facts->gic_node, "#interrupt-cells", 3);
	if (w.interrupt_cells < 3 || w.interrupt_cells > 4)
		return -FDT_ERR_BADVALUE;
	/* every property brings its own name: looking for an equal one is most of the work of writing a tree */
	note(&w, fdt_create_with_flags(out, size, FDT_CREATE_FLAG_NO_NAME_DEDUP));
	for (int i = 0; i < fdt_num_mem_rsv(in->fdt); i++) {
		uint64_t base, length;

		if (fdt_get_mem_rsv(in->fdt, i, &base, &length) == 0)
			note(&w, fdt_add_reservemap_entry(out, base, length));
	}
	note(&w, fdt_finish_reservemap(out));
	for (node = 0; node >= 0 && depth >= 0 && w.error == 0; node = fdt_next_node(in->fdt, node, &depth)) {
		bool chosen;

		if (depth > skip_below)
			continue;
		if (depth >= DEPTH_MAX)
			return -FDT_ERR_BADSTRUCTURE;
		for (; open > depth; open--)
			end(&w);
		skip_below = DEPTH_MAX;
		if (depth > 0 && hidden(in, facts, node, depth)) {
			skip_below = depth;
			continue;
		}
		chosen = depth == 1 && strcmp(fdt_get_name(in->fdt, node, NULL), "chosen") == 0;
		begin(&w, fdt_get_name(in->fdt, node, NULL));
		open++;
		copy_properties(&w, in->fdt, node, chosen, fdt_getprop(in->fdt, node, "xen,passthrough", NULL) != NULL);
		if (chosen) {
			write_chosen(&w, in);
			chosen_done = true;
		}
	}
	for (; open > 1; open--)
		end(&w);
	write_own_nodes(&w, in, facts, chosen_done);
	end(&w);
	note(&w, fdt_finish(out));
	return w.error;
}
