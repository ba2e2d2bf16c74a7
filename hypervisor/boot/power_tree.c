/* Rails are found as sets that grow together (union-find): each resource points to a lower one of its rail. */
#include "boot/power_tree.h"
#include "boards/imx8qm.h"
#include "lib/string.h"
#include <libfdt.h>

enum { NONE, CLOCK_GATE, DISABLED, ENABLED };

/* What holds for a node and all that is below it. */
struct context {
	bool dom0; /* enabled, and not kept for a domain */
	uint16_t resource;
};

static uint16_t root(struct power_tree *t, uint16_t id)
{
	while (t->up[id] != id)
		id = t->up[id];
	return id;
}

static void join(struct power_tree *t, uint16_t a, uint16_t b)
{
	a = root(t, a);
	b = root(t, b);
	if (a < b)
		t->up[b] = a;
	else
		t->up[a] = b;
}

/* The node's resources, joined; the first of them. power-domains = <&controller resource>, ... */
static uint16_t resources(struct power_tree *t, const struct dt_node *n)
{
	struct dt_value v = dt_property(t->fdt, n->offset, "power-domains");
	uint16_t first = POWER_NO_RESOURCE;

	for (; v.size >= 8; v.data += 8, v.size -= 8) {
		uint64_t id = dt_read_cells(v.data + 4, 1);

		if (dt_read_cells(v.data, 1) != t->controller || id >= POWER_RESOURCE_IDS)
			break;
		if (t->up[id] == POWER_NO_RESOURCE)
			t->up[id] = (uint16_t)id;
		if (first == POWER_NO_RESOURCE)
			first = (uint16_t)id;
		else
			join(t, first, (uint16_t)id);
	}
	return first;
}

static void describe(struct power_tree *t, const struct dt_node *n, const struct context *c)
{
	bool gate =
		dt_is(n->compatible, "fsl,imx8qxp-lpcg") || dt_is(n->compatible, "fsl,imx8qm-lpcg");
	uint8_t rank = gate ? CLOCK_GATE : c->dom0 ? ENABLED : DISABLED;

	if (rank > t->of[c->resource].rank) {
		t->of[c->resource].rank = rank;
		t->of[c->resource].name = n->name;
	}
	t->of[c->resource].ours |= n->offset == t->console_node;
}

static void registers(struct power_tree *t, const struct dt_walk *w, uint16_t resource)
{
	struct dt_range r;

	for (unsigned i = 0; dt_walk_reg(w, i, &r); i++) {
		uint64_t base = ALIGN_DOWN(r.base, PAGE_SIZE),
			 end = ALIGN_UP(r.base + r.size, PAGE_SIZE);

		if (end <= base)
			continue;
		if (t->ranges == RAIL_RANGES) {
			t->full = "registers";
			return;
		}
		t->range[t->ranges].at = (struct power_range){base, end - base};
		t->range[t->ranges++].resource = resource;
	}
}

static void links(struct power_tree *t, const struct dt_node *n, uint16_t resource)
{
	static const char *const names[] = {"phys", "fsl,usbphy"};

	if (n->phandle != 0) {
		if (t->handles == POWER_TREE_HANDLES) {
			t->full = "phandles";
			return;
		}
		t->handle[t->handles].phandle = n->phandle;
		t->handle[t->handles++].resource = resource;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		struct dt_value v = dt_property(t->fdt, n->offset, names[i]);

		if (v.size < 4)
			continue;
		if (t->links == POWER_TREE_LINKS) {
			t->full = "links";
			return;
		}
		t->link[t->links].phandle = (uint32_t)dt_read_cells(v.data, 1);
		t->link[t->links++].resource = resource;
	}
}

/* Every mailbox that ends at the system controller, enabled or not: whoever has one speaks with the rights of its partition, which is
 * ours, and past the filter. So all of them are one rail, and none is Dom0's. */
static uint16_t mailbox(struct power_tree *t, uint16_t resource)
{
	if (t->up[IMX8QM_MAILBOX] == POWER_NO_RESOURCE)
		t->up[IMX8QM_MAILBOX] = IMX8QM_MAILBOX;
	t->of[IMX8QM_MAILBOX].ours = true;
	if (resource != POWER_NO_RESOURCE)
		join(t, resource, IMX8QM_MAILBOX);
	return IMX8QM_MAILBOX;
}

