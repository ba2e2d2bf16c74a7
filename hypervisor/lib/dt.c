/* Device tree reading over libfdt (Devicetree Specification 0.4). */
#include "lib/dt.h"
#include "lib/string.h"
#include <libfdt.h>

uint64_t dt_read_cells(const void *cells, unsigned count)
{
	const uint8_t *p = cells;
	uint64_t v = 0;

	for (unsigned i = 0; i < count * 4; i++)
		v = v << 8 | p[i];
	return v;
}

bool dt_cells(const void *fdt, int node, unsigned *address_cells, unsigned *size_cells)
{
	uint64_t a = dt_number(fdt, node, "#address-cells", 2), s = dt_number(fdt, node, "#size-cells", 1);

	*address_cells = (unsigned)a;
	*size_cells = (unsigned)s;
	return a >= 1 && a <= 2 && s <= 2;
}

/* An address on the bus of `bus`'s children, seen one level up. PCI and other buses with 3 cells are not translated. */
static bool translate(const void *fdt, int bus, uint64_t *address, uint64_t size)
{
	int length, parent = fdt_parent_offset(fdt, bus);
	unsigned ca, cs, pa, ps;
	const char *p;

	if (parent < 0)
		return true; /* the root's children have CPU addresses */
	p = fdt_getprop(fdt, bus, "ranges", &length);
	if (p == NULL)
		return false;
	if (length == 0)
		return true;
	if (!dt_cells(fdt, bus, &ca, &cs) || !dt_cells(fdt, parent, &pa, &ps))
		return false;
	for (; length >= (int)(ca + pa + cs) * 4; length -= (int)(ca + pa + cs) * 4, p += (ca + pa + cs) * 4) {
		uint64_t child = dt_read_cells(p, ca), up = dt_read_cells(p + ca * 4, pa);
		uint64_t span = dt_read_cells(p + (ca + pa) * 4, cs);

		if (*address >= child && *address - child < span && size <= span - (*address - child)) {
			*address = up + (*address - child);
			return true;
		}
	}
	return false;
}

bool dt_reg(const void *fdt, int node, unsigned index, struct dt_range *out)
{
	int length, bus = fdt_parent_offset(fdt, node);
	unsigned ca, cs;
	const char *p = fdt_getprop(fdt, node, "reg", &length);

	if (p == NULL || bus < 0 || !dt_cells(fdt, bus, &ca, &cs) || length < 0 ||
	    (unsigned)length / ((ca + cs) * 4) <= index)
		return false;
	p += index * (ca + cs) * 4;
	out->base = dt_read_cells(p, ca);
	out->size = dt_read_cells(p + ca * 4, cs);
	for (; bus > 0; bus = fdt_parent_offset(fdt, bus))
		if (!translate(fdt, bus, &out->base, out->size))
			return false;
	return out->base + out->size >= out->base;
}

/* Phandles are compared, not looked up: looking one up walks the whole tree. */
static bool interrupt_parent_is(const void *fdt, int node, uint32_t gic_handle)
{
	for (; node >= 0; node = fdt_parent_offset(fdt, node)) {
		uint64_t handle = dt_number(fdt, node, "interrupt-parent", 0);

		if (handle != 0)
			return handle == gic_handle;
	}
	return false;
}

/* GIC binding: type (0 SPI, 1 PPI), number, flags. */
static bool gic_cells(const char *p, unsigned *intid, unsigned *flags)
{
	uint64_t type = dt_read_cells(p, 1), number = dt_read_cells(p + 4, 1);

	*intid = (unsigned)(number + (type == 0 ? 32 : 16));
	*flags = (unsigned)dt_read_cells(p + 8, 1);
	return (type == 0 && number < 988) || (type == 1 && number < 16);
}

bool dt_interrupt(const void *fdt, int node, unsigned index, int gic, unsigned *intid, unsigned *flags)
{
	int length;
	const char *p = fdt_getprop(fdt, node, "interrupts-extended", &length);
	uint32_t gic_handle = gic >= 0 ? fdt_get_phandle(fdt, gic) : 0;
	unsigned cells;

	if (p != NULL) {
		for (; length >= 4; index--) {
			uint32_t handle = (uint32_t)dt_read_cells(p, 1);
			int to = handle == gic_handle ? gic : fdt_node_offset_by_phandle(fdt, handle);

			cells = to < 0 ? 0 : (unsigned)dt_number(fdt, to, "#interrupt-cells", 0);
			if (cells == 0 || cells > 8 || length < (int)(cells + 1) * 4)
				return false;
			if (index == 0)
				return to == gic && cells >= 3 && gic_cells(p + 4, intid, flags);
			p += (cells + 1) * 4;
			length -= (int)(cells + 1) * 4;
		}
		return false;
	}
	p = fdt_getprop(fdt, node, "interrupts", &length);
	cells = p != NULL && gic >= 0 ? (unsigned)dt_number(fdt, gic, "#interrupt-cells", 3) : 0;
	if (cells < 3 || cells > 8 || (unsigned)length / (cells * 4) <= index ||
	    !interrupt_parent_is(fdt, node, gic_handle))
		return false;
	return gic_cells(p + index * cells * 4, intid, flags);
}

uint64_t dt_number(const void *fdt, int node, const char *property, uint64_t otherwise)
{
	int length;
	const void *p = fdt_getprop(fdt, node, property, &length);

	return p != NULL && (length == 4 || length == 8) ? dt_read_cells(p, (unsigned)length / 4) : otherwise;
}

const char *dt_string(const void *fdt, int node, const char *property)
{
	int length;
	const char *p = fdt_getprop(fdt, node, property, &length);

	return p != NULL && length > 0 && p[length - 1] == '\0' ? p : NULL;
}

bool dt_enabled(const void *fdt, int node)
{
	const char *status = dt_string(fdt, node, "status");

	return status == NULL || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

int dt_compatible(const void *fdt, int from, const char *compatible)
{
	return fdt_node_offset_by_compatible(fdt, from, compatible);
}

/* stdout-path: a path or an alias, with options after a colon (Devicetree Specification 3.6). */
int dt_stdout(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	const char *path = chosen < 0 ? NULL : dt_string(fdt, chosen, "stdout-path");
	const char *end;

	if (path == NULL)
		return -1;
	end = strchr(path, ':');
	return fdt_path_offset_namelen(fdt, path, end != NULL ? (int)(end - path) : (int)strlen(path));
}
