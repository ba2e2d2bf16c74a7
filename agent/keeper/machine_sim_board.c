/*
 * The simulated board's devices: a table, and gates that can be told to misbehave. The file of faults is read at each
 * look, so a test changes it while keeper runs. One line each:
 *   ID stuck-on | stuck-off | late MS | pulled | vanished
 * stuck: the gate takes the command and nothing happens; late: it happens after MS milliseconds; pulled: what was plugged
 * in is gone; vanished: the device itself is.
 */
#include "keeper/machine_sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keeper/hardware.h"

#define DISK_BYTES (64 << 20)

struct part {
	const char *id, *name, *needed, *note, *group, *group_reason;
	enum verbs_kind kind;
	enum verbs_gate gate;
	uint64_t mmio;
	uint32_t irq;
	enum verbs_content_kind content;
	const char *content_name, *node;
	uint32_t vendor, product, class;
};

#define NO_SLOT		      .note = "It sits in no slot."
#define MMIO(address, number) .kind = VERBS_KIND_PLATFORM, .mmio = (address), .irq = (number)
#define HUB_PORT(number)                                                                           \
	.kind = VERBS_KIND_USB, .gate = VERBS_GATE_PORT, .name = "USB port 1." number

static const struct part parts[] = {
	{.id = "pcie-00.01.0",
	 .kind = VERBS_KIND_PCIE,
	 .gate = VERBS_GATE_SLOT,
	 .name = "PCIe slot 1",
	 .content = VERBS_CONTENT_DISK,
	 .content_name = "NVMe disk controller 1b36:0010",
	 .node = "nvme0n1",
	 .vendor = 0x1b36,
	 .product = 0x0010,
	 .class = 0x010802},
	{.id = "pcie-00.02.0",
	 .kind = VERBS_KIND_PCIE,
	 .gate = VERBS_GATE_SLOT,
	 .name = "PCIe slot 2",
	 .content = VERBS_CONTENT_NIC,
	 .content_name = "Ethernet controller 8086:10d3",
	 .node = "eth1",
	 .vendor = 0x8086,
	 .product = 0x10d3,
	 .class = 0x020000},
	{.id = "pcie-00.03.0",
	 .kind = VERBS_KIND_PCIE,
	 .gate = VERBS_GATE_NONE,
	 NO_SLOT,
	 .name = "USB controller 1b36:000d",
	 .needed = "The board's USB ports hang on it."},
	{.id = "platform-5a060000.serial",
	 MMIO(0x5a060000, 377),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "serial 5a060000",
	 .needed = "It is the hypervisor's console."},
	{.id = "platform-5b010000.mmc",
	 MMIO(0x5b010000, 264),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "mmc 5b010000",
	 .needed = "The appliance's own system is on it."},
	{.id = "platform-5b020000.mmc",
	 MMIO(0x5b020000, 265),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "mmc 5b020000"},
	{.id = "platform-5b040000.ethernet",
	 MMIO(0x5b040000, 290),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "ethernet 5b040000",
	 .needed = "The appliance is reached through it."},
	{.id = "platform-5b050000.ethernet",
	 MMIO(0x5b050000, 294),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "ethernet 5b050000"},
	{.id = "platform-53100000.gpu",
	 MMIO(0x53100000, 96),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "gpu 53100000",
	 .group = "platform-53100000.gpu",
	 .group_reason = "They share IOMMU stream 0x15."},
	{.id = "platform-56180000.display",
	 MMIO(0x56180000, 72),
	 .gate = VERBS_GATE_PLATFORM,
	 .name = "display 56180000",
	 .group = "platform-53100000.gpu",
	 .group_reason = "They share IOMMU stream 0x15."},
	{.id = "platform-5d080000.gpio",
	 MMIO(0x5d080000, 168),
	 .gate = VERBS_GATE_NONE,
	 .note = "The hypervisor has no rail for it.",
	 .name = "gpio 5d080000"},
	{.id = "usb-00.03.0-1.1",
	 HUB_PORT("1"),
	 .content = VERBS_CONTENT_DISK,
	 .content_name = "Simulated USB drive",
	 .node = "sda",
	 .vendor = 0x46f4,
	 .product = 1,
	 .class = 8},
	{.id = "usb-00.03.0-1.2",
	 HUB_PORT("2"),
	 .content = VERBS_CONTENT_OTHER,
	 .content_name = "Simulated keyboard",
	 .vendor = 0x0627,
	 .product = 1,
	 .class = 3},
	{.id = "usb-00.03.0-1.3", HUB_PORT("3")},
	{.id = "usb-00.03.0-1.4", HUB_PORT("4")},
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

struct fault {
	bool stuck_on, stuck_off, pulled, vanished;
	unsigned late_ms;
};

struct sim_board {
	struct hardware hardware; /* first: the functions get a pointer to it */
	struct machine *machine;
	char faults[256];
	char truth[256];
	bool ungated, told; /* told: `powered` is in the file */
	bool powered[PARTS];
	bool on[PARTS], before[PARTS];
	int64_t due_ms[PARTS]; /* until then the gate reads what was before */
};

static struct fault fault_read(const struct sim_board *b, const char *id)
{
	FILE *f = b->faults[0] ? fopen(b->faults, "re") : NULL;
	struct fault fault = {0};
	char line[160], name[VERBS_DEVICE_MAX + 1], what[16];
	unsigned number;

	while (f && fgets(line, sizeof(line), f)) {
		int count = sscanf(line, "%63s %15s %u", name, what, &number);

		if (count < 2 || strcmp(name, id) != 0)
			continue;
		fault.stuck_on |= strcmp(what, "stuck-on") == 0;
		fault.stuck_off |= strcmp(what, "stuck-off") == 0;
		fault.pulled |= strcmp(what, "pulled") == 0;
		fault.vanished |= strcmp(what, "vanished") == 0;
		if (count == 3 && strcmp(what, "late") == 0)
			fault.late_ms = number;
	}
	if (f)
		fclose(f);
	return fault;
}

static bool part_on(const struct sim_board *b, unsigned n, const struct fault *f)
{
	if (f->stuck_on || f->stuck_off)
		return f->stuck_on;
	return sim_now_ms() < b->due_ms[n] ? b->before[n] : b->on[n];
}

/* What an outside observer sees: the file of those that have power, replaced as a whole when it changes. */
static void truth_tell(struct sim_board *b)
{
	bool changed = !b->told;
	char path[sizeof(b->truth) + 4];
	FILE *f;

	if (!b->truth[0])
		return;
	for (unsigned i = 0; i < PARTS; i++) {
		struct fault fault = fault_read(b, parts[i].id);
		bool powered = b->ungated || part_on(b, i, &fault);

		changed |= powered != b->powered[i];
		b->powered[i] = powered;
	}
	snprintf(path, sizeof(path), "%s.new", b->truth);
	f = changed ? fopen(path, "we") : NULL;
	if (!f)
		return;
	for (unsigned i = 0; i < PARTS; i++)
		if (b->powered[i])
			fprintf(f, "%s\n", parts[i].id);
	b->told = fclose(f) == 0 && rename(path, b->truth) == 0;
}

static void part_power(const struct sim_board *b, unsigned n, struct verbs_device *d, bool contents)
{
	const struct part *p = &parts[n];
	struct fault f = fault_read(b, p->id);
	bool on = part_on(b, n, &f);

	d->error[0] = '\0';
	d->power = (uint16_t)(p->gate == VERBS_GATE_NONE ? VERBS_POWER_UNKNOWN
			      : on			 ? VERBS_POWER_ON
							 : VERBS_POWER_OFF);
	if (!contents)
		return;
	d->content_count = 0;
	memset(d->contents, 0, sizeof(d->contents));
	if (!p->content || !on || f.pulled)
		return;
	d->content_count = 1;
	d->contents[0] = (struct verbs_content){.vendor = p->vendor,
						.product = p->product,
						.class = p->class,
						.kind = (uint16_t)p->content};
	snprintf(d->contents[0].name, sizeof(d->contents[0].name), "%s", p->content_name);
	snprintf(d->contents[0].node, sizeof(d->contents[0].node), "%s", p->node ? p->node : "");
}

static void part_describe(const struct sim_board *b, unsigned n, struct inventory *out)
{
	const struct part *p = &parts[n];
	struct verbs_device *d = inventory_add(out, p->id, p->kind);

	if (!d)
		return;
	d->gate = (uint16_t)p->gate;
	d->mmio_base = p->mmio;
	d->mmio_size = p->mmio ? 0x10000 : 0;
	d->irq = p->irq;
	snprintf(d->name, sizeof(d->name), "%s", p->name);
	snprintf(d->needed, sizeof(d->needed), "%s", p->needed ? p->needed : "");
	snprintf(d->note, sizeof(d->note), "%s", p->note ? p->note : "");
	snprintf(d->group, sizeof(d->group), "%s", p->group ? p->group : "");
	snprintf(d->group_reason, sizeof(d->group_reason), "%s",
		 p->group_reason ? p->group_reason : "");
	part_power(b, n, d, true);
}

/* Dom0 runs on the first two cores; the others are on while any guest could use them. */
static void cores_describe(const struct sim_board *b, struct inventory *out)
{
	bool lives = sim_guest_lives(b->machine);

	for (unsigned i = 0; i < b->machine->options.cpus; i++) {
		struct verbs_device *d;
		char id[16];

		snprintf(id, sizeof(id), "cpu-%u", i);
		d = inventory_add(out, id, VERBS_KIND_CPU);
		if (!d)
			return;
		d->gate = VERBS_GATE_HYPERVISOR;
		d->cluster = i / 4;
		d->power = i < 2 || lives ? VERBS_POWER_ON : VERBS_POWER_OFF;
		snprintf(d->name, sizeof(d->name), "Cortex-%s core %u", i < 4 ? "A53" : "A72", i);
		if (i < 2)
			snprintf(d->needed, sizeof(d->needed),
				 "The appliance's own system runs on it.");
		snprintf(d->note, sizeof(d->note), "The hypervisor switches cores by itself.");
	}
}

static int board_scan(struct hardware *h, struct inventory *out, struct error *e)
{
	struct sim_board *b = (struct sim_board *)h;

	(void)e;
	truth_tell(b);
	cores_describe(b, out);
	for (unsigned i = 0; i < PARTS; i++) {
		if (!fault_read(b, parts[i].id).vanished)
			part_describe(b, i, out);
	}
	return 0;
}

static unsigned part_find(const char *id)
{
	unsigned i = 0;

	while (i < PARTS && strcmp(parts[i].id, id) != 0)
		i++;
	return i;
}

static void board_read(struct hardware *h, struct verbs_device *d, bool contents)
{
	struct sim_board *b = (struct sim_board *)h;
	unsigned n = part_find(d->id);

	truth_tell(b);
	if (n == PARTS)
		return; /* a core: the last scan's word stands */
	if (!fault_read(b, d->id).vanished) {
		part_power(b, n, d, contents);
		return;
	}
	d->power = VERBS_POWER_UNKNOWN;
	snprintf(d->error, sizeof(d->error), "%s does not answer.", d->name);
}

static int board_set(struct hardware *h, const struct verbs_device *d, bool on, struct error *e)
{
	struct sim_board *b = (struct sim_board *)h;
	unsigned n = part_find(d->id);
	struct fault f = fault_read(b, d->id);

	if (n == PARTS || f.vanished)
		return error_set(e, ERROR_RAIL_FAULT, "%s does not answer.", d->name);
	b->before[n] = part_on(b, n, &f);
	b->due_ms[n] = f.late_ms ? sim_now_ms() + f.late_ms : 0;
	b->on[n] = on;
	truth_tell(b);
	return 0;
}

static int board_disk(struct hardware *h, const char *node, bool readonly, struct error *e)
{
	int fd = memfd_create(node, MFD_CLOEXEC);

	(void)h, (void)readonly;
	if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
		return error_set(e, ERROR_INTERNAL, "The simulated disk cannot be made.");
	return fd;
}

static int board_uplink(struct hardware *h, const char *node, char bridge[VERBS_BRIDGE_MAX + 1],
			struct error *e)
{
	(void)h, (void)e;
	snprintf(bridge, VERBS_BRIDGE_MAX + 1, "up-%.12s", node);
	return 0;
}

struct sim_board *board_new(struct machine *m, struct error *e)
{
	struct sim_board *b = calloc(1, sizeof(*b));

	if (!b) {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	b->hardware = (struct hardware){.scan = board_scan,
					.read = board_read,
					.set = board_set,
					.disk_open = board_disk,
					.uplink_make = board_uplink,
					.changed = -1};
	b->machine = m;
	memcpy(b->faults, m->options.faults, sizeof(b->faults));
	memcpy(b->truth, m->options.truth, sizeof(b->truth));
	b->ungated = m->options.ungated;
	for (unsigned i = 0; i < PARTS; i++)
		b->on[i] = true; /* a board comes up with everything on */
	return b;
}

void board_free(struct sim_board *b)
{
	free(b);
}

struct hardware *board_hardware(struct sim_board *b)
{
	return &b->hardware;
}
