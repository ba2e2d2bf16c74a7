/* The real board's devices: what Dom0's kernel shows (hardware_board.c), and the cores, which only Xen knows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>

#include "hypervisor/xen/domus_power.h"
#include "keeper/hardware_board.h"
#include "keeper/machine_libxl.h"

struct libxl_board {
	struct hardware hardware; /* first: the functions get a pointer to it */
	struct machine *machine;
	struct board board;
	xencall_handle *call; /* NULL: no calls of our own */
	void *shared;	      /* a page for their arguments */
};

static const size_t power_sizes[] = {
	[DOMUS_POWER_info] = sizeof(struct domus_power_info),
	[DOMUS_POWER_get] = sizeof(struct domus_rail),
	[DOMUS_POWER_set] = sizeof(struct domus_power_set),
	[DOMUS_POWER_give] = sizeof(struct domus_power_give),
	[DOMUS_POWER_refresh] = sizeof(struct domus_power_set),
	[DOMUS_POWER_find] = sizeof(struct domus_power_find),
	[DOMUS_POWER_core] = sizeof(struct domus_power_core),
};

/* Cores that Xen left off at boot, being of another kind than the first, have no place in the topology. */
static void cores_scan(const struct libxl_board *b, struct context *c, struct inventory *out)
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
		d->power = topology[i].core == LIBXL_CPUTOPOLOGY_INVALID_ENTRY ? VERBS_POWER_OFF
									       : VERBS_POWER_ON;
		snprintf(d->name, sizeof(d->name), "Core %d", i);
		core_read(&b->board, d);
	}
	libxl_cputopology_list_free(topology, count);
}

/*
 * Our own hypercall. libxencall carries the number as it is; the argument lies in memory that the hypervisor can reach. One call
 * at a time: rails.c holds its gates.
 */
static int power_call(void *context, unsigned op, void *argument)
{
	struct libxl_board *b = context;
	size_t size = op < sizeof(power_sizes) / sizeof(*power_sizes) ? power_sizes[op] : 0;
	int result;

	if (!b->call || !size)
		return -ENOSYS;
	memcpy(b->shared, argument, size);
	result = xencall2(b->call, DOMUS_POWER_HYPERCALL, op, (uint64_t)(uintptr_t)b->shared);
	if (result < 0)
		return -errno;
	memcpy(argument, b->shared, size);
	return 0;
}

static int scan(struct hardware *h, struct inventory *out, struct error *e)
{
	struct libxl_board *b = (struct libxl_board *)h;
	struct context *c = context_take(b->machine, e);

	board_changes_drain(h->changed);
	if (!c)
		return -1;
	cores_scan(b, c, out);
	context_give(b->machine, c);
	return board_scan(&b->board, out, e);
}

static void read_back(struct hardware *h, struct verbs_device *d, bool contents)
{
	board_read(&((struct libxl_board *)h)->board, d, contents);
}

static int set(struct hardware *h, const struct verbs_device *d, bool on, struct error *e)
{
	return board_set(&((struct libxl_board *)h)->board, d, on, e);
}

static int disk_open(struct hardware *h, const char *node, bool readonly, struct error *e)
{
	return board_disk_open(&((struct libxl_board *)h)->board, node, readonly, e);
}

static int uplink(struct hardware *h, const char *node, char bridge[VERBS_BRIDGE_MAX + 1],
		  struct error *e)
{
	(void)h;
	return uplink_make(node, bridge, e);
}

struct hardware *machine_hardware(struct machine *m)
{
	static struct libxl_board board; /* there is one board */

	board.hardware = (struct hardware){.scan = scan,
					   .read = read_back,
					   .set = set,
					   .disk_open = disk_open,
					   .uplink_make = uplink,
					   .changed = board_changes()};
	board.machine = m;
	board.board.root = "";
	board.board.hub_switches = usb_hub_switches;
	board.board.power_call = power_call;
	board.board.power_context = &board;
	board.call = call_open();
	board.shared = board.call ? xencall_alloc_buffer_pages(board.call, 1) : NULL;
	if (!board.shared)
		board.call = NULL;
	return &board.hardware;
}
