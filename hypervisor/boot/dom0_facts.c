/* What of the host's devices Dom0 gets (xen-abi: the nodes that Xen hides), and what the machine is. */
#include "boot/dom0_tree.h"
#include "lib/string.h"
#include <libfdt.h>

/* Nodes that Dom0 gets in another form, or not at all. */
static const char *const hidden_kinds[] = {
	"arm,psci", "arm,psci-0.2", "arm,psci-1.0", "xen,xen", "multiboot,module", "xen,multiboot-module",
	"xen,linux-zimage", "xen,linux-initrd", "arm,armv8-timer", "arm,armv7-timer", "arm,armv7-timer-mem",
	"arm,armv8-pmuv3", "arm,cortex-a53-pmu", "arm,cortex-a72-pmu", "arm,cortex-a7-pmu", "arm,cortex-a15-pmu",
	"arm,cortex-a53-edac", "arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,gic-v3-its",
	"arm,smmu-v1", "arm,smmu-v2", "arm,smmu-v3", "arm,mmu-400", "arm,mmu-401", "arm,mmu-500", "xen,domain",
};

static bool kind_is_hidden(struct dt_value compatible)
{
	while (compatible.size > 0) {
		size_t size = strnlen(compatible.data, (size_t)compatible.size) + 1;

		for (size_t i = 0; i < ARRAY_SIZE(hidden_kinds); i++)
			if (compatible.data[0] == hidden_kinds[i][0] && strncmp(compatible.data, hidden_kinds[i], size) == 0)
				return true;
		compatible.data += size;
		compatible.size -= (int)size;
	}
	return false;
}

/* A device with an interrupt of the CPU's own (a PMU, a cache, a watchdog): there is no such line in a vCPU. */
static bool has_private_interrupt(const struct dom0_tree_facts *facts, struct dt_walk *w)
{
	unsigned n = dt_walk_interrupts(w, &facts->gic), intid, flags;

	for (unsigned i = 0; i < n; i++)
		if (dt_walk_interrupt(w, &facts->gic, i, &intid, &flags) && intid < 32)
			return true;
	return false;
}

static bool overlap(struct dt_range a, struct dt_range b)
{
	return a.size != 0 && b.size != 0 && a.base < b.base + b.size && b.base < a.base + a.size;
}

static struct dt_range pages_of(struct dt_range r)
{
	uint64_t base = ALIGN_DOWN(r.base, PAGE_SIZE);

	return (struct dt_range){base, r.size != 0 ? ALIGN_UP(r.base + r.size, PAGE_SIZE) - base : 0};
}

/* The console's block may be described more than once (a Qualcomm serial engine is a UART, an I2C and an SPI controller at the
 * same registers): whatever reaches its registers is the hypervisor's. What only has registers in the same page cannot be
 * given away either, but others may refer to it. A bus around the console stays. */
static enum dom0_node beside_console(const struct dom0_tree_facts *facts, const struct dt_walk *w, const char **why)
{
	enum dom0_node what = DOM0_NODE_WHOLE;
	struct dt_range r;

	if (facts->console.size == 0 || dt_walk_node(w)->reg.data == NULL ||
	    facts->console_path[w->depth] == dt_walk_node(w)->offset)
		return what;
	for (unsigned i = 0; dt_walk_reg(w, i, &r); i++) {
		if (overlap(r, facts->console))
			return DOM0_NODE_HIDDEN;
		if (overlap(pages_of(r), pages_of(facts->console))) {
			*why = "it shares a page with the hypervisor's console";
			what = DOM0_NODE_DISABLED;
		}
	}
	return what;
}

enum dom0_node dom0_tree_node(const struct dom0_tree_facts *facts, struct dt_walk *w, const char **why)
{
	static const char *const of_root[] = {"cpus", "psci", "hypervisor"};
	const struct dt_node *n = dt_walk_node(w);
	struct dt_value type;

