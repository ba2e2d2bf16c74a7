/* Dom0's device tree, made from the host's. Pure functions of their input: the host tests run them over every board's tree. */
#ifndef BOOT_DOM0_TREE_H
#define BOOT_DOM0_TREE_H
#include "lib/dt.h"
#include "lib/types.h"

#define DOM0_BANKS_MAX	  16
#define DOM0_EXTENDED_MAX 8

/* What the machine is, as far as Dom0's tree and its virtual hardware need it. */
struct dom0_tree_facts {
	struct dt_gic gic;
	struct dt_range distributor, redistributors;
	struct dt_range console;	   /* the hypervisor's UART; size 0: none */
	int console_node;		   /* -1: none */
	int console_path[DT_DEPTH_MAX];	   /* it and its ancestors, by depth; -1 elsewhere */
	unsigned timer[3];		   /* INTIDs: secure, physical, virtual */
	unsigned event_intid;		   /* the PPI that the tree gives to the event channel */
};

struct dom0_tree_input {
	const void *fdt;		/* the host's tree, checked */
	const char *command_line;	/* /chosen/bootargs */
	struct dt_range ramdisk;	/* where Dom0 finds it; size 0: none */
	const struct dt_range *banks;	/* Dom0's memory */
	unsigned bank_count;
	unsigned vcpus;
	struct dt_range windows[1 + DOM0_EXTENDED_MAX]; /* the grant table's, then extended regions */
	unsigned window_count;
	unsigned xen_minor;
};

/* What Dom0 gets of a node. */
enum dom0_node {
	DOM0_NODE_HIDDEN,   /* nothing: it is left out of the tree with all that is below it */
	DOM0_NODE_DISABLED, /* the node without its registers: status "disabled" */
	DOM0_NODE_WHOLE,
};

/* Reads the facts. False: *why is one clear sentence why this board is not supported. */
bool dom0_tree_facts(const void *fdt, struct dom0_tree_facts *facts, const char **why);
/* What Dom0 gets of the node that the walk stands on. *why: a reason worth telling when it is DISABLED, else NULL. */
enum dom0_node dom0_tree_node(const struct dom0_tree_facts *facts, struct dt_walk *w, const char **why);
/* Writes the tree into out (size bytes). 0, or libfdt's negative error. */
int dom0_tree_build(const struct dom0_tree_input *in, const struct dom0_tree_facts *facts, void *out, int size);

#endif
