/* A walk straight over the structure block (Devicetree Specification 0.4, 5.4) of a tree that dt_check() has let through. */
#include "lib/dt.h"
#include "lib/string.h"
#include <libfdt.h>

static uint32_t be32(const char *p)
{
	return __builtin_bswap32(*(const uint32_t *)__builtin_assume_aligned(p, 4));
}

/* libfdt's own accessors take four bytes one by one where unaligned accesses are not allowed. */
static uint32_t header(const void *fdt, size_t field)
{
	return be32((const char *)fdt + field);
}

static const char *structure(const void *fdt)
{
	return (const char *)fdt + header(fdt, offsetof(struct fdt_header, off_dt_struct));
}

/* Behind a name: its NUL and the padding to a whole word. */
static int after_name(const char *s, int at)
{
	while (s[at] != '\0')
		at++;
	return (at | 3) + 1;
}

const char *dt_name(const void *fdt, int node)
{
	return structure(fdt) + node + 4;
}

int dt_properties(const void *fdt, int node)
{
	return after_name(structure(fdt), node + 4);
}

bool dt_property_next(const void *fdt, int *at, const char **name, struct dt_value *value)
{
	const char *s = structure(fdt);
	int i = *at;

	while (be32(s + i) == FDT_NOP)
		i += 4;
	*at = i;
	if (be32(s + i) != FDT_PROP)
		return false;
	value->size = (int)be32(s + i + 4);
	value->data = s + i + 12;
	*name = (const char *)fdt + header(fdt, offsetof(struct fdt_header, off_dt_strings)) +
		be32(s + i + 8);
	*at = i + 12 + ((value->size + 3) & ~3);
	return true;
}

static uint32_t one_cell(struct dt_value v, uint32_t otherwise)
{
	return v.data == NULL ? otherwise : v.size == 4 ? be32(v.data) : ~0u;
}

/* Of two properties with one name the first counts, as in libfdt. */
static void keep(struct dt_value *to, struct dt_value v)
{
	if (to->data == NULL)
		*to = v;
}

/* The node at `offset`, whose parent is the one above it in w->at. */
static void enter(struct dt_walk *w, unsigned depth, int offset)
{
	static const struct dt_value none = {NULL, 0};
	struct dt_value v, phandle = none, parent = none, address_cells = none, size_cells = none;
	struct dt_node *n = &w->at[depth];
	int at = dt_properties(w->fdt, offset);
	const char *name;

	n->reg = n->ranges = n->compatible = n->interrupts = n->interrupts_extended = none;
	while (dt_property_next(w->fdt, &at, &name, &v))
		switch (name[0]) {
		case 'r':
			if (strcmp(name, "reg") == 0)
				keep(&n->reg, v);
			else if (strcmp(name, "ranges") == 0)
				keep(&n->ranges, v);
			break;
		case 'c':
			if (strcmp(name, "compatible") == 0)
				keep(&n->compatible, v);
			break;
		case 'i':
			if (strcmp(name, "interrupts") == 0)
				keep(&n->interrupts, v);
			else if (strcmp(name, "interrupts-extended") == 0)
				keep(&n->interrupts_extended, v);
			else if (strcmp(name, "interrupt-parent") == 0)
				keep(&parent, v);
			break;
		case 'p':
			if (strcmp(name, "phandle") == 0)
				keep(&phandle, v);
			break;
		case '#':
			if (strcmp(name, "#address-cells") == 0)
				keep(&address_cells, v);
			else if (strcmp(name, "#size-cells") == 0)
				keep(&size_cells, v);
			break;
		}
	n->offset = offset;
	n->name = structure(w->fdt) + offset + 4;
	n->phandle = one_cell(phandle, 0);
	n->interrupt_parent = one_cell(parent, depth > 0 ? n[-1].interrupt_parent : 0);
	n->address_cells = one_cell(address_cells, 2);
	n->size_cells = one_cell(size_cells, 1);
	w->depth = depth;
	w->next = at;
}

void dt_walk_begin(struct dt_walk *w, const void *fdt)
{
	w->fdt = fdt;
	w->depth = ~0u;
	w->next = 0;
	w->controllers = 0;
}

bool dt_walk_next(struct dt_walk *w)
{
	const char *s = structure(w->fdt);
	unsigned depth = w->depth + 1;

	for (;; w->next += 4)
		switch (be32(s + w->next)) {
		case FDT_BEGIN_NODE:
			if (depth >= DT_DEPTH_MAX)
				return false;
			enter(w, depth, w->next);
			return true;
		case FDT_END_NODE:
			depth--;
			break;
		case FDT_NOP:
			break;
		default:
			return false;
		}
}

bool dt_walk_over(struct dt_walk *w)
{
	unsigned depth = w->depth;

	while (dt_walk_next(w))
		if (w->depth <= depth)
			return true;
	return false;
}

bool dt_walk_to(struct dt_walk *w, const void *fdt, int node)
{
	dt_walk_begin(w, fdt);
	while (dt_walk_next(w))
		if (dt_walk_node(w)->offset >= node)
			return dt_walk_node(w)->offset == node;
	return false;
}

static bool cells_of(const struct dt_node *n, unsigned *address_cells, unsigned *size_cells)
{
	*address_cells = n->address_cells;
	*size_cells = n->size_cells;
	return *address_cells >= 1 && *address_cells <= 2 && *size_cells <= 2;
}

