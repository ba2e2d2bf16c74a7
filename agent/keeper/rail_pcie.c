/*
 * The power of a PCI Express slot (PCI Express Base Specification 7.5.3.10, Slot Control; 6.7 for the order). Off: drivers
 * let go, functions are removed from Dom0's view, the power controller opens. On: it closes, the link comes up, Dom0 looks
 * for what is there. The Power Indicator is never set to off together with the power: to QEMU that means that somebody
 * pulls the card, and it is gone for good.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keeper/hardware_board.h"

#define SLOT_CONTROL	0x18
#define LINK_STATUS	0x12
#define LINK_ACTIVE	(1u << 13)
#define POWER_OFF	(1u << 10)
#define INDICATOR	(3u << 8)
#define INDICATOR_ON	(1u << 8)
#define LINK_WAIT_MS	1000
#define CONFIG_READY_MS 100 /* 6.6.1: no configuration request sooner after power-on */

struct removal {
	const struct board *board;
	const char *path; /* of the port */
	struct error *e;
	int result;
};

static void nap(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static bool is_function(const char *name)
{
	return strlen(name) == 12 && name[4] == ':' && name[7] == ':' && name[10] == '.';
}

/* Without its driver first: a driver that hangs in its goodbye is then seen as such. */
static void function_remove(void *context, const char *name)
{
	struct removal *r = context;

	if (!is_function(name))
		return;
	if (sysfs_exists(r->board->root, "%s/%s/driver", r->path, name))
		sysfs_write(name, 0, strlen(name), NULL, r->board->root, "%s/%s/driver/unbind",
			    r->path, name);
	if (sysfs_write("1", 0, 1, r->e, r->board->root, "%s/%s/remove", r->path, name) < 0)
		r->result = -1;
}

/*
 * Linux's own hot-plug driver takes the slot for its own: told to switch off it sets the Power Indicator too. One hand on
 * the switch: it lets go of the slot, which changes nothing there.
 */
static void hotplug_release(void *context, const char *name)
{
	const struct removal *r = context;
	char driver[SYSFS_PATH];
	const char *last;

	if (!strstr(name, ":pcie") ||
	    !sysfs_real(driver, r->board->root, "%s/%s/driver", r->path, name))
		return;
	last = strrchr(driver, '/');
	if (last && strcmp(last, "/pciehp") == 0)
		sysfs_write(name, 0, strlen(name), NULL, r->board->root, "%s/unbind", driver);
}

static int control_write(const struct board *b, const char *path, const struct pcie_port *port,
			 bool on, struct error *e)
{
	unsigned control = on ? port->control & ~POWER_OFF : port->control | POWER_OFF;
	uint8_t bytes[2];

	if ((control & INDICATOR) == INDICATOR || (control & INDICATOR) == 0)
		control = (control & ~INDICATOR) | INDICATOR_ON;
	bytes[0] = (uint8_t)control;
	bytes[1] = (uint8_t)(control >> 8);
	return sysfs_write(bytes, port->capability + SLOT_CONTROL, sizeof(bytes), e, b->root,
			   "%s/config", path);
}

/* Of a port that reports its link; the others have the pause alone. */
static void link_wait(const struct board *b, const char *path, const struct pcie_port *port)
{
	uint8_t status[2] = {0};

	for (unsigned waited = 0; port->reports_link && waited < LINK_WAIT_MS; waited += 20) {
		if (sysfs_bytes(status, port->capability + LINK_STATUS, sizeof(status), b->root,
				"%s/config", path) == sizeof(status) &&
		    ((status[0] | (unsigned)status[1] << 8) & LINK_ACTIVE))
			break;
		nap(20);
	}
	nap(CONFIG_READY_MS);
}

/* What Dom0 still sees behind a slot that is off went off under its driver: nobody would set it up again. */
static int slot_on(const struct board *b, const char *path, const struct pcie_port *port,
		   struct error *e)
{
	sysfs_each(function_remove, &(struct removal){.board = b, .path = path}, FUNCTIONS_MAX,
		   b->root, "%s", path);
	if (control_write(b, path, port, true, e) < 0)
		return -1;
	link_wait(b, path, port);
	return sysfs_write("1", 0, 1, e, b->root, "%s/rescan", path);
}

static int slot_off(const struct board *b, const char *path, const struct pcie_port *port,
		    struct error *e)
{
	struct removal r = {.board = b, .path = path, .e = e};

	uplink_remove_below(b, path);
	sysfs_each(function_remove, &r, FUNCTIONS_MAX, b->root, "%s", path);
	/* power goes in any case: nobody may have the device */
	if (control_write(b, path, port, false, e) < 0)
		return -1;
	return r.result;
}

int pcie_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e)
{
	char path[SYSFS_PATH];
	struct pcie_port port;

	if (!pcie_find(b, d->id, path, &port) || !port.power)
		return error_set(e, ERROR_RAIL_FAULT, "The slot's port does not answer.");
	sysfs_each(hotplug_release, &(struct removal){.board = b, .path = path}, FUNCTIONS_MAX,
		   b->root, "%s", path);
	return on ? slot_on(b, path, &port, e) : slot_off(b, path, &port, e);
}
