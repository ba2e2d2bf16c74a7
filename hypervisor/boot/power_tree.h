/* Which power rails a board of the i.MX8 family has, as its device tree tells: resources that one device names, that a device and
 * its PHY or its parent name, or whose registers share a page, are one rail and move together. A pure function of the tree. */
#ifndef BOOT_POWER_TREE_H
#define BOOT_POWER_TREE_H
#include "core/power.h"
#include "lib/dt.h"

#define POWER_TREE_HANDLES 384
#define POWER_TREE_LINKS   32
#define POWER_NO_RESOURCE  0xffff

struct power_tree {
	const void *fdt;
	uint32_t controller; /* phandle of the power controller */
	int console_node;
	uint16_t up
		[POWER_RESOURCE_IDS]; /* a lower resource of the same rail; itself: the lowest; POWER_NO_RESOURCE: of none */
	struct {
		const char *name; /* of the device that stands for it */
		uint8_t rank; /* 0 none, 1 clock gate, 2 disabled device, 3 device that Dom0 gets */
		bool ours;    /* the console, a mailbox */
	} of[POWER_RESOURCE_IDS];
	struct {
		struct power_range at;
		uint16_t resource;
	} range[RAIL_RANGES];
	struct {
		uint32_t phandle;
		uint16_t resource;
	} handle[POWER_TREE_HANDLES];
	struct {
		uint32_t phandle; /* of the PHY */
		uint16_t resource;
	} link[POWER_TREE_LINKS];
	unsigned ranges, handles, links;
	const char *full; /* the table that was too small, or NULL */
};

/* False: the tree has no such power controller, or a table is too small (`full`). */
bool power_tree_read(struct power_tree *t, const void *fdt);

/* One rail of the tree. */
struct power_tree_rail {
	const char *name;
	uint16_t owner; /* 0, POWER_NOBODY, POWER_HYPERVISOR: the console, the mailboxes */
	uint16_t resource[RAIL_RESOURCES];
	struct power_range range[RAIL_RANGES];
	unsigned resources, ranges;
};
/* The next rail whose lowest resource is *resource or above; moves *resource behind it. False: there is none. */
bool power_tree_next(struct power_tree *t, unsigned *resource, struct power_tree_rail *out);

#endif
