/* Reading the host's device tree: dt_check() looks at it once; from then on these functions walk it straight ahead and believe
 * its structure. libfdt looks at every byte of every name again, and for a parent at everything from the root on; it writes
 * Dom0's tree. Nodes are named by libfdt's offsets. Used at boot only. */
#ifndef LIB_DT_H
#define LIB_DT_H
#include "lib/types.h"

#define DT_DEPTH_MAX 32

struct dt_range {
	uint64_t base, size;
};
struct dt_value {
	const char *data; /* NULL: the node has no such property */
	int size;
};

/* A node as the walk met it, with what is asked most. */
struct dt_node {
	int offset;
	const char *name;
	struct dt_value reg, ranges, compatible, interrupts, interrupts_extended;
	uint32_t phandle, interrupt_parent; /* 0: none; interrupt_parent is inherited */
	unsigned address_cells, size_cells; /* of its children, as they stand there (defaults 2 and 1) */
};

/* A walk in the tree's own order that carries the ancestors along. at[depth] is the node itself, at[0] the root. */
struct dt_walk {
	const void *fdt;
	unsigned depth;
	int next; /* where the node's properties end */
	struct dt_node at[DT_DEPTH_MAX];
	struct {
		uint32_t handle;
		unsigned cells;
	} controller[8]; /* the last #interrupt-cells that interrupts-extended asked for */
	unsigned controllers;
};

/* NULL when the blob of at most `size` bytes is a device tree of which everything else here may be asked; else what is wrong
 * with it, in one clear sentence. Aligned to 8 bytes. */
const char *dt_check(const void *fdt, size_t size);
/* Entry `index` of the memory reservation block; false behind the last. */
bool dt_reservation(const void *fdt, unsigned index, struct dt_range *out);

/* Before the root; the first dt_walk_next() is on it. */
void dt_walk_begin(struct dt_walk *w, const void *fdt);
/* On to the next node, false at the end of the tree. */
bool dt_walk_next(struct dt_walk *w);
/* On to the next node that is not below this one. */
bool dt_walk_over(struct dt_walk *w);
/* Straight to a node, from the start; false when there is none at the offset. */
bool dt_walk_to(struct dt_walk *w, const void *fdt, int node);
static inline const struct dt_node *dt_walk_node(const struct dt_walk *w)
{
	return &w->at[w->depth];
}
/* Entry `index` of the node's reg, translated to a CPU address through every parent's ranges. False: absent or broken. */
bool dt_walk_reg(const struct dt_walk *w, unsigned index, struct dt_range *out);
/* The controller that interrupts are asked about. */
struct dt_gic {
	int node;
	uint32_t phandle;
	unsigned cells; /* #interrupt-cells; 0: broken */
};
struct dt_gic dt_gic(const void *fdt, int node);
/* Interrupt `index` of the node as GIC INTID (SPI 32.., PPI 16..) and its trigger flags. False when there is no such one or when
 * it is not the GIC's: dt_walk_interrupts() counts. Follows interrupt-parent upwards and reads interrupts-extended. */
bool dt_walk_interrupt(struct dt_walk *w, const struct dt_gic *gic, unsigned index, unsigned *intid, unsigned *flags);
/* How many interrupts the node has, of whatever controller; what cannot be read ends the list. */
unsigned dt_walk_interrupts(struct dt_walk *w, const struct dt_gic *gic);

/* Is the string in the compatible list? */
bool dt_is(struct dt_value compatible, const char *what);

/* ---- by offset ---------------------------------------------------------------------------------------------------------- */
const char *dt_name(const void *fdt, int node);
/* A property; data NULL when the node has none of that name. */
struct dt_value dt_property(const void *fdt, int node, const char *name);
/* The node's properties one after the other: *at is dt_properties() at first, then this function's own. False at the end. */
int dt_properties(const void *fdt, int node);
bool dt_property_next(const void *fdt, int *at, const char **name, struct dt_value *value);
/* dt_walk_reg() and dt_walk_interrupt() of a single node, each a walk to it. */
bool dt_reg(const void *fdt, int node, unsigned index, struct dt_range *out);
bool dt_interrupt(const void *fdt, int node, unsigned index, int gic, unsigned *intid, unsigned *flags);
/* The number in a property of 1 or 2 cells; `otherwise` when absent or of another size. */
uint64_t dt_number(const void *fdt, int node, const char *property, uint64_t otherwise);
/* A string property, or NULL when absent or without its NUL. */
const char *dt_string(const void *fdt, int node, const char *property);
/* True when status is absent, "okay" or "ok". */
bool dt_enabled(const void *fdt, int node);
/* First node, in tree order after `from` (-1: from the root), whose compatible list holds the string; negative when none. */
int dt_compatible(const void *fdt, int from, const char *compatible);
/* The child of `parent` (0: the root) of that name, with or without its unit address; negative when there is none. */
int dt_child(const void *fdt, int parent, const char *name);
/* The node with the phandle; negative when there is none. */
int dt_phandle(const void *fdt, uint32_t phandle);
/* Cells of a node's children. Defaults of the specification: 2 and 1. Limited to 1..2 and 0..2; else false. */
bool dt_cells(const void *fdt, int node, unsigned *address_cells, unsigned *size_cells);
/* A big-endian number of 1 or 2 cells (0 cells: 0). */
uint64_t dt_read_cells(const void *cells, unsigned count);
/* The node that /chosen/stdout-path names, directly or by alias; negative when there is none. */
int dt_stdout(const void *fdt);

#endif