	*why = NULL;
	if (n->offset == facts->gic.node || n->offset == facts->console_node)
		return DOM0_NODE_HIDDEN;
	if (w->depth == 1) {
		for (size_t i = 0; i < ARRAY_SIZE(of_root); i++)
			if (strcmp(n->name, of_root[i]) == 0)
				return DOM0_NODE_HIDDEN;
		type = dt_property(w->fdt, n->offset, "device_type");
		if (type.size == sizeof("memory") && memcmp(type.data, "memory", sizeof("memory")) == 0)
			return DOM0_NODE_HIDDEN;
	}
	if (kind_is_hidden(n->compatible) || has_private_interrupt(facts, w))
		return DOM0_NODE_HIDDEN;
	if (dt_property(w->fdt, n->offset, "xen,passthrough").data != NULL)
		return DOM0_NODE_DISABLED;
	return beside_console(facts, w, why);
}

static bool gic_find(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	int node = dt_compatible(fdt, -1, "arm,gic-v3");
	struct dt_range more;
	uint64_t regions;

	if (node < 0) {
		*why = dt_compatible(fdt, -1, "arm,gic-400") >= 0 || dt_compatible(fdt, -1, "arm,cortex-a15-gic") >= 0
			       ? "this board has a GICv2; Domus needs a GICv3"
			       : "this board has no Arm GICv3 interrupt controller";
		return false;
	}
	facts->gic = dt_gic(fdt, node);
	regions = dt_number(fdt, node, "#redistributor-regions", 1);
	if (!dt_reg(fdt, node, 0, &facts->distributor) || !dt_reg(fdt, node, 1, &facts->redistributors) || regions == 0 ||
	    regions > 64) {
		*why = "the GIC's reg property cannot be read";
		return false;
	}
	for (unsigned i = 1; i < regions; i++)
		if (!dt_reg(fdt, node, 1 + i, &more)) {
			*why = "the GIC has fewer redistributor regions than it says";
			return false;
		}
	if (facts->gic.phandle == 0) {
		*why = "nothing in the tree can refer to the GIC: it has no phandle";
		return false;
	}
	if (facts->gic.cells != 3 && facts->gic.cells != 4) {
		*why = "the GIC's #interrupt-cells is not 3 or 4";
		return false;
	}
	return true;
}

static bool timer_find(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	int node = dt_compatible(fdt, -1, "arm,armv8-timer");
	uint32_t used = 0;
	unsigned flags, intid, n;
	struct dt_walk w;

	if (node < 0 || !dt_walk_to(&w, fdt, node)) {
		*why = "this board has no Armv8 timer (arm,armv8-timer)";
		return false;
	}
	for (unsigned i = 0; i < 3; i++)
		if (!dt_walk_interrupt(&w, &facts->gic, i, &facts->timer[i], &flags) || facts->timer[i] >= 32) {
			*why = "the timer's interrupts are not PPIs of the GIC";
			return false;
		}
	n = dt_walk_interrupts(&w, &facts->gic);
	for (unsigned i = 0; i < n; i++)
		if (dt_walk_interrupt(&w, &facts->gic, i, &intid, &flags) && intid < 32)
			used |= 1u << intid;
	for (facts->event_intid = 16; facts->event_intid < 31 && (used & 1u << facts->event_intid); facts->event_intid++)
		;
	return true;
}

static void console_find(const void *fdt, struct dom0_tree_facts *facts)
{
	int node = dt_stdout(fdt);
	struct dt_walk w;

	facts->console_node = -1;
	for (unsigned i = 0; i < DT_DEPTH_MAX; i++)
		facts->console_path[i] = -1;
	facts->console = (struct dt_range){0, 0};
	if (node < 0 || !dt_walk_to(&w, fdt, node))
		return;
	facts->console_node = node;
	for (unsigned i = 0; i <= w.depth; i++)
		facts->console_path[i] = w.at[i].offset;
	if (!dt_walk_reg(&w, 0, &facts->console))
		facts->console.size = 0;
}

bool dom0_tree_facts(const void *fdt, struct dom0_tree_facts *facts, const char **why)
{
	unsigned ac, sc;

	if (dt_child(fdt, 0, "cpus") < 0) {
		*why = "the tree has no /cpus node";
		return false;
	}
	if (!dt_cells(fdt, 0, &ac, &sc) || sc == 0) {
		*why = "the root's #address-cells or #size-cells is not 1 or 2";
		return false;
	}
	console_find(fdt, facts);
	return gic_find(fdt, facts, why) && timer_find(fdt, facts, why);
}