static struct context visit(struct power_tree *t, const struct dt_walk *w,
			    const struct context *parent)
{
	const struct dt_node *n = dt_walk_node(w);
	struct context c = {
		.dom0 = parent->dom0 && dt_enabled(t->fdt, n->offset) &&
			dt_property(t->fdt, n->offset, "xen,passthrough").data == NULL,
		.resource = resources(t, n),
	};

	if (dt_is(n->compatible, "fsl,imx8-mu-scu"))
		c.resource = mailbox(t, c.resource);
	if (c.resource != POWER_NO_RESOURCE) {
		describe(t, n, &c);
		if (parent->resource != POWER_NO_RESOURCE) /* needs its parent's power, too */
			join(t, c.resource, parent->resource);
	} else {
		c.resource = parent->resource;
	}
	if (c.resource != POWER_NO_RESOURCE) {
		registers(t, w, c.resource);
		links(t, n, c.resource);
	}
	return c;
}

/* What one page cannot keep apart, and PHYs with who uses them. */
static void join_neighbours(struct power_tree *t)
{
	for (unsigned i = 0; i < t->ranges; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct power_range *a = &t->range[i].at, *b = &t->range[k].at;

			if (a->base < b->base + b->size && b->base < a->base + a->size)
				join(t, t->range[i].resource, t->range[k].resource);
		}
	for (unsigned i = 0; i < t->links; i++)
		for (unsigned k = 0; k < t->handles; k++)
			if (t->handle[k].phandle == t->link[i].phandle)
				join(t, t->link[i].resource, t->handle[k].resource);
}

bool power_tree_read(struct power_tree *t, const void *fdt)
{
	int controller = dt_compatible(fdt, -1, "fsl,scu-pd");
	struct context context[DT_DEPTH_MAX] = {{true, POWER_NO_RESOURCE}};
	struct dt_walk w;

	memset(t, 0, sizeof(*t));
	memset(t->up, 0xff, sizeof(t->up));
	t->fdt = fdt;
	t->controller = controller < 0 ? 0 : (uint32_t)dt_number(fdt, controller, "phandle", 0);
	t->console_node = dt_stdout(fdt);
	if (t->controller == 0)
		return false;
	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w) && t->full == NULL)
		if (w.depth > 0)
			context[w.depth] = visit(t, &w, &context[w.depth - 1]);
	join_neighbours(t);
	return t->full == NULL;
}

static void add_range(struct power_tree_rail *rail, struct power_range r)
{
	for (unsigned i = 0; i < rail->ranges; i++) {
		struct power_range *have = &rail->range[i];
		uint64_t end = have->base + have->size > r.base + r.size ? have->base + have->size
									 : r.base + r.size;

		if (r.base > have->base + have->size || have->base > r.base + r.size)
			continue;
		/* touches or overlaps: one range. What it now touches in turn stays a range of its own */
		have->base = have->base < r.base ? have->base : r.base;
		have->size = end - have->base;
		return;
	}
	rail->range[rail->ranges++] = r;
}

bool power_tree_next(struct power_tree *t, unsigned *resource, struct power_tree_rail *out)
{
	unsigned id = *resource, rank = NONE;

	while (id < POWER_RESOURCE_IDS && t->up[id] != id)
		id++;
	*resource = id + 1;
	if (id >= POWER_RESOURCE_IDS)
		return false;
	out->name = "";
	out->owner = POWER_NOBODY;
	out->resources = out->ranges = 0;
	for (unsigned i = id; i < POWER_RESOURCE_IDS; i++) {
		if (t->up[i] == POWER_NO_RESOURCE || root(t, (uint16_t)i) != id)
			continue;
		if (out->resources < RAIL_RESOURCES)
			out->resource[out->resources++] = (uint16_t)i;
		if (t->of[i].rank > rank) {
			rank = t->of[i].rank;
			out->name = t->of[i].name;
		}
		if (t->of[i].ours)
			out->owner = POWER_HYPERVISOR;
	}
	if (rank == ENABLED && out->owner == POWER_NOBODY)
		out->owner = 0;
	for (unsigned i = 0; i < t->ranges; i++)
		if (root(t, t->range[i].resource) == id)
			add_range(out, t->range[i].at);
	return true;
}
