/*
 * Cores. The hypervisor switches them by itself: one that no living domain can use, by its pool and affinity, is off. Ours hands
 * on what the firmware says of each (PSCI 1.1, AFFINITY_INFO, DEN0022 5.7); of others we know only that they keep theirs on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/xen/domus_power.h"
#include "keeper/hardware_board.h"

static void core_kept(struct verbs_device *d)
{
	d->gate = VERBS_GATE_NONE;
	snprintf(d->note, sizeof(d->note),
		 "This hypervisor keeps every core on and offers no switch.");
}

void core_read(const struct board *b, struct verbs_device *d)
{
	struct domus_power_core core = {
		.index = (uint32_t)strtoul(d->id + strlen("cpu-"), NULL, 10)};
	int error = board_power_call(b, DOMUS_POWER_core, &core);

	if (error < 0) {
		core_kept(d);
		return;
	}
	d->gate = VERBS_GATE_HYPERVISOR;
	d->cluster = core.cluster;
	d->error[0] = '\0';
	switch (core.affinity) {
	case 0:
		d->power = VERBS_POWER_ON;
		snprintf(d->note, sizeof(d->note),
			 "PSCI says on. The hypervisor switches cores by itself.");
		return;
	case 1:
		d->power = VERBS_POWER_OFF;
		snprintf(d->note, sizeof(d->note),
			 "PSCI says off: no domain that lives can use it.");
		return;
	case 2:
		d->power = VERBS_POWER_ON;
		snprintf(d->note, sizeof(d->note), "PSCI says that it is on its way.");
		return;
	default:
		d->power = VERBS_POWER_UNKNOWN;
		snprintf(d->note, sizeof(d->note), "The hypervisor switches cores by itself.");
		snprintf(d->error, sizeof(d->error), "PSCI answers %d.", core.affinity);
	}
}