/* An address on the bus of `bus`'s children, seen one level up. PCI and other buses with 3 cells are not translated. */
static bool translate(const struct dt_node *bus, uint64_t *address, uint64_t size)
{
	const char *p = bus->ranges.data;
	int left = bus->ranges.size, step;
	unsigned ca, cs, pa, ps;

	if (p == NULL)
		return false;
	if (left == 0)
		return true;
	if (!cells_of(bus, &ca, &cs) || !cells_of(bus - 1, &pa, &ps))
		return false;
	for (step = (int)(ca + pa + cs) * 4; left >= step; left -= step, p += step) {
		uint64_t child = dt_read_cells(p, ca), up = dt_read_cells(p + ca * 4, pa);
		uint64_t span = dt_read_cells(p + (ca + pa) * 4, cs);

		if (*address >= child && *address - child < span && size <= span - (*address - child)) {
			*address = up + (*address - child);
			return true;
		}
	}
	return false;
}

bool dt_walk_reg(const struct dt_walk *w, unsigned index, struct dt_range *out)
{
	const struct dt_node *n = dt_walk_node(w), *bus = n - 1;
	unsigned ca, cs;
	const char *p;

	if (w->depth == 0 || n->reg.data == NULL || !cells_of(bus, &ca, &cs) ||
	    (unsigned)n->reg.size / ((ca + cs) * 4) <= index)
		return false;
	p = n->reg.data + index * (ca + cs) * 4;
	out->base = dt_read_cells(p, ca);
	out->size = dt_read_cells(p + ca * 4, cs);
	for (; bus > w->at; bus--) /* the root's children have CPU addresses */
		if (!translate(bus, &out->base, out->size))
			return false;
	return out->base + out->size >= out->base;
}

struct dt_gic dt_gic(const void *fdt, int node)
{
	struct dt_gic g = {.node = node};
	uint64_t cells;

	if (node >= 0) {
		cells = dt_number(fdt, node, "#interrupt-cells", 3);
		g.phandle = (uint32_t)dt_number(fdt, node, "phandle", 0);
		g.cells = cells >= 3 && cells <= 8 ? (unsigned)cells : 0;
	}
	return g;
}

/* GIC binding: type (0 SPI, 1 PPI), number, flags. */
static bool gic_cells(const char *p, unsigned *intid, unsigned *flags)
{
	uint32_t type = be32(p), number = be32(p + 4);

	*intid = number + (type == 0 ? 32 : 16);
	*flags = be32(p + 8);
	return (type == 0 && number < 988) || (type == 1 && number < 16);
}

/* Of whatever controller; 0 when it says nothing or nonsense. Looking a phandle up is a walk over the tree: remembered. */
static unsigned controller_cells(struct dt_walk *w, uint32_t handle)
{
	unsigned at = w->controllers % ARRAY_SIZE(w->controller);
	uint64_t cells;
	int node;

	for (unsigned i = 0; i < w->controllers && i < ARRAY_SIZE(w->controller); i++)
		if (w->controller[i].handle == handle)
			return w->controller[i].cells;
	node = dt_phandle(w->fdt, handle);
	cells = node >= 0 ? dt_number(w->fdt, node, "#interrupt-cells", 0) : 0;
	w->controller[at].handle = handle;
	w->controller[at].cells = cells <= 8 ? (unsigned)cells : 0;
	w->controllers++;
	return w->controller[at].cells;
}

/* Calls for entry `index` (or counts all with index ~0): where its cells are; *own says whether the GIC is its controller. */
static unsigned interrupt_find(struct dt_walk *w, const struct dt_gic *gic, unsigned index, const char **found, bool *own)
{
	const struct dt_node *n = dt_walk_node(w);
	struct dt_value v = n->interrupts_extended;
	unsigned count = 0, cells;
	const char *p;

	*found = NULL;
	if (v.data != NULL) {
		for (p = v.data; v.size >= 4; count++) {
			uint32_t handle = be32(p);

			cells = handle == gic->phandle ? gic->cells : controller_cells(w, handle);
			if (cells == 0 || v.size < (int)(cells + 1) * 4)
				break;
			if (count == index) {
				*own = handle == gic->phandle;
				*found = p + 4;
			}
			p += (cells + 1) * 4;
			v.size -= (int)(cells + 1) * 4;
		}
		return count;
	}
	v = n->interrupts;
	if (v.data == NULL || gic->cells == 0 || n->interrupt_parent != gic->phandle)
		return 0;
	*own = true;
	count = (unsigned)v.size / (gic->cells * 4);
	if (index < count)
		*found = v.data + index * gic->cells * 4;
	return count;
}

bool dt_walk_interrupt(struct dt_walk *w, const struct dt_gic *gic, unsigned index, unsigned *intid, unsigned *flags)
{
	const char *found;
	bool own;

	interrupt_find(w, gic, index, &found, &own);
	return found != NULL && own && gic_cells(found, intid, flags);
}

unsigned dt_walk_interrupts(struct dt_walk *w, const struct dt_gic *gic)
{
	const char *found;
	bool own;

	return interrupt_find(w, gic, ~0u, &found, &own);
}
