/* The real board's devices: what sysfs and the device tree say (hardware_board.c), and the cores, which only Xen knows. */
#include <stdio.h>
#include <stdlib.h>

#include "keeper/hardware.h"
#include "keeper/machine_libxl.h"

struct board {
	struct hardware hardware; /* first: the functions get a pointer to it */
	struct machine *machine;
};

/* Dom0's vCPUs may be run by any core of its pool, so no core can be told to be spare. */
static void cores_scan(struct context *c, struct inventory *out)
{
	int count = 0;
	libxl_cputopology *topology = libxl_get_cpu_topology(c->ctx, &count);

	for (int i = 0; topology && i < count && i < VERBS_CPUS_MAX; i++) {
		struct verbs_device *d;
		char id[16];

		snprintf(id, sizeof(id), "cpu-%d", i);
		d = inventory_add(out, id, VERBS_KIND_CPU);
		if (!d)
			break;
		d->gate = VERBS_GATE_HYPERVISOR;
		d->power = topology[i].core == LIBXL_CPUTOPOLOGY_INVALID_ENTRY ? VERBS_POWER_OFF
									       : VERBS_POWER_ON;
		snprintf(d->name, sizeof(d->name), "Core %d", i);
		snprintf(d->note, sizeof(d->note), "The hypervisor switches cores by itself.");
	}
	libxl_cputopology_list_free(topology, count);
}

static int board_scan(struct hardware *h, struct inventory *out, struct error *e)
{
	struct board *b = (struct board *)h;
	struct context *c = context_take(b->machine, e);

	if (!c)
		return -1;
	cores_scan(c, out);
	context_give(b->machine, c);
	return 0;
}

/* A core: what the last scan read stands. */
static void board_read(struct hardware *h, struct verbs_device *d)
{
	(void)h, (void)d;
}

static int board_set(struct hardware *h, const struct verbs_device *d, bool on, struct error *e)
{
	(void)h, (void)on;
	return error_set(e, ERROR_RAIL_UNSUPPORTED, "%s cannot be switched.", d->name);
}

static int board_disk(struct hardware *h, const char *node, bool readonly, struct error *e)
{
	(void)h, (void)readonly;
	return error_set(e, ERROR_REFERENCE, "There is no disk %s.", node);
}

static int board_uplink(struct hardware *h, const char *node, char bridge[VERBS_BRIDGE_MAX + 1],
			struct error *e)
{
	(void)h, (void)bridge;
	return error_set(e, ERROR_REFERENCE, "There is no network interface %s.", node);
}

struct hardware *machine_hardware(struct machine *m)
{
	static struct board board;

	board = (struct board){.hardware = {.scan = board_scan,
					    .read = board_read,
					    .set = board_set,
					    .disk_open = board_disk,
					    .uplink_make = board_uplink,
					    .changed = -1},
			       .machine = m};
	return &board.hardware;
}
