/* What the machine is, and who lives on it. */
#include "keeper/machine_libxl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS "-domus-" /* begins the extra version of our own hypervisor */

static void text_set(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++) {
		if (*to < ' ' || *to > '~')
			*to = '?';
	}
}

static void file_read(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t length = f ? fread(to, 1, size - 1, f) : 0;

	to[length] = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* Stock Xen runs on cores of one kind only (it parks the others), so the MIDR that Dom0 sees is that of all. */
static uint64_t midr_read(void)
{
	char text[32];

	file_read("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", text, sizeof(text));
	return strtoull(text, NULL, 16);
}

static void cpus_fill(struct context *c, const libxl_physinfo *info, struct verbs_board_response *r)
{
	int count = 0;
	libxl_cputopology *topology = libxl_get_cpu_topology(c->ctx, &count);
	uint64_t midr = midr_read();

	r->cpus_online = info->nr_cpus;
	r->cpu_count = info->max_cpu_id + 1;
	if (r->cpu_count > VERBS_CPUS_MAX)
		r->cpu_count = VERBS_CPUS_MAX;
	if (r->cpus_online > r->cpu_count)
		r->cpus_online = r->cpu_count;
	for (uint32_t i = 0; i < r->cpu_count; i++) {
		bool online = topology && (int)i < count &&
			      topology[i].core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY;

		r->cpus[i] = (struct verbs_cpu){
			.midr = online ? midr : 0, .cluster = UINT32_MAX, .online = online};
	}
	libxl_cputopology_list_free(topology, count);
}

int machine_board(struct machine *m, struct verbs_board_response *r, struct error *e)
{
	struct context *c = context_take(m, e);
	const libxl_version_info *version;
	libxl_physinfo info;
	char model[128];
	int rc;

	if (!c)
		return -1;
	libxl_physinfo_init(&info);
	rc = libxl_get_physinfo(c->ctx, &info);
	version = libxl_get_version_info(c->ctx);
	if (rc == 0 && version) {
		/* Our own hypervisor reports the ABI's version, and its own in the extra version. */
		if (strncmp(version->xen_version_extra, OURS, sizeof(OURS) - 1) == 0) {
			text_set(r->hypervisor, sizeof(r->hypervisor), "domus");
			text_set(r->version, sizeof(r->version),
				 version->xen_version_extra + sizeof(OURS) - 1);
		} else {
			text_set(r->hypervisor, sizeof(r->hypervisor), "Xen");
			snprintf(r->version, sizeof(r->version), "%d.%d",
				 version->xen_version_major, version->xen_version_minor);
		}
		text_set(r->extra, sizeof(r->extra), version->xen_version_extra);
		text_set(r->abi, sizeof(r->abi), version->capabilities);
		file_read("/proc/device-tree/model", model, sizeof(model));
		text_set(r->board, sizeof(r->board), model);
		r->total_mib = info.total_pages * 4 / 1024;
		r->free_mib = info.free_pages * 4 / 1024;
		cpus_fill(c, &info, r);
	} else {
		rc = context_fail(c, rc, e, "The hypervisor does not describe itself", "board");
	}
	libxl_physinfo_dispose(&info);
	context_give(m, c);
	return rc;
}

static void entry_fill(struct machine *m, struct context *c, const libxl_dominfo *info,
		       struct verbs_list_entry *d)
{
	bool busy = false;

	memcpy(d->domain.uuid, libxl_uuid_bytearray_const(&info->uuid), 16);
	d->ours = own_identify(m, &d->domain, &busy);
	if (!d->ours) {
		char *name = libxl_domid_to_name(c->ctx, info->domid);

		text_set(d->domain.name, sizeof(d->domain.name), name);
		free(name);
	}
	d->domid = info->domid;
	d->vcpus = info->vcpu_max_id + 1;
	d->memory_mib = (info->current_memkb + 512) / 1024;
	d->cpu_time_ns = info->cpu_time;
	d->state = (uint16_t)(busy ? VERBS_BUILDING : state_of(info));
	if (d->state == VERBS_SHUTDOWN || d->state == VERBS_CRASHED)
		d->reason = (uint16_t)reason_of((int)info->shutdown_reason);
}

int machine_list(struct machine *m, uint32_t first, struct verbs_list_response *r, struct error *e)
{
	struct context *c = context_take(m, e);
	libxl_dominfo *domains;
	int count;

	if (!c)
		return -1;
	domains = libxl_list_domain(c->ctx, &count); /* sorted by domid */
	if (!domains) {
		context_give(m, c);
		return error_set(e, ERROR_HYPERVISOR, "The hypervisor does not list its domains.");
	}
	for (int i = 0; i < count; i++) {
		if (domains[i].domid < first)
			continue;
		if (r->count == VERBS_PAGE) {
			r->next = domains[i].domid;
			break;
		}
		entry_fill(m, c, &domains[i], &r->entries[r->count]);
		/* not ours and dying: killed, and not yet let go of by the last backend */
		if (domains[i].dying && !r->entries[r->count].ours)
			memset(&r->entries[r->count], 0, sizeof(r->entries[0]));
		else
			r->count++;
	}
	libxl_dominfo_list_free(domains, count);
	context_give(m, c);
	return 0;
}
