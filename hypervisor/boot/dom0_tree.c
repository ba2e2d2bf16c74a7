/* A walk over the host's tree that leaves out what Dom0 may not see and adds what it has instead. */
#include "boot/dom0_tree.h"
#include "lib/print.h"
#include "lib/string.h"
#include <libfdt.h>

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

static bool is_cpu(const struct dt_walk *w)
{
	struct dt_value type = dt_property(w->fdt, dt_walk_node(w)->offset, "device_type");

	return w->depth == 2 && type.size == sizeof("cpu") && memcmp(type.data, "cpu", sizeof("cpu")) == 0;
}

static void write_cpus(struct writer *w, const struct dom0_tree_input *in)
{
	struct dt_value compatible = {"arm,armv8", (int)sizeof("arm,armv8")};
	struct dt_walk host;
	bool more;

	begin(w, "cpus");
	cell(w, "#address-cells", 1);
	cell(w, "#size-cells", 0);
	more = dt_walk_to(&host, in->fdt, dt_child(in->fdt, 0, "cpus")) && dt_walk_next(&host);
	for (unsigned i = 0; i < in->vcpus; i++) {
		uint32_t affinity = (i & 15) | (i >> 4) << 8;
		char name[16];

		/* vCPU n runs on CPU n: it is of that kind */
		while (more && !is_cpu(&host))
			more = dt_walk_next(&host) && host.depth > 1;
		if (more && dt_walk_node(&host)->compatible.size > 0)
			compatible = dt_walk_node(&host)->compatible;
		print_format(name, sizeof(name), "cpu@%x", affinity);
		begin(w, name);
		text(w, "device_type", "cpu");
		bytes(w, "compatible", compatible.data, compatible.size);
		cell(w, "reg", affinity);
		text(w, "enable-method", "psci");
		end(w);
		more = more && dt_walk_next(&host) && host.depth > 1;
	}
	end(w);
}

static void write_gic(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	struct dt_range regs[2] = {facts->distributor, {facts->redistributors.base, in->vcpus * 0x20000UL}};
	uint32_t phandle = facts->gic.phandle;
	char name[40];

	print_format(name, sizeof(name), "interrupt-controller@%lx", facts->distributor.base);
	begin(w, name);
	text(w, "compatible", "arm,gic-v3");
	cell(w, "#interrupt-cells", w->interrupt_cells);
	/* the host's interrupt-maps are laid out by this number */
	cell(w, "#address-cells", (uint32_t)dt_number(in->fdt, facts->gic.node, "#address-cells", 0));
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
	cell(w, "interrupt-parent", facts->gic.phandle);
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
	ranges(w, "reg", in->windows, in->window_count);
	ppis(w, &facts->event_intid, 1);
	cell(w, "interrupt-parent", facts->gic.phandle);
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
	int at = dt_properties(fdt, node);
	struct dt_value v;
	const char *name;

	while (dt_property_next(fdt, &at, &name, &v))
		if (!property_hidden(name, chosen) && !(disable && strcmp(name, "status") == 0))
			bytes(w, name, v.data, v.size);
	if (disable)
		text(w, "status", "disabled");
}

/* The host's nodes, but for the end of the root. True when /chosen was among them. */
static bool copy_nodes(struct writer *w, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts)
{
	unsigned open = 0; /* nodes begun and not ended */
	bool chosen_done = false;
	struct dt_walk host;
	const char *why;

	dt_walk_begin(&host, in->fdt);
	for (bool more = dt_walk_next(&host); more && w->error == 0;) {
		enum dom0_node what = host.depth > 0 ? dom0_tree_node(facts, &host, &why) : DOM0_NODE_WHOLE;
		const struct dt_node *n = dt_walk_node(&host);
		bool chosen = host.depth == 1 && strcmp(n->name, "chosen") == 0;

		if (what == DOM0_NODE_HIDDEN) {
			more = dt_walk_over(&host);
			continue;
		}
		for (; open > host.depth; open--)
			end(w);
		begin(w, n->name);
		open++;
		copy_properties(w, in->fdt, n->offset, chosen, what == DOM0_NODE_DISABLED);
		if (chosen) {
			write_chosen(w, in);
			chosen_done = true;
		}
		more = dt_walk_next(&host);
	}
	for (; open > 1; open--)
		end(w);
	return chosen_done;
}

int dom0_tree_build(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, void *out, int size)
{
	struct writer w = {.fdt = out, .interrupt_cells = facts->gic.cells};
	struct dt_range reserved;
	bool chosen_done;

	if (!dt_cells(in->fdt, 0, &w.address_cells, &w.size_cells) || in->bank_count == 0)
		return -FDT_ERR_BADVALUE;
	/* every property brings its own name: looking for an equal one is most of the work of writing a tree */
	note(&w, fdt_create_with_flags(out, size, FDT_CREATE_FLAG_NO_NAME_DEDUP));
	for (unsigned i = 0; dt_reservation(in->fdt, i, &reserved); i++)
		note(&w, fdt_add_reservemap_entry(out, reserved.base, reserved.size));
	note(&w, fdt_finish_reservemap(out));
	chosen_done = copy_nodes(&w, in, facts);
	write_own_nodes(&w, in, facts, chosen_done);
	end(&w);
	note(&w, fdt_finish(out));
	return w.error;
}
