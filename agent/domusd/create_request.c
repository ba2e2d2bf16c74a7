#include "domusd/create_request.h"

#include <stdio.h>
#include <stdlib.h>

static void mac_bytes(const char *text, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
}

#define COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

void create_request_fill(struct verbs_create_request *r, const struct domain_row *row)
{
	const struct definition *d = &row->definition;

	verbs_start(r, sizeof(*r), VERB_DOMAIN_CREATE, 0);
	r->domain = row->id;
	r->memory_mib = d->memory_mib;
	r->affinity[0] = d->cpu.affinity;
	r->vcpus = d->vcpus;
	r->weight = d->cpu.weight;
	r->cap = d->cpu.cap;
	COPY(r->pool, d->cpu.pool);
	COPY(r->kernel, d->kernel);
	COPY(r->initrd, d->initrd);
	COPY(r->cmdline, d->cmdline);
	r->disk_count = d->disk_count;
	for (unsigned i = 0; i < d->disk_count; i++) {
		COPY(r->disks[i].vdev, d->disks[i].name);
		COPY(r->disks[i].volume, d->disks[i].volume);
		COPY(r->disks[i].device, d->disks[i].device);
		r->disks[i].readonly = d->disks[i].readonly;
	}
	r->nic_count = d->nic_count;
	for (unsigned i = 0; i < d->nic_count; i++) {
		COPY(r->nics[i].bridge, d->nics[i].network); /* a network's id is its bridge */
		COPY(r->nics[i].device, d->nics[i].device);
		mac_bytes(d->nics[i].mac, r->nics[i].mac);
		r->nics[i].devid = (uint8_t)i;
	}
	r->device_count = d->device_count;
	for (unsigned i = 0; i < d->device_count; i++)
		COPY(r->devices[i], d->devices[i]);
}
