/* A definition as JSON, and as the text that is kept. */
#include "domusd/definition.h"

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *cpu_json(const struct definition *d)
{
	json_t *affinity = d->cpu.affinity ? json_array() : json_null();

	for (unsigned i = 0; i < DEFINITION_CPUS_MAX; i++)
		if (d->cpu.affinity & UINT64_C(1) << i)
			json_array_append_new(affinity, json_integer(i));
	return json_pack("{s:o, s:o, s:I, s:I}", "pool", text_or_null(d->cpu.pool), "affinity",
			 affinity, "weight", (json_int_t)d->cpu.weight, "cap",
			 (json_int_t)d->cpu.cap);
}

static json_t *autostart_json(const struct definition *d)
{
	json_t *after = json_array();

	for (unsigned i = 0; i < d->autostart.after_count; i++)
		json_array_append_new(after, json_string(d->autostart.after[i]));
	return json_pack("{s:b, s:I, s:I, s:o}", "enabled", d->autostart.enabled, "order",
			 (json_int_t)d->autostart.order, "delay_s",
			 (json_int_t)d->autostart.delay_s, "after", after);
}

json_t *definition_json(const struct definition *d)
{
	json_t *disks = json_array(), *nics = json_array(), *devices = json_array();

	for (unsigned i = 0; i < d->disk_count; i++) {
		const struct definition_disk *disk = &d->disks[i];

		json_array_append_new(disks,
				      json_pack("{s:s, s:{s:s}, s:b}", "name", disk->name, "source",
						*disk->volume ? "volume" : "device",
						*disk->volume ? disk->volume : disk->device,
						"readonly", disk->readonly));
	}
	for (unsigned i = 0; i < d->nic_count; i++) {
		const struct definition_nic *nic = &d->nics[i];

		json_array_append_new(nics,
				      json_pack("{s:s, s:s}", *nic->network ? "network" : "device",
						*nic->network ? nic->network : nic->device, "mac",
						nic->mac));
	}
	for (unsigned i = 0; i < d->device_count; i++)
		json_array_append_new(devices, json_string(d->devices[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:{s:s, s:o, s:s}, s:o, s:o, s:o, s:o, s:o, "
			 "s:{s:s, s:I, s:I, s:I}, s:I, s:s}",
			 "name", d->name, "description", d->description, "vcpus",
			 (json_int_t)d->vcpus, "memory_mib", (json_int_t)d->memory_mib, "boot",
			 "kernel", d->kernel, "initrd", text_or_null(d->initrd), "cmdline",
			 d->cmdline, "disks", disks, "nics", nics, "devices", devices, "cpu",
			 cpu_json(d), "autostart", autostart_json(d), "restart", "policy",
			 restart_policy_name(d->restart.policy), "max", (json_int_t)d->restart.max,
			 "window_s", (json_int_t)d->restart.window_s, "backoff_s",
			 (json_int_t)d->restart.backoff_s, "watchdog_s", (json_int_t)d->watchdog_s,
			 "on_pull", on_pull_name(d->on_pull));
}

char *definition_text(const struct definition *definition)
{
	json_t *json = definition_json(definition);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

int definition_from_text(const char *text, struct definition *definition, struct error *e)
{
	struct error inner;
	json_t *json = json_loads(text, 0, NULL);
	int result = definition_parse(json, definition, &inner);

	json_decref(json);
	if (result < 0)
		return error_set(e, ERROR_INTERNAL, "A kept definition is damaged: %s %s",
				 inner.pointer, inner.detail);
	return 0;
}
