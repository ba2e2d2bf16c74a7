/*
 * Rails of the SoC, which the hypervisor switches and keeper asks for (hypervisor/xen/domus_power.h). A device is found by its
 * first register; all that hang on one rail move together. Dom0 drives a device of the SoC for its domain, so a rail that comes
 * on is given to Dom0, and one that is off is nobody's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hypervisor/xen/domus_power.h"
#include "keeper/hardware_board.h"

enum { LEVEL_OFF = 1, LEVEL_ON = 2, REASON_BOOT = 0 }; /* struct domus_rail */
#define SETTLE_MS 1500 /* the firmware's patience is 150 ms; one rail has up to a dozen resources */
#define NAP_MS	  1    /* a reading takes a fraction of one, and there are dozens of rails */
#define DOM0	  0

bool platform_has_rail(const struct board *b, uint64_t address)
{
	struct domus_power_find find = {.address = address};

	return board_power_call(b, DOMUS_POWER_find, &find) == 0;
}

static int rail_get(const struct board *b, const struct verbs_device *d, struct domus_rail *rail)
{
	struct domus_power_find find = {.address = d->mmio_base};
	int error = board_power_call(b, DOMUS_POWER_find, &find);

	memset(rail, 0, sizeof(*rail));
	rail->index = find.index;
	return error < 0 ? error : board_power_call(b, DOMUS_POWER_get, rail);
}

static void power_fill(struct verbs_device *d, const struct domus_rail *rail)
{
	d->error[0] = '\0';
	d->power = rail->actual == LEVEL_ON    ? VERBS_POWER_ON
		   : rail->actual == LEVEL_OFF ? VERBS_POWER_OFF
					       : VERBS_POWER_UNKNOWN;
	if (rail->error)
		snprintf(d->error, sizeof(d->error),
			 "The board's firmware does not do as it is told: %s.",
			 strerror(-rail->error));
}

/*
 * What the hypervisor keeps, and what the board's device tree gives to Dom0's own kernel, which switches it itself, is needed; its
 * driver may not be loaded yet. All other rails are ours to switch.
 */
static void rail_found(struct verbs_device *d, const struct domus_rail *rail)
{
	d->gate = VERBS_GATE_PLATFORM;
	d->note[0] = '\0';
	power_fill(d, rail);
	if (d->needed[0])
		return;
	if (rail->owner == DOMUS_OWNER_HYPERVISOR)
		snprintf(d->needed, sizeof(d->needed), "The hypervisor keeps it on: %.*s.",
			 (int)sizeof(rail->why), rail->why);
	else if (rail->owner == DOM0 && rail->reason == REASON_BOOT)
		snprintf(d->needed, sizeof(d->needed),
			 "The board's device tree gives it to the appliance's own system.");
}

/* Those on one rail; ids are of those from first on, 0: none. */
static void rails_join(struct inventory *out, unsigned first, const uint32_t *ids)
{
	char reason[sizeof(out->devices[0].group_reason)];

	for (unsigned i = first; i < out->count; i++) {
		for (unsigned k = i + 1; k < out->count && ids[i - first]; k++) {
			if (ids[k - first] != ids[i - first])
				continue;
			snprintf(reason, sizeof(reason), "They hang on one power rail (%u).",
				 ids[i - first] - 1);
			platform_join(out, first, &out->devices[i], &out->devices[k], reason);
		}
	}
}

static void notes_set(struct inventory *out, unsigned first, const char *note)
{
	for (unsigned i = first; i < out->count; i++)
		snprintf(out->devices[i].note, sizeof(out->devices[i].note), "%s", note);
}

