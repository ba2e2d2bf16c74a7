/* Reading the host's device tree: small helpers over libfdt. All offsets are libfdt node offsets; the tree was checked by
 * fdt_check_full() before anybody calls these. Used at boot only: libfdt is a user-space build and may use FP registers. */
#ifndef LIB_DT_H
#define LIB_DT_H
#include "lib/types.h"

struct dt_range {
	uint64_t base, size;
};

/* Entry `index` of the node's reg, translated to a CPU address through every parent's ranges. False: absent or broken. */
bool dt_reg(const void *fdt, int node, unsigned index, struct dt_range *out);
/* Interrupt `index` of the node as GIC INTID (SPI 32.., PPI 16..) and its trigger flags. False when there is none or when the
 * interrupt parent is not `gic`. Follows interrupt-parent upwards and reads interrupts-extended. */
bool dt_interrupt(const void *fdt, int node, unsigned index, int gic, unsigned *intid, unsigned *flags);
/* The number in a property of 1 or 2 cells; `otherwise` when absent or of another size. */
uint64_t dt_number(const void *fdt, int node, const char *property, uint64_t otherwise);
/* A string property, or NULL when absent or without its NUL. */
const char *dt_string(const void *fdt, int node, const char *property);
/* True when status is absent, "okay" or "ok". */
bool dt_enabled(const void *fdt, int node);
/* First node, in tree order after `from` (-1: from the root), whose compatible list holds the string; negative when none. */
int dt_compatible(const void *fdt, int from, const char *compatible);
/* Cells of a node's children. Defaults of the specification: 2 and 1. Limited to 1..2 and 0..2; else false. */
bool dt_cells(const void *fdt, int node, unsigned *address_cells, unsigned *size_cells);
/* A big-endian number of 1 or 2 cells. */
uint64_t dt_read_cells(const void *cells, unsigned count);

/* The node that /chosen/stdout-path names, directly or by alias; negative when there is none. */
int dt_stdout(const void *fdt);

#endif
