#include "dom0_rules.h"
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char command_line[] = "console=hvc0 root=/dev/mmcblk0p2";

static void broken(struct rules_result *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void broken(struct rules_result *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (r->count < RULES_MAX)
		vsnprintf(r->broken[r->count], sizeof(r->broken[0]), format, args);
	va_end(args);
	r->count++;
}
#define RULE(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x))                                                                                              \
			broken(r, "%s", #x);                                                                           \
	} while (0)

unsigned rules_cpus(const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/cpus"), node;
	unsigned n = 0;

	if (parent >= 0)
		fdt_for_each_subnode(node, fdt, parent) {
			const char *type = fdt_getprop(fdt, node, "device_type", NULL);

			n += type != NULL && strcmp(type, "cpu") == 0;
		}
	return n;
}

static bool same_path(const struct dt_walk *a, const struct dt_walk *b)
{
	if (a->depth != b->depth)
		return false;
	for (unsigned i = a->depth; i > 0; i--)
		if (strcmp(a->at[i].name, b->at[i].name) != 0)
			return false;
	return true;
}

static bool same_value(const void *a, int node_a, const void *b, int node_b, const char *name)
{
	int size_a, size_b;
	const void *pa = fdt_getprop(a, node_a, name, &size_a), *pb = fdt_getprop(b, node_b, name, &size_b);

	return pa == NULL || pb == NULL ? pa == pb : size_a == size_b && memcmp(pa, pb, (size_t)size_a) == 0;
}

/* Our own nodes follow the host's, and begin with the memory (whose nodes the host's walk leaves out). */
static bool is_own(const struct dt_walk *w)
{
	const char *type = fdt_getprop(w->fdt, dt_walk_node(w)->offset, "device_type", NULL);

	return w->depth == 1 && type != NULL && strcmp(type, "memory") == 0;
}

static bool overlap(struct dt_range a, uint64_t base, uint64_t end)
{
	return a.size != 0 && a.base < end && a.base + a.size > base;
}

/* The console of the host: what a node of Dom0's may have to do with it. */
struct console {
	struct dt_range at;
	struct dt_walk path;
	unsigned intid; /* 0: unknown */
};

static struct console console_of(const void *fdt, const struct dt_gic *gic)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), node = -1;
	const char *path = chosen >= 0 ? fdt_getprop(fdt, chosen, "stdout-path", NULL) : NULL;
	struct console c = {.intid = 0};
	unsigned flags;

	if (path != NULL)
		node = fdt_path_offset_namelen(fdt, path, (int)strcspn(path, ":"));
	if (node >= 0 && dt_walk_to(&c.path, fdt, node)) {
		dt_walk_reg(&c.path, 0, &c.at);
		if (!dt_walk_interrupt(&c.path, gic, 0, &c.intid, &flags))
			c.intid = 0;
	}
	return c;
}

/* Is the node a bus around the console? Then it may have the console's registers in its range. */
static bool around(const struct dt_walk *w, const struct console *c)
{
	for (unsigned i = 1; i <= w->depth; i++)
		if (i >= c->path.depth || strcmp(w->at[i].name, c->path.at[i].name) != 0)
			return false;
	return true;
}

static void check_device(struct rules_result *r, struct dt_walk *w, const struct dt_gic *gic, const struct console *c)
{
	int node = dt_walk_node(w)->offset;
	const char *name = dt_walk_node(w)->name, *status = fdt_getprop(w->fdt, node, "status", NULL);
	struct dt_value kinds = dt_walk_node(w)->compatible;
	bool disabled = status != NULL && strcmp(status, "disabled") == 0;
	unsigned intid, flags, n = dt_walk_interrupts(w, gic);
	struct dt_range at;

	for (const char *k = kinds.data; k != NULL && k < kinds.data + kinds.size; k += strlen(k) + 1)
		if (strncmp(k, "arm,smmu", 8) == 0 || strncmp(k, "arm,mmu-", 8) == 0)
			broken(r, "%s is an SMMU", name);
	if (fdt_getprop(w->fdt, node, "iommus", NULL) != NULL || fdt_getprop(w->fdt, node, "iommu-map", NULL) != NULL)
		broken(r, "%s is behind an SMMU", name);
	for (unsigned i = 0; i < n; i++) {
		if (!dt_walk_interrupt(w, gic, i, &intid, &flags))
			continue;
		if (intid < 32)
			broken(r, "%s has the private interrupt %u", name, intid);
		if (c->intid != 0 && intid == c->intid && !disabled)
			broken(r, "%s has the console's interrupt %u", name, intid);
	}
	for (unsigned i = 0; c->at.size != 0 && dt_walk_reg(w, i, &at); i++) {
		if (overlap(at, c->at.base, c->at.base + c->at.size) && !around(w, c))
			broken(r, "%s has the console's registers", name);
		if (overlap(at, c->at.base & ~4095ul, (c->at.base + c->at.size + 4095) & ~4095ul) && !around(w, c) && !disabled)
			broken(r, "%s has registers in the console's page", name);
	}
}

