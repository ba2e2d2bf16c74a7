/*
 * Devices of the SoC, from Dom0's flattened device tree (Devicetree Specification 0.4). The tree is untrusted: libfdt checks
 * it as a whole first (fdt_check_full()), everything read from it is bounded here. Devices that share what cannot be
 * divided between two owners (a power domain, a stream of the IOMMU, an interrupt line, a page of registers) form a group.
 * A node that Dom0 may not use (status disabled: the hypervisor writes that, too, for what is kept for a domain) is a device
 * when the hypervisor has a rail for it: that is what a domain can get.
 */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/hardware_board.h"

#define TREE_MAX  (2 << 20) /* bytes; the largest in Debian have 200 KiB */
#define DEPTH_MAX 16
#define CELLS_MAX 4
#define LINKS_MAX 4 /* power domains, streams and interrupts of one device that are compared */
#define PAGE_SIZE 4096u

/* What two devices may share. */
struct shares {
	uint64_t power[LINKS_MAX], stream[LINKS_MAX], irq[LINKS_MAX], page[LINKS_MAX];
	unsigned powers, streams, irqs, pages;
};

struct parse {
	const void *fdt;
	const struct board *board; /* NULL: nodes with status disabled are no devices */
	struct inventory *out;
	unsigned first, parents;
	int parent[DEPTH_MAX]; /* offsets from the root down */
	struct shares shares[HARDWARE_MAX];
};

static uint32_t cell(const void *property, int index)
{
	uint32_t value;

	memcpy(&value, (const char *)property + 4 * index, sizeof(value));
	return fdt32_to_cpu(value);
}

static uint64_t cells(const void *property, int index, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 | cell(property, index + i);
	return value;
}

static bool cells_of(const void *fdt, int node, int *address, int *size)
{
	*address = fdt_address_cells(fdt, node);
	*size = fdt_size_cells(fdt, node);
	return *address >= 1 && *address <= 2 && *size >= 0 && *size <= 2;
}

/*
 * An address of a bus as its parent sees it (2.3.8, ranges). An empty ranges is the same address; without one the bus has
 * no place in memory.
 */
static bool address_up(const void *fdt, int bus, int parent, uint64_t *address)
{
	int child_cells, child_size, parent_cells, parent_size, length, row;
	const void *ranges = fdt_getprop(fdt, bus, "ranges", &length);

	if (!ranges || !cells_of(fdt, bus, &child_cells, &child_size) ||
	    !cells_of(fdt, parent, &parent_cells, &parent_size))
		return false;
	if (length == 0)
		return true;
	row = child_cells + parent_cells + child_size;
	for (int i = 0; (i + row) * 4 <= length; i += row) {
		uint64_t from = cells(ranges, i, child_cells);
		uint64_t to = cells(ranges, i + child_cells, parent_cells);
		uint64_t size = cells(ranges, i + child_cells + parent_cells, child_size);

		if (*address >= from && *address - from < size) {
			*address = *address - from + to;
			return true;
		}
	}
	return false;
}

/* One entry of reg as the CPU sees it; node's parents are p->parent[]. */
static bool window_read(const struct parse *p, int node, int index, uint64_t *base, uint64_t *size)
{
	int address_cells, size_cells, length, row;
	const void *reg = fdt_getprop(p->fdt, node, "reg", &length);

	if (!reg || !cells_of(p->fdt, p->parent[p->parents - 1], &address_cells, &size_cells))
		return false;
	row = address_cells + size_cells;
	if (size_cells == 0 || (index + 1) * row * 4 > length)
		return false;
	*base = cells(reg, index * row, address_cells);
	*size = cells(reg, index * row + address_cells, size_cells);
	for (unsigned i = p->parents - 1; i > 0; i--) {
		if (!address_up(p->fdt, p->parent[i], p->parent[i - 1], base))
			return false;
	}
	return *size != 0;
}

/* Interrupts of a GIC (arm,gic-v3 binding): type, number, flags. Others have numbers of their own controller. */
static void irqs_read(const struct parse *p, int node, struct shares *s)
{
	int length;
	const void *property = fdt_getprop(p->fdt, node, "interrupts", &length);

	for (int i = 0; property && (i + 3) * 4 <= length && s->irqs < LINKS_MAX; i += 3) {
		uint32_t type = cell(property, i), number = cell(property, i + 1);

		if (type == 0 && number < 988)
			s->irq[s->irqs++] = number + 32;
	}
}

