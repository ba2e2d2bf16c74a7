/* What holds for every tree that Dom0 gets, checked against the host's tree without the builder's own help. */
#ifndef DOM0_RULES_H
#define DOM0_RULES_H
#include "boot/dom0_tree.h"

#define RULES_MAX 16

struct rules_result {
	unsigned count; /* of broken rules; the first RULES_MAX have a sentence */
	char broken[RULES_MAX][160];
	unsigned hidden, disabled; /* nodes of the host that Dom0 has not, or has disabled by us */
};

/* CPUs of a tree. */
unsigned rules_cpus(const void *fdt);
/* Builds the tree into out and checks it. */
struct rules_result rules_build(const void *fdt, const struct dom0_tree_facts *facts, void *out, int size);
#endif