void platform_rails(const struct board *b, struct inventory *out, unsigned first)
{
	struct domus_power_info info = {0};
	uint32_t ids[HARDWARE_MAX] = {0};

	if (board_power_call(b, DOMUS_POWER_info, &info) < 0)
		return; /* another hypervisor; the note of each says so */
	if (info.version != DOMUS_POWER_VERSION) {
		notes_set(out, first,
			  info.version ? "The hypervisor speaks of power in another version."
				       : "This board has no switches for devices of the SoC.");
		return;
	}
	notes_set(out, first, "No rail of this board feeds it alone.");
	for (unsigned i = first; i < out->count; i++) {
		struct domus_rail rail;

		if (rail_get(b, &out->devices[i], &rail) < 0)
			continue;
		rail_found(&out->devices[i], &rail);
		ids[i - first] = rail.id + 1;
	}
	rails_join(out, first, ids);
}

/* Waits until the rail has settled. Negative: it does not, or the hypervisor does not tell. */
static int settle(const struct board *b, struct domus_rail *rail)
{
	static const struct timespec nap = {.tv_nsec = NAP_MS * 1000000};

	for (unsigned waited = 0; waited < SETTLE_MS; waited += NAP_MS) {
		int error = board_power_call(b, DOMUS_POWER_get, rail);

		if (error < 0 || !rail->busy)
			return error;
		nanosleep(&nap, NULL);
	}
	return -ETIMEDOUT;
}

void platform_read(const struct board *b, struct verbs_device *d)
{
	struct domus_power_set refresh = {0};
	struct domus_rail rail;
	int error = rail_get(b, d, &rail);

	/* what the hypervisor remembers is as old as the last switch: the firmware is asked */
	refresh.id = rail.id;
	if (error == 0)
		error = board_power_call(b, DOMUS_POWER_refresh, &refresh);
	if (error == 0)
		error = settle(b, &rail);
	if (error == 0) {
		power_fill(d, &rail);
		return;
	}
	d->power = VERBS_POWER_UNKNOWN;
	snprintf(d->error, sizeof(d->error), "The hypervisor does not tell: %s.", strerror(-error));
}

static int give(const struct board *b, uint32_t id, uint16_t owner)
{
	struct domus_power_give order = {.id = id, .owner = owner, .driver = DOM0};

	return board_power_call(b, DOMUS_POWER_give, &order);
}

/* Throws the switch and waits; 0, or what was wrong. */
static int switch_rail(const struct board *b, struct domus_rail *rail, bool on)
{
	struct domus_power_set set = {.id = rail->id, .on = on};
	int error = board_power_call(b, DOMUS_POWER_set, &set);

	if (error == 0)
		error = settle(b, rail);
	return error ? error : rail->error;
}

static int order(const struct board *b, struct domus_rail *rail, bool on)
{
	int error = on && rail->owner != DOM0 ? give(b, rail->id, DOM0) : 0;

	/* an earlier fault is not forgotten before it is off again */
	if (error == -EIO) {
		error = switch_rail(b, rail, false);
		if (error == 0)
			error = give(b, rail->id, DOM0);
	}
	if (error == 0)
		error = switch_rail(b, rail, on);
	if (error == 0 && !on)
		error = give(b, rail->id, DOMUS_OWNER_NOBODY);
	return error;
}

/* Dom0's driver lets go before the power does, and looks for the device when it is there again. */
static void driver_let_go(const struct board *b, const char *device)
{
	if (sysfs_exists(b->root, "/sys/bus/platform/devices/%s/driver", device))
		sysfs_write(device, 0, strlen(device), NULL, b->root,
			    "/sys/bus/platform/devices/%s/driver/unbind", device);
}

int platform_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e)
{
	const char *device = d->id + strlen("platform-");
	struct domus_rail rail;
	int error = rail_get(b, d, &rail);

	if (!on)
		driver_let_go(b, device);
	if (error == 0)
		error = order(b, &rail, on);
	if (error < 0 && on)
		order(b, &rail, false); /* its fault is the first one */
	if (error < 0)
		return error_set_errno(e, ERROR_RAIL_FAULT, -error,
				       "The hypervisor could not switch %s.", d->name);
	if (on)
		sysfs_write(device, 0, strlen(device), NULL, b->root,
			    "/sys/bus/platform/drivers_probe");
	return 0;
}
