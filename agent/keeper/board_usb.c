/*
 * USB: the ports of hubs. A port is a device of the board whether or not something is plugged in, if its hub can switch it;
 * of ports that cannot be switched only those with something in them are shown. The two halves of a USB 3 connector (peer
 * in sysfs) are one port here: the id is the USB 2 half's, and both are switched.
 */
#include <ctype.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "keeper/hardware_board.h"

#define HUBS_MAX 64
#define PORTS_MAX                                                                                  \
	31 /* of one hub: bMaxPower and all aside, Linux takes no more (USB_MAXCHILDREN) */
#define CLASS_HUB    0x09
#define CLASS_DISK   0x08
#define CONTROL_WAIT 1000 /* ms */

struct port {
	char path[SYSFS_PATH]; /* of the port itself, ".../1-1:1.0/1-1-port2" */
	char id[VERBS_DEVICE_MAX + 1];
	char label[32]; /* "1.2" */
	bool switched;
};

/*
 * GET_DESCRIPTOR(hub), USB 2.0 11.24.2.5 and USB 3.2 10.16.2.4: of wHubCharacteristics, bits 1 to 0 are the logical power
 * switching mode, and 01 says that each port has a switch of its own.
 */
bool usb_hub_switches(const struct board *b, unsigned bus, unsigned device, bool superspeed)
{
	uint8_t descriptor[16] = {0};
	struct usbdevfs_ctrltransfer request = {
		.bRequestType = 0xa0, /* device to host, class, device */
		.bRequest = 6,
		.wValue = superspeed ? 0x2a00 : 0x2900,
		.wLength = superspeed ? 12 : 9,
		.timeout = CONTROL_WAIT,
		.data = descriptor,
	};
	char path[SYSFS_PATH];
	int fd, got;

	snprintf(path, sizeof(path), "%s/dev/bus/usb/%03u/%03u", b->root, bus, device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = ioctl(fd, USBDEVFS_CONTROL, &request);
	close(fd);
	return got >= 5 && (descriptor[3] & 3) == 1;
}

/* Digits and dots: where a hub sits below its controller, "0" for the root hub. */
static bool devpath_valid(const char *s)
{
	return s[0] && strspn(s, "0123456789.") == strlen(s);
}

/* What the controller is called by where it sits. */
static bool controller_name(const char *hub_path, char out[VERBS_DEVICE_MAX + 1])
{
	char path[SYSFS_PATH], *end, *last;

	snprintf(path, sizeof(path), "%s", hub_path);
	/* "/usb2" as a whole name: a digit, then a slash or the end */
	end = strstr(path, "/usb");
	while (end && (!isdigit((unsigned char)end[4]) ||
		       !strchr("/", end[4 + strspn(end + 4, "0123456789")])))
		end = strstr(end + 1, "/usb");
	if (!end)
		return false;
	*end = '\0';
	if (pcie_topology(path, out))
		return true;
	/* "xhci-hcd.1.auto" is a number of the kernel's own: its parent has an address */
	last = strrchr(path, '/');
	if (last && strlen(last) > 5 && strcmp(last + strlen(last) - 5, ".auto") == 0) {
		*last = '\0';
		last = strrchr(path, '/');
	}
	if (!last || !last[1])
		return false;
	snprintf(out, 24, "%s", last + 1);
	for (char *s = out; *s; s++) {
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '.')
			*s = '-';
	}
	return true;
}

struct hub {
	char path[SYSFS_PATH];
	char controller[VERBS_DEVICE_MAX + 1];
	char devpath[16];
	uint64_t ports, bus, device;
	bool superspeed, switches;
};

/* A hub's answer about its switches is asked for once. */
struct known_hub {
	char path[SYSFS_PATH];
	uint64_t device;
	bool switches;
};

struct ports {
	const struct board *board;
	unsigned count, hub_count;
	struct port list[HARDWARE_MAX];
	struct known_hub hubs[HUBS_MAX];
};

static bool hub_read(const struct board *b, struct hub *h, const char *name)
{
	const char *root = b->root;
	char speed[16];
	uint64_t class;

	if (strchr(name, ':') ||
	    !sysfs_number(&class, 16, 255, root, "/sys/bus/usb/devices/%s/bDeviceClass", name) ||
	    class != CLASS_HUB || !sysfs_real(h->path, root, "/sys/bus/usb/devices/%s", name) ||
	    !sysfs_number(&h->ports, 10, PORTS_MAX, root, "%s/maxchild", h->path) ||
	    !sysfs_number(&h->bus, 10, 999, root, "%s/busnum", h->path) ||
	    !sysfs_number(&h->device, 10, 999, root, "%s/devnum", h->path) ||
	    !sysfs_text(h->devpath, sizeof(h->devpath), root, "%s/devpath", h->path) ||
	    !devpath_valid(h->devpath) || !controller_name(h->path, h->controller))
		return false;
	sysfs_text(speed, sizeof(speed), root, "%s/speed", h->path);
	h->superspeed = atoi(speed) >= 5000;
	return true;
}

