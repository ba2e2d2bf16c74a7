/*
 * PCI Express: slots, what is in them, and functions that sit in none. A slot is a root port or a switch's downstream port
 * whose Slot Implemented bit is set. Its id is the path of devices and functions to it, because bus numbers are handed out
 * anew by whoever enumerates.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/hardware_board.h"

#define CONFIG_SIZE	   256
#define STATUS		   0x06
#define STATUS_CAPABLE	   0x10
#define CLASS		   0x09
#define HEADER_TYPE	   0x0e
#define HEADER_BRIDGE	   1
#define CAPABILITIES	   0x34
#define CAPABILITY_EXPRESS 0x10
#define EXPRESS_FLAGS	   0x02
#define EXPRESS_LINK_CAP   0x0c
#define EXPRESS_SLOT_CAP   0x14
#define EXPRESS_SLOT_CTL   0x18
#define PORT_ROOT	   4
#define PORT_DOWNSTREAM	   6
#define SLOT_POWER_OFF	   (1u << 10) /* Power Controller Control */

#define CLASS_STORAGE 0x01
#define CLASS_NETWORK 0x02
#define CLASS_BRIDGE  0x06
#define CLASS_SDHCI   0x0805
#define CLASS_USB     0x0c03

static unsigned read16(const uint8_t *config, unsigned at)
{
	return config[at] | (unsigned)config[at + 1] << 8;
}

static uint32_t read32(const uint8_t *config, unsigned at)
{
	return read16(config, at) | (uint32_t)read16(config, at + 2) << 16;
}

/* Offset of the PCI Express capability, 0 for none. A list can be a circle: it has at most 48 entries. */
static unsigned express_find(const uint8_t *config, unsigned size)
{
	unsigned at;

	if (size < CONFIG_SIZE || !(config[STATUS] & STATUS_CAPABLE))
		return 0;
	at = config[CAPABILITIES] & ~3u;
	for (unsigned i = 0; i < 48 && at >= 0x40; i++) {
		if (config[at] == CAPABILITY_EXPRESS)
			return at + EXPRESS_SLOT_CTL + 4 <= size ? at : 0;
		at = config[at + 1] & ~3u;
	}
	return 0;
}

bool pcie_port_parse(const uint8_t *config, unsigned size, struct pcie_port *out)
{
	unsigned at = express_find(config, size), flags, type;
	uint32_t slot;

	memset(out, 0, sizeof(*out));
	if (!at || (config[HEADER_TYPE] & 0x7f) != HEADER_BRIDGE)
		return false;
	flags = read16(config, at + EXPRESS_FLAGS);
	type = flags >> 4 & 0xf;
	if (type != PORT_ROOT && type != PORT_DOWNSTREAM)
		return false;
	slot = read32(config, at + EXPRESS_SLOT_CAP);
	out->capability = at;
	out->slot = flags >> 8 & 1;
	out->power = slot >> 1 & 1;
	out->number = slot >> 19;
	out->control = read16(config, at + EXPRESS_SLOT_CTL);
	out->reports_link = read32(config, at + EXPRESS_LINK_CAP) >> 20 & 1;
	return out->slot;
}

/* "0000:01:00.0" */
static bool address_parse(const char *name, unsigned length, unsigned a[4])
{
	char copy[16];
	int end = 0;

	if (length != 12)
		return false;
	memcpy(copy, name, length);
	copy[length] = '\0';
	return sscanf(copy, "%4x:%2x:%2x.%1x%n", &a[0], &a[1], &a[2], &a[3], &end) == 4 &&
	       end == 12;
}

bool pcie_topology(const char *path, char out[VERBS_DEVICE_MAX + 1])
{
	unsigned a[4], at = 0;

	out[0] = '\0';
	for (const char *name = strchr(path, '/'); name; name = strchr(name, '/')) {
		char piece[24];

		name++;
		if (!address_parse(name, (unsigned)strcspn(name, "/"), a))
			continue;
		if (at == 0 && a[0])
			snprintf(piece, sizeof(piece), "%04x-%02x.%02x.%x", a[0], a[1], a[2], a[3]);
		else if (at == 0)
			snprintf(piece, sizeof(piece), "%02x.%02x.%x", a[1], a[2], a[3]);
		else
			snprintf(piece, sizeof(piece), "-%02x.%x", a[2], a[3]);
		if (at + strlen(piece) > VERBS_DEVICE_MAX)
			return false;
		at += (unsigned)sprintf(out + at, "%s", piece);
	}
	return at > 0;
}

struct function {
	char path[SYSFS_PATH];
	char topology[VERBS_DEVICE_MAX + 1];
	uint32_t class;
	unsigned vendor, product;
	bool slot, bound; /* a slot's port; a driver of Dom0's has it */
	struct pcie_port port;
};

