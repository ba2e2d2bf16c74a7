/* Is this blob a device tree that may be walked without a further look (Devicetree Specification 0.4, chapter 5)? Stricter than
 * libfdt's fdt_check_full(), which the tests hold it against. */
#include "lib/dt.h"
#include "lib/string.h"
#include <libfdt.h>

struct checked {
	const char *structure, *strings;
	uint32_t size, strings_size; /* of the structure block, of the strings block */
	uint32_t at;		     /* of the next tag */
};

static uint32_t be32(const char *p)
{
	return (uint32_t)dt_read_cells(p, 1);
}

static bool inside(uint32_t offset, uint32_t size, uint32_t total)
{
	return offset <= total && size <= total - offset;
}

/* Ends the string before `size` bytes are over? */
static bool ends(const char *s, uint32_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* The reservation block ends with an entry of zeros (5.3). */
static bool reservations_end(const char *fdt, uint32_t at, uint32_t total)
{
	for (; at % 8 == 0 && inside(at, 16, total); at += 16)
		if (dt_read_cells(fdt + at, 2) == 0 && dt_read_cells(fdt + at + 8, 2) == 0)
			return true;
	return false;
}

static const char *header_check(const void *fdt, size_t size, struct checked *c)
{
	uint32_t total, structure, strings;

	if (size < sizeof(struct fdt_header) || fdt_magic(fdt) != FDT_MAGIC)
		return "it has no header";
	total = fdt_totalsize(fdt);
	structure = fdt_off_dt_struct(fdt);
	strings = fdt_off_dt_strings(fdt);
	if (total > size || total > INT32_MAX || total < sizeof(struct fdt_header))
		return "its size cannot be";
	if (fdt_version(fdt) < 17 || fdt_last_comp_version(fdt) > 17)
		return "it is not of version 17 of the format";
	*c = (struct checked){(const char *)fdt + structure, (const char *)fdt + strings, fdt_size_dt_struct(fdt),
			      fdt_size_dt_strings(fdt), 0};
	if (structure % 4 != 0 || structure < sizeof(struct fdt_header) || !inside(structure, c->size, total) ||
	    strings < sizeof(struct fdt_header) || !inside(strings, c->strings_size, total))
		return "its blocks are not inside it";
	if (fdt_off_mem_rsvmap(fdt) < sizeof(struct fdt_header) || !reservations_end(fdt, fdt_off_mem_rsvmap(fdt), total))
		return "its memory reservations do not end";
	return NULL;
}

/* A property's header, name and value; on to what follows. */
static bool property_check(struct checked *c)
{
	uint32_t length, name;

	if (!inside(c->at, 12, c->size))
		return false;
	length = be32(c->structure + c->at + 4);
	name = be32(c->structure + c->at + 8);
	if (!inside(c->at + 12, length, c->size) || name >= c->strings_size || !ends(c->strings + name, c->strings_size - name))
		return false;
	c->at += 12 + (uint32_t)ALIGN_UP(length, 4);
	return true;
}

static bool name_check(struct checked *c)
{
	const char *name = c->structure + c->at + 4;

	if (!ends(name, c->size - c->at - 4))
		return false;
	c->at += (uint32_t)ALIGN_UP(4 + strlen(name) + 1, 4);
	return true;
}

const char *dt_check(const void *fdt, size_t size)
{
	bool properties = false; /* may one come here? */
	unsigned open = 0, nodes = 0;
	const char *why;
	struct checked c;

	why = header_check(fdt, size, &c);
	if (why != NULL)
		return why;
	while (inside(c.at, 4, c.size)) {
		switch (be32(c.structure + c.at)) {
		case FDT_BEGIN_NODE:
			if (open == 0 && nodes > 0)
				return "it has more than one root";
			if (open++ == DT_DEPTH_MAX)
				return "its nodes are more than 32 levels deep";
			if (nodes == 0 && inside(c.at + 4, 1, c.size) && c.structure[c.at + 4] != '\0')
				return "its root has a name";
			if (!name_check(&c))
				return "a node's name does not end";
			properties = true;
			nodes++;
			break;
		case FDT_END_NODE:
			if (open-- == 0)
				return "a node ends that has not begun";
			properties = false;
			c.at += 4;
			break;
		case FDT_PROP:
			if (!properties)
				return "a property is in no node, or behind a node's children";
			if (!property_check(&c))
				return "a property is not inside it";
			break;
		case FDT_NOP:
			c.at += 4;
			break;
		case FDT_END:
			return open != 0 || nodes == 0 ? "its nodes do not end" : NULL;
		default:
			return "there is an unknown tag in it";
		}
	}
	return "it does not end";
}
