/* Looking single things up in a checked device tree. */
#include "lib/dt.h"
#include "lib/string.h"
#include <libfdt.h>

uint64_t dt_read_cells(const void *cells, unsigned count)
{
	const uint32_t *cell = __builtin_assume_aligned(cells, 4);

	if (count == 0)
		return 0;
	return count == 2 ? (uint64_t)__builtin_bswap32(cell[0]) << 32 | __builtin_bswap32(cell[1])
			  : __builtin_bswap32(cell[0]);
}

bool dt_reservation(const void *fdt, unsigned index, struct dt_range *out)
{
	const char *p = (const char *)fdt + fdt_off_mem_rsvmap(fdt) + 16 * (size_t)index;

	out->base = dt_read_cells(p, 2);
	out->size = dt_read_cells(p + 8, 2);
	return out->base != 0 || out->size != 0;
}

struct dt_value dt_property(const void *fdt, int node, const char *name)
{
	int at = dt_properties(fdt, node);
	struct dt_value v;
	const char *have;

	while (dt_property_next(fdt, &at, &have, &v))
		if (have[0] == name[0] && strcmp(have, name) == 0)
			return v;
	return (struct dt_value){NULL, 0};
}

uint64_t dt_number(const void *fdt, int node, const char *property, uint64_t otherwise)
{
	struct dt_value v = dt_property(fdt, node, property);

	return v.data != NULL && (v.size == 4 || v.size == 8) ? dt_read_cells(v.data, (unsigned)v.size / 4) : otherwise;
}

const char *dt_string(const void *fdt, int node, const char *property)
{
	struct dt_value v = dt_property(fdt, node, property);

	return v.size > 0 && v.data[v.size - 1] == '\0' ? v.data : NULL;
}

bool dt_enabled(const void *fdt, int node)
{
	const char *status = dt_string(fdt, node, "status");

	return status == NULL || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

bool dt_cells(const void *fdt, int node, unsigned *address_cells, unsigned *size_cells)
{
	struct dt_walk w;

	if (!dt_walk_to(&w, fdt, node))
		return false;
	*address_cells = dt_walk_node(&w)->address_cells;
	*size_cells = dt_walk_node(&w)->size_cells;
	return *address_cells >= 1 && *address_cells <= 2 && *size_cells <= 2;
}

bool dt_is(struct dt_value compatible, const char *what)
{
	while (compatible.size > 0) {
		int size = (int)strnlen(compatible.data, (size_t)compatible.size) + 1;

		if (size <= compatible.size && compatible.data[0] == what[0] && strcmp(compatible.data, what) == 0)
			return true;
		compatible.data += size;
		compatible.size -= size;
	}
	return false;
}

bool dt_reg(const void *fdt, int node, unsigned index, struct dt_range *out)
{
	struct dt_walk w;

	return dt_walk_to(&w, fdt, node) && dt_walk_reg(&w, index, out);
}

bool dt_interrupt(const void *fdt, int node, unsigned index, int gic, unsigned *intid, unsigned *flags)
{
	struct dt_gic g = dt_gic(fdt, gic);
	struct dt_walk w;

	return dt_walk_to(&w, fdt, node) && dt_walk_interrupt(&w, &g, index, intid, flags);
}

int dt_compatible(const void *fdt, int from, const char *compatible)
{
	struct dt_walk w;

	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w))
		if (dt_walk_node(&w)->offset > from && dt_is(dt_walk_node(&w)->compatible, compatible))
			return dt_walk_node(&w)->offset;
	return -FDT_ERR_NOTFOUND;
}

int dt_phandle(const void *fdt, uint32_t phandle)
{
	struct dt_walk w;

	dt_walk_begin(&w, fdt);
	while (phandle != 0 && dt_walk_next(&w))
		if (dt_walk_node(&w)->phandle == phandle)
			return dt_walk_node(&w)->offset;
	return -FDT_ERR_NOTFOUND;
}

/* `size` characters of a path element, against a node's name: exact, or up to its unit address when the element has none. */
static bool name_is(const char *name, const char *element, size_t size)
{
	return strncmp(name, element, size) == 0 &&
	       (name[size] == '\0' || (name[size] == '@' && memchr(element, '@', size) == NULL));
}

/* A path of `size` characters from the root. */
static int path_find(const void *fdt, const char *path, size_t size)
{
	const char *end = path + size;
	struct dt_walk w;
	unsigned depth = 0; /* how deep the part of the path that is found goes */

	dt_walk_begin(&w, fdt);
	while (dt_walk_next(&w) && w.depth >= depth) {
		const char *slash;

		if (w.depth == depth) {
			size_t n;

			if (depth > 0) {
				slash = memchr(path, '/', (size_t)(end - path));
				n = (size_t)((slash != NULL ? slash : end) - path);
				if (!name_is(dt_walk_node(&w)->name, path, n))
					continue;
				path += n;
			}
			while (path < end && *path == '/')
				path++;
			if (path == end)
				return dt_walk_node(&w)->offset;
			depth++;
		}
	}
	return -FDT_ERR_NOTFOUND;
}

int dt_child(const void *fdt, int parent, const char *name)
{
	struct dt_walk w;
	unsigned depth;

	if (!dt_walk_to(&w, fdt, parent))
		return -FDT_ERR_NOTFOUND;
	depth = w.depth + 1;
	while (dt_walk_next(&w) && w.depth >= depth)
		if (w.depth == depth && name_is(dt_walk_node(&w)->name, name, strlen(name)))
			return dt_walk_node(&w)->offset;
	return -FDT_ERR_NOTFOUND;
}

/* stdout-path: a path or an alias, with options after a colon (Devicetree Specification 3.6). An alias is a whole path
 * (3.3): no alias stands for another one. */
int dt_stdout(const void *fdt)
{
	int chosen = dt_child(fdt, 0, "chosen"), aliases = dt_child(fdt, 0, "aliases");
	const char *path = chosen >= 0 ? dt_string(fdt, chosen, "stdout-path") : NULL;
	char alias[32];
	size_t size;

	if (path == NULL)
		return -FDT_ERR_NOTFOUND;
	size = strchr(path, ':') != NULL ? (size_t)(strchr(path, ':') - path) : strlen(path);
	if (path[0] != '/') {
		if (size >= sizeof(alias) || aliases < 0)
			return -FDT_ERR_NOTFOUND;
		memcpy(alias, path, size);
		alias[size] = '\0';
		path = dt_string(fdt, aliases, alias);
		if (path == NULL || path[0] != '/')
			return -FDT_ERR_NOTFOUND;
		size = strlen(path);
	}
	return path_find(fdt, path, size);
}