struct functions {
	const struct board *board;
	unsigned count;
	struct function list[FUNCTIONS_MAX];
};

static void function_found(void *context, const char *name)
{
	struct functions *all = context;
	struct function *f = &all->list[all->count];
	const char *root = all->board->root;
	uint8_t config[CONFIG_SIZE];
	int size;

	memset(f, 0, sizeof(*f));
	if (!sysfs_real(f->path, root, "/sys/bus/pci/devices/%s", name) ||
	    !pcie_topology(f->path, f->topology))
		return;
	size = sysfs_bytes(config, 0, sizeof(config), root, "%s/config", f->path);
	if (size < 64)
		return;
	f->vendor = read16(config, 0);
	f->product = read16(config, 2);
	f->class = read32(config, CLASS - 1) >> 8;
	f->slot = pcie_port_parse(config, (unsigned)size, &f->port);
	f->bound = sysfs_exists(root, "%s/driver", f->path);
	all->count++;
}

/* All functions; the caller frees. NULL: out of memory. */
static struct functions *functions_read(const struct board *b)
{
	struct functions *all = calloc(1, sizeof(*all));

	if (all) {
		all->board = b;
		sysfs_each(function_found, all, FUNCTIONS_MAX, b->root, "/sys/bus/pci/devices");
	}
	return all;
}

static const struct function *slot_above(const struct functions *all, const struct function *f)
{
	const struct function *nearest = NULL;

	for (unsigned i = 0; i < all->count; i++) {
		const struct function *s = &all->list[i];

		if (s->slot && sysfs_inside(f->path, s->path) &&
		    (!nearest || strlen(s->path) > strlen(nearest->path)))
			nearest = s;
	}
	return nearest;
}

static const char *class_name(uint32_t class)
{
	switch (class >> 16) {
	case CLASS_STORAGE:
		return class >> 8 == 0x0108 ? "NVMe disk controller" : "Disk controller";
	case CLASS_NETWORK:
		return "Network controller";
	case 0x03:
		return "Display controller";
	case CLASS_BRIDGE:
		return "Bridge";
	default:
		if (class >> 8 == CLASS_USB)
			return "USB controller";
		return class >> 8 == CLASS_SDHCI ? "SD card controller" : "Device";
	}
}

static void content_add(const struct board *b, struct verbs_device *d, const struct function *f)
{
	const struct node *n = node_below(b, f->path);
	struct verbs_content *c;

	if (d->content_count++ >= VERBS_CONTENT_MAX)
		return;
	c = &d->contents[d->content_count - 1];
	c->vendor = f->vendor;
	c->product = f->product;
	c->class = f->class;
	c->kind = f->class >> 16 == CLASS_STORAGE   ? VERBS_CONTENT_DISK
		  : f->class >> 16 == CLASS_NETWORK ? VERBS_CONTENT_NIC
						    : VERBS_CONTENT_OTHER;
	snprintf(c->name, sizeof(c->name), "%s %04x:%04x", class_name(f->class), f->vendor,
		 f->product);
	if (n && n->kind == c->kind)
		memcpy(c->node, n->name, sizeof(c->node));
}

static void slot_contents(const struct board *b, struct verbs_device *d,
			  const struct function *port, const struct functions *all)
{
	d->content_count = 0;
	memset(d->contents, 0, sizeof(d->contents));
	for (unsigned i = 0; i < all->count; i++) {
		const struct function *f = &all->list[i];

		if (!f->slot && f->class >> 16 != CLASS_BRIDGE && slot_above(all, f) == port)
			content_add(b, d, f);
	}
}

struct answers {
	const struct board *board;
	const char *path;
	bool any;
};

static void answer_look(void *context, const char *name)
{
	struct answers *a = context;
	uint8_t vendor[2];
	unsigned address[4];

	if (address_parse(name, (unsigned)strlen(name), address) &&
	    sysfs_bytes(vendor, 0, sizeof(vendor), a->board->root, "%s/%s/config", a->path, name) ==
		    sizeof(vendor))
		a->any |= vendor[0] != 0xff || vendor[1] != 0xff;
}

/* What the port says, and whether anything behind it answers all the same. */
static void slot_power(const struct board *b, struct verbs_device *d, const char *path,
		       const struct pcie_port *port)
{
	struct answers a = {.board = b, .path = path};

	d->error[0] = '\0';
	d->power = VERBS_POWER_ON;
	if (!(port->control & SLOT_POWER_OFF))
		return;
	sysfs_each(answer_look, &a, FUNCTIONS_MAX, b->root, "%s", path);
	if (a.any)
		snprintf(d->error, sizeof(d->error),
			 "The slot's power controller says off, and the device answers.");
	else
		d->power = VERBS_POWER_OFF;
}