static bool hub_ask(struct ports *all, const struct hub *h)
{
	const struct ports *before = all->board->ports;
	struct known_hub *k = &all->hubs[all->hub_count];

	if (all->hub_count == HUBS_MAX)
		return false;
	all->hub_count++;
	memcpy(k->path, h->path, sizeof(k->path));
	k->device = h->device;
	for (unsigned i = 0; before && i < before->hub_count; i++) {
		const struct known_hub *old = &before->hubs[i];

		if (old->device == k->device && strcmp(old->path, k->path) == 0)
			return k->switches = old->switches;
	}
	k->switches = all->board->hub_switches(all->board, (unsigned)h->bus, (unsigned)h->device,
					       h->superspeed);
	/* a hub that was suspended may come back with all ports on: it stays awake */
	if (k->switches)
		sysfs_write("on", 0, 2, NULL, all->board->root, "%s/power/control", h->path);
	return k->switches;
}

static void port_add(struct ports *all, const struct hub *h, const char *hub_name, unsigned number)
{
	struct port p = {.switched = h->switches};
	char label[24];
	bool top = strcmp(h->devpath, "0") == 0;

	if (all->count == HARDWARE_MAX)
		return;
	/* a root hub's interface is named by its bus: usb1/1-0:1.0/usb1-port2 */
	if (top)
		snprintf(p.path, sizeof(p.path), "%.400s/%u-0:1.0/%.16s-port%u", h->path,
			 (unsigned)h->bus, hub_name, number);
	else
		snprintf(p.path, sizeof(p.path), "%.400s/%.32s:1.0/%.32s-port%u", h->path, hub_name,
			 hub_name, number);
	if (!sysfs_exists(all->board->root, "%s/disable", p.path))
		return;
	if (h->superspeed && sysfs_exists(all->board->root, "%s/peer", p.path))
		return; /* the other half speaks for both */
	if (!p.switched && !sysfs_exists(all->board->root, "%s/device", p.path))
		return;
	if (top)
		snprintf(label, sizeof(label), "%s%u", h->superspeed ? "s" : "", number);
	else
		snprintf(label, sizeof(label), "%s%s.%u", h->superspeed ? "s" : "", h->devpath,
			 number);
	snprintf(p.id, sizeof(p.id), "usb-%.30s-%.24s", h->controller, label);
	snprintf(p.label, sizeof(p.label), "%s", label);
	all->list[all->count++] = p;
}

static void hub_found(void *context, const char *name)
{
	struct ports *all = context;
	struct hub hub;

	if (!hub_read(all->board, &hub, name))
		return;
	hub.switches = hub_ask(all, &hub);
	for (unsigned i = 1; i <= hub.ports; i++)
		port_add(all, &hub, name, i);
}

/* All ports; the caller frees. NULL: out of memory. */
static struct ports *ports_read(const struct board *b)
{
	struct ports *all = calloc(1, sizeof(*all));

	if (all) {
		all->board = b;
		sysfs_each(hub_found, all, HUBS_MAX, b->root, "/sys/bus/usb/devices");
	}
	return all;
}

static const struct port *port_find(const struct ports *all, const char *id)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].id, id) == 0)
			return &all->list[i];
	}
	return NULL;
}

/* The class of a device whose interfaces tell it is that of the first. */
static uint32_t class_read(const char *root, const char *path)
{
	const char *name = strrchr(path, '/');
	uint64_t class = 0;

	if (!sysfs_number(&class, 16, 255, root, "%s/bDeviceClass", path) || class == 0)
		sysfs_number(&class, 16, 255, root, "%s%s:1.0/bInterfaceClass", path,
			     name ? name : "");
	return (uint32_t) class;
}

static void content_read(const struct board *b, struct verbs_device *d, const char *path)
{
	struct verbs_content *c = &d->contents[0];
	const struct node *n = node_below(b, path);
	char maker[64], product[64];
	uint64_t vendor = 0, model = 0;

	d->content_count = 1;
	sysfs_number(&vendor, 16, 0xffff, b->root, "%s/idVendor", path);
	sysfs_number(&model, 16, 0xffff, b->root, "%s/idProduct", path);
	sysfs_text(maker, sizeof(maker), b->root, "%s/manufacturer", path);
	sysfs_text(product, sizeof(product), b->root, "%s/product", path);
	c->vendor = (uint32_t)vendor;
	c->product = (uint32_t)model;
	c->class = class_read(b->root, path);
	c->kind = n			   ? (uint16_t)n->kind
		  : c->class == CLASS_DISK ? VERBS_CONTENT_DISK
					   : VERBS_CONTENT_OTHER;
	if (maker[0] || product[0])
		snprintf(c->name, sizeof(c->name), "%.31s%s%.31s", maker,
			 maker[0] && product[0] ? " " : "", product);
	else
		snprintf(c->name, sizeof(c->name), "USB device %04x:%04x", c->vendor, c->product);
	if (n)
		memcpy(c->node, n->name, sizeof(c->node));
}