/* A list of phandles with arguments: what the first `most` point to, as (phandle, first argument). */
static unsigned links_read(const struct parse *p, int node, const char *name,
			   const char *count_name, uint64_t out[LINKS_MAX])
{
	int length;
	const void *property = fdt_getprop(p->fdt, node, name, &length);
	unsigned found = 0;

	for (int i = 0; property && (i + 1) * 4 <= length && found < LINKS_MAX;) {
		uint32_t phandle = cell(property, i);
		int target = fdt_node_offset_by_phandle(p->fdt, phandle), arguments, size;
		const void *count =
			target < 0 ? NULL : fdt_getprop(p->fdt, target, count_name, &size);

		if (!count || size != 4)
			break;
		arguments = (int)cell(count, 0);
		if (arguments < 0 || arguments > CELLS_MAX || (i + 1 + arguments) * 4 > length)
			break;
		out[found++] = (uint64_t)phandle << 32 | (arguments ? cell(property, i + 1) : 0);
		i += 1 + arguments;
	}
	return found;
}

/* "mmc@5b010000" is 5b010000.mmc, by the CPU's address, as Linux calls it; what an id may not have becomes '-'. */
static bool id_make(const char *name, uint64_t base, char id[VERBS_DEVICE_MAX + 1])
{
	const char *at = strchr(name, '@');
	int length = at ? snprintf(id, VERBS_DEVICE_MAX + 1, "platform-%llx.%.*s",
				   (unsigned long long)base, (int)(at - name), name)
			: -1;

	if (length < 0 || length > VERBS_DEVICE_MAX)
		return false;
	for (char *s = id; *s; s++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.+-", *s))
			*s = '-';
	}
	return true;
}