/* The nodes that come from the host: in its order, with its registers and interrupts. */
static void check_copied(struct rules_result *r, const void *fdt, const void *out, const struct dt_gic *gic)
{
	static const char *const same[] = {"reg", "ranges", "interrupts", "interrupts-extended", "interrupt-parent",
					   "interrupt-map", "interrupt-map-mask", "phandle", "compatible", "dma-ranges"};
	struct console c = console_of(fdt, gic);
	static struct dt_walk host, w;
	bool more;

	dt_walk_begin(&host, fdt);
	dt_walk_begin(&w, out);
	more = dt_walk_next(&host);
	while (dt_walk_next(&w) && !is_own(&w)) {
		for (; more && !same_path(&host, &w); more = dt_walk_next(&host))
			r->hidden++;
		if (!more && strcmp(dt_walk_node(&w)->name, "chosen") == 0)
			return; /* made by us: the host has none */
		if (!more) {
			broken(r, "%s is not the host's, or not in its order", dt_walk_node(&w)->name);
			return;
		}
		for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
			if (!same_value(fdt, dt_walk_node(&host)->offset, out, dt_walk_node(&w)->offset, same[i]))
				broken(r, "%s has another %s than the host says", dt_walk_node(&w)->name, same[i]);
		if (!same_value(fdt, dt_walk_node(&host)->offset, out, dt_walk_node(&w)->offset, "status"))
			r->disabled++;
		check_device(r, &w, gic, &c);
		more = dt_walk_next(&host);
	}
	for (; more; more = dt_walk_next(&host))
		r->hidden++;
}

/* The nodes that are the hypervisor's. */
static void check_own(struct rules_result *r, const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, const void *out)
{
	int gic = dt_compatible(out, -1, "arm,gic-v3"), hypervisor = fdt_path_offset(out, "/hypervisor");
	int timer = dt_compatible(out, -1, "arm,armv8-timer"), chosen = fdt_path_offset(out, "/chosen");
	const char *args = fdt_getprop(out, chosen, "bootargs", NULL);
	unsigned intid = 0, flags;
	struct dt_range at;

	RULE(gic >= 0 && dt_reg(out, gic, 0, &at) && at.base == facts->distributor.base);
	RULE(dt_reg(out, gic, 1, &at) && at.base == facts->redistributors.base && at.size == in->vcpus * 0x20000UL);
	RULE(fdt_get_phandle(out, gic) == facts->gic.phandle && facts->gic.phandle != 0);
	RULE(dt_compatible(out, gic, "arm,gic-v3") < 0);
	RULE(fdt_path_offset(out, "/psci") >= 0);
	RULE(dt_interrupt(out, hypervisor, 0, gic, &intid, &flags) && intid == facts->event_intid);
	for (unsigned i = 0; i < 3; i++)
		RULE(dt_interrupt(out, timer, i, gic, &intid, &flags) && intid == facts->timer[i] && intid != facts->event_intid);
	RULE(rules_cpus(out) == in->vcpus);
	RULE(args != NULL && strcmp(args, command_line) == 0);
	RULE(fdt_getprop(out, chosen, "stdout-path", NULL) == NULL);
}

struct rules_result rules_build(const void *fdt, const struct dom0_tree_facts *facts, void *out, int size)
{
	static const struct dt_range bank = {0x80000000, 0x40000000};
	struct dom0_tree_input in = {.fdt = fdt, .command_line = command_line, .ramdisk = {0x88000000, 0x100000}, .banks = &bank,
				     .bank_count = 1, .windows = {{0x80200000, 0x40000}, {0xc0000000, 0x10000000}},
				     .window_count = 2, .xen_minor = 20,
				     .vcpus = rules_cpus(fdt)};
	struct rules_result result = {.count = 0}, *r = &result;
	int error = dom0_tree_build(&in, facts, out, size);
	struct dt_gic gic;

	if (error != 0) {
		broken(r, "not built: %s", fdt_strerror(error));
		return result;
	}
	RULE(fdt_check_full(out, (size_t)size) == 0);
	RULE(dt_check(out, (size_t)size) == NULL);
	if (r->count != 0)
		return result;
	gic = dt_gic(out, dt_compatible(out, -1, "arm,gic-v3"));
	check_own(r, &in, facts, out);
	check_copied(r, fdt, out, &gic);
	return result;
}