/* The hub's word, unless a device that is there says otherwise. */
static void port_power(const struct board *b, struct verbs_device *d, const struct port *p,
		       bool occupied)
{
	uint64_t disabled;

	d->error[0] = '\0';
	d->power = VERBS_POWER_UNKNOWN;
	if (!p->switched)
		return;
	if (!sysfs_number(&disabled, 10, 1, b->root, "%s/disable", p->path))
		snprintf(d->error, sizeof(d->error), "The port's hub does not answer.");
	else if (disabled && !occupied)
		d->power = VERBS_POWER_OFF;
	else
		d->power = VERBS_POWER_ON;
	if (d->power == VERBS_POWER_ON && disabled)
		snprintf(d->error, sizeof(d->error),
			 "The hub says that the port is off, and the device is there.");
}

static void port_state(const struct board *b, struct verbs_device *d, const struct port *p,
		       bool contents)
{
	char path[SYSFS_PATH];
	bool occupied = sysfs_real(path, b->root, "%s/device", p->path) ||
			sysfs_real(path, b->root, "%s/peer/device", p->path);

	port_power(b, d, p, occupied);
	if (!contents)
		return;
	d->content_count = 0;
	memset(d->contents, 0, sizeof(d->contents));
	if (occupied)
		content_read(b, d, path);
}

static void port_describe(struct board *b, struct verbs_device *d, const struct port *p)
{
	char path[SYSFS_PATH];

	snprintf(d->name, sizeof(d->name), "USB port %s", p->label);
	if (p->switched)
		d->gate = VERBS_GATE_PORT;
	else
		snprintf(d->note, sizeof(d->note), "Its hub cannot switch single ports.");
	port_state(b, d, p, true);
	if (sysfs_real(path, b->root, "%s/device", p->path) && system_below(b, path))
		snprintf(d->needed, sizeof(d->needed), "The appliance's own system is on it.");
}

/* What hangs on a hub in a port goes off with that port. */
static void groups_make(struct inventory *out, unsigned first)
{
	for (unsigned i = first; i < out->count; i++) {
		struct verbs_device *outer = &out->devices[i];
		size_t length = strlen(outer->id);

		for (unsigned k = first; k < out->count; k++) {
			struct verbs_device *inner = &out->devices[k];

			if (outer->gate != VERBS_GATE_PORT ||
			    strncmp(inner->id, outer->id, length) != 0 ||
			    inner->id[length] != '.' || inner->gate != VERBS_GATE_PORT)
				continue;
			if (!outer->group[0])
				memcpy(outer->group, outer->id, sizeof(outer->group));
			memcpy(inner->group, outer->group, sizeof(inner->group));
			snprintf(inner->group_reason, sizeof(inner->group_reason),
				 "One hangs on a hub in the other.");
			memcpy(outer->group_reason, inner->group_reason,
			       sizeof(outer->group_reason));
		}
	}
}

void usb_scan(struct board *b, struct inventory *out)
{
	struct ports *all = ports_read(b);
	unsigned first = out->count;

	free(b->ports);
	b->ports = all;
	for (unsigned i = 0; all && i < all->count; i++) {
		struct verbs_device *d;
		char path[SYSFS_PATH];
		uint64_t class = 0;

		/* a hub that cannot be switched off is no device, it carries some */
		if (!all->list[i].switched &&
		    (!sysfs_real(path, b->root, "%s/device", all->list[i].path) ||
		     (sysfs_number(&class, 16, 255, b->root, "%s/bDeviceClass", path) &&
		      class == CLASS_HUB)))
			continue;
		d = inventory_add(out, all->list[i].id, VERBS_KIND_USB);
		if (d)
			port_describe(b, d, &all->list[i]);
	}
	groups_make(out, first);
}

void usb_read(const struct board *b, struct verbs_device *d, bool contents)
{
	const struct port *p = b->ports ? port_find(b->ports, d->id) : NULL;

	if (p) {
		port_state(b, d, p, contents);
	} else {
		d->power = VERBS_POWER_UNKNOWN;
		snprintf(d->error, sizeof(d->error), "The port's hub is gone.");
	}
}

/*
 * The kernel takes the device out before it cuts the power, so a drive can write back what it holds (sysfs-bus-usb,
 * .../disable).
 */
int usb_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e)
{
	const struct port *p = b->ports ? port_find(b->ports, d->id) : NULL;
	int result;

	if (!p || !p->switched)
		return error_set(e, ERROR_RAIL_FAULT, "The port's hub does not answer.");
	if (!on)
		uplink_remove_below(b, p->path);
	result = sysfs_write(on ? "0" : "1", 0, 1, e, b->root, "%s/disable", p->path);
	if (sysfs_exists(b->root, "%s/peer/disable", p->path) &&
	    sysfs_write(on ? "0" : "1", 0, 1, e, b->root, "%s/peer/disable", p->path) < 0)
		result = -1;
	return result;
}
