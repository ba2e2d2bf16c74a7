/* Dom0's device tree, made from the host's. A pure function of its input: the host tests run it over every board's tree. */
#ifndef BOOT_DOM0_TREE_H
#define BOOT_DOM0_TREE_H
#include "lib/dt.h"
#include "lib/types.h"

#define DOM0_BANKS_MAX 16

struct dom0_tree_input {
	const void *fdt;		/* the host's tree, checked */
	const char *command_line;	/* /chosen/bootargs */
	struct dt_range ramdisk;	/* where Dom0 finds it; size 0: none */
	const struct dt_range *banks;	/* Dom0's memory */
	unsigned bank_count;
	unsigned vcpus;
	struct dt_range grant_window;
	int console_node;		/* the hypervisor's UART, -1: none */
	unsigned xen_minor;
};

/* What the machine is, as far as Dom0's tree and its virtual hardware need it. */
struct dom0_tree_facts {
	int gic_node;
	struct dt_range distributor, redistributors;
	unsigned timer[3];     /* INTIDs: secure, physical, virtual */
	unsigned event_intid;  /* the PPI that the tree gives to the event channel */
};

/* Reads the facts. False: *why is one clear sentence why this board is not supported. */
bool dom0_tree_facts(const void *fdt, struct dom0_tree_facts *facts, const char **why);
/* Writes the tree into out (size bytes). 0, or libfdt's negative error. */
int dom0_tree_build(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, void *out, int size);
/* True when Dom0 gets the device's registers and interrupts (not hidden, not the hypervisor's). depth: the root is 0.
 * For mapping MMIO. */
bool dom0_tree_passes(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, int node, int depth);

#endif