static bool is_usable(const void *fdt, int node)
{
	const char *status = fdt_getprop(fdt, node, "status", NULL);

	return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

static bool is_string(const void *fdt, int node, const char *property, const char *value)
{
	const char *text = fdt_getprop(fdt, node, property, NULL);

	return text && strcmp(text, value) == 0;
}

/* A node that is a device: it says what it is compatible with and has registers that the CPU sees. */
static void node_read(struct parse *p, int node)
{
	const char *name = fdt_get_name(p->fdt, node, NULL), *at;
	char id[VERBS_DEVICE_MAX + 1];
	uint64_t base, size;
	struct verbs_device *d;
	struct shares *s;

	if (!name || !fdt_getprop(p->fdt, node, "compatible", NULL) ||
	    is_string(p->fdt, node, "device_type", "memory") ||
	    fdt_node_check_compatible(p->fdt, node, "xen,xen") == 0 ||
	    !window_read(p, node, 0, &base, &size) || !id_make(name, base, id))
		return;
	if (!is_usable(p->fdt, node) && (!p->board || !platform_has_rail(p->board, base)))
		return;
	d = inventory_add(p->out, id, VERBS_KIND_PLATFORM);
	if (!d)
		return;
	at = strchr(name, '@');
	snprintf(d->name, sizeof(d->name), "%.*s %.31s",
		 (int)(at - name) < 60 ? (int)(at - name) : 60, name, at + 1);
	text_clean(d->name);
	snprintf(d->note, sizeof(d->note), "This hypervisor switches no devices of the SoC.");
	d->mmio_base = base;
	d->mmio_size = size;
	if (fdt_getprop(p->fdt, node, "interrupt-controller", NULL))
		snprintf(d->needed, sizeof(d->needed), "Interrupts of the board go through it.");
	s = &p->shares[p->out->count - 1];
	s->powers = links_read(p, node, "power-domains", "#power-domain-cells", s->power);
	s->streams = links_read(p, node, "iommus", "#iommu-cells", s->stream);
	irqs_read(p, node, s);
	d->irq = s->irqs ? (uint32_t)s->irq[0] : 0;
	for (int i = 0; i < LINKS_MAX && window_read(p, node, i, &base, &size); i++)
		s->page[s->pages++] = base / PAGE_SIZE;
}

static bool shared(const uint64_t *a, unsigned a_count, const uint64_t *b, unsigned b_count,
		   uint64_t *which)
{
	for (unsigned i = 0; i < a_count; i++) {
		for (unsigned k = 0; k < b_count; k++) {
			if (a[i] == b[k]) {
				*which = a[i];
				return true;
			}
		}
	}
	return false;
}

/* Why two devices cannot have two owners; false when they can. */
static bool reason_find(const struct shares *a, const struct shares *b, char *reason, size_t size)
{
	uint64_t which;

	if (shared(a->power, a->powers, b->power, b->powers, &which))
		snprintf(reason, size, "They share power domain %u.", (unsigned)which);
	else if (shared(a->stream, a->streams, b->stream, b->streams, &which))
		snprintf(reason, size, "They share stream 0x%x of the IOMMU.", (unsigned)which);
	else if (shared(a->irq, a->irqs, b->irq, b->irqs, &which))
		snprintf(reason, size, "They share interrupt %u.", (unsigned)which);
	else if (shared(a->page, a->pages, b->page, b->pages, &which))
		snprintf(reason, size, "They share the page of registers at 0x%llx.",
			 (unsigned long long)which * PAGE_SIZE);
	else
		return false;
	return true;
}

/* Joins b's group to a's: the name of a group is the id of its first device in the tree. */
void platform_join(struct inventory *out, unsigned first, struct verbs_device *a,
		   struct verbs_device *b, const char *reason)
{
	char old[VERBS_DEVICE_MAX + 1];

	if (!a->group[0])
		memcpy(a->group, a->id, sizeof(a->group));
	memcpy(old, b->group[0] ? b->group : b->id, sizeof(old));
	for (unsigned i = first; i < out->count; i++) {
		struct verbs_device *d = &out->devices[i];

		if (d == b || (d->group[0] && strcmp(d->group, old) == 0))
			memcpy(d->group, a->group, sizeof(d->group));
	}
	if (!a->group_reason[0])
		snprintf(a->group_reason, sizeof(a->group_reason), "%s", reason);
	if (!b->group_reason[0])
		snprintf(b->group_reason, sizeof(b->group_reason), "%s", reason);
}

static void groups_find(struct parse *p)
{
	char reason[sizeof(p->out->devices[0].group_reason)];

	for (unsigned i = p->first; i < p->out->count; i++) {
		for (unsigned k = i + 1; k < p->out->count; k++) {
			if (reason_find(&p->shares[i], &p->shares[k], reason, sizeof(reason)))
				platform_join(p->out, p->first, &p->out->devices[i],
					      &p->out->devices[k], reason);
		}
	}
}

void platform_parse(const struct board *b, const void *tree, size_t size, struct inventory *out)
{
	struct parse *p;
	int depth = -1; /* of the root: 0 */

	if (size < sizeof(struct fdt_header) || size > TREE_MAX || fdt_check_full(tree, size) != 0)
		return;
	p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->fdt = tree;
	p->board = b;
	p->out = out;
	p->first = out->count;
	for (int node = fdt_next_node(tree, -1, &depth); node >= 0 && depth >= 0;
	     node = fdt_next_node(tree, node, &depth)) {
		if (depth >= DEPTH_MAX)
			continue;
		p->parents = (unsigned)depth;
		if (depth > 0)
			node_read(p, node);
		p->parent[depth] = node;
	}
	groups_find(p);
	free(p);
}

/* Dom0's driver has it: sysfs knows platform devices by the same name. */
static void driver_look(const struct board *b, struct verbs_device *d)
{
	if (d->needed[0] || !sysfs_exists(b->root, "/sys/bus/platform/devices/%s/driver",
					  d->id + strlen("platform-")))
		return;
	snprintf(d->needed, sizeof(d->needed), "The appliance's own system drives it.");
}

/* The tree does not change: it is read once. */
static struct inventory *tree_read(const struct board *b)
{
	struct inventory *found = calloc(1, sizeof(*found));
	char *tree = malloc(TREE_MAX);
	int size = tree ? sysfs_bytes(tree, 0, TREE_MAX, b->root, "/sys/firmware/fdt") : -1;

	if (found && size > 0)
		platform_parse(b, tree, (size_t)size, found);
	free(tree);
	return found;
}

void platform_scan(struct board *b, struct inventory *out)
{
	unsigned first = out->count;

	if (!b->platform)
		b->platform = tree_read(b);
	for (unsigned i = 0; b->platform && i < b->platform->count; i++) {
		const struct verbs_device *known = &b->platform->devices[i];
		struct verbs_device *d = inventory_add(out, known->id, VERBS_KIND_PLATFORM);

		if (!d)
			continue;
		*d = *known;
		driver_look(b, d);
	}
	platform_rails(b, out, first);
}