static void slot_describe(const struct board *b, struct verbs_device *d,
			  const struct function *port, const struct functions *all)
{
	const struct function *outer = slot_above(all, port);

	snprintf(d->name, sizeof(d->name), "PCIe slot %u", port->port.number);
	if (port->port.power)
		d->gate = VERBS_GATE_SLOT;
	else
		snprintf(d->note, sizeof(d->note), "Its port has no power controller.");
	if (system_below(b, port->path))
		snprintf(d->needed, sizeof(d->needed), "The appliance's own system is on it.");
	if (outer && outer->port.power) {
		snprintf(d->group, sizeof(d->group), "pcie-%.58s", outer->topology);
		snprintf(d->group_reason, sizeof(d->group_reason),
			 "One slot gets its power through the other.");
	}
	if (port->port.power)
		slot_power(b, d, port->path, &port->port);
	slot_contents(b, d, port, all);
}

static void function_describe(const struct board *b, struct verbs_device *d,
			      const struct function *f)
{
	snprintf(d->name, sizeof(d->name), "%s %04x:%04x", class_name(f->class), f->vendor,
		 f->product);
	snprintf(d->note, sizeof(d->note), "It sits in no slot, so nothing can cut its power.");
	if (!f->bound)
		return;
	if (system_below(b, f->path))
		snprintf(d->needed, sizeof(d->needed), "The appliance's own system is on it.");
	else if (f->class >> 16 == CLASS_NETWORK)
		snprintf(d->needed, sizeof(d->needed), "The appliance is reached through it.");
	else if (f->class >> 8 == CLASS_USB)
		snprintf(d->needed, sizeof(d->needed), "The board's USB ports hang on it.");
	else
		snprintf(d->needed, sizeof(d->needed), "The appliance's own system drives it.");
}

/* A slot within a slot was given its group; the outer one belongs to it as well. */
static void groups_close(struct inventory *out)
{
	for (unsigned i = 0; i < out->count; i++) {
		for (unsigned k = 0; k < out->count; k++) {
			struct verbs_device *inner = &out->devices[i], *outer = &out->devices[k];

			if (inner != outer && strcmp(inner->group, outer->id) == 0 &&
			    !outer->group[0]) {
				memcpy(outer->group, inner->group, sizeof(outer->group));
				memcpy(outer->group_reason, inner->group_reason,
				       sizeof(outer->group_reason));
			}
		}
	}
}

void pcie_scan(struct board *b, struct inventory *out)
{
	struct functions *all = functions_read(b);

	free(b->functions);
	b->functions = all;
	for (unsigned i = 0; all && i < all->count; i++) {
		const struct function *f = &all->list[i];
		struct verbs_device *d;
		char id[VERBS_DEVICE_MAX + 8];

		if (!f->slot && (f->class >> 16 == CLASS_BRIDGE || slot_above(all, f)))
			continue;
		snprintf(id, sizeof(id), "pcie-%s", f->topology);
		d = inventory_add(out, id, VERBS_KIND_PCIE);
		if (d && f->slot)
			slot_describe(b, d, f, all);
		else if (d)
			function_describe(b, d, f);
	}
	groups_close(out);
}

static const struct function *slot_find(const struct functions *all, const char *id)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct function *f = &all->list[i];

		if (f->slot && strncmp(id, "pcie-", 5) == 0 && strcmp(f->topology, id + 5) == 0)
			return f;
	}
	return NULL;
}

bool pcie_find(const struct board *b, const char *id, char path[SYSFS_PATH], struct pcie_port *port)
{
	const struct function *f = b->functions ? slot_find(b->functions, id) : NULL;
	uint8_t config[CONFIG_SIZE];
	int size;

	if (!f)
		return false;
	size = sysfs_bytes(config, 0, sizeof(config), b->root, "%s/config", f->path);
	memcpy(path, f->path, SYSFS_PATH);
	return size > 0 && pcie_port_parse(config, (unsigned)size, port);
}

void pcie_read(struct board *b, struct verbs_device *d, bool contents)
{
	struct functions *fresh = contents ? functions_read(b) : NULL;
	const struct function *f;
	char path[SYSFS_PATH];
	struct pcie_port port;

	if (fresh) {
		free(b->functions);
		b->functions = fresh;
	}
	if (!pcie_find(b, d->id, path, &port) || !port.power) {
		d->power = VERBS_POWER_UNKNOWN;
		snprintf(d->error, sizeof(d->error), "The slot's port does not answer.");
		return;
	}
	slot_power(b, d, path, &port);
	f = slot_find(b->functions, d->id);
	if (contents && f)
		slot_contents(b, d, f, b->functions);
}
