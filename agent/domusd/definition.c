#include "domusd/definition.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "domusd/checks.h"

static const char *const policies[] = {"never", "on-crash", "always", NULL};
static const char *const pulls[] = {"report", "restart", NULL};

const char *restart_policy_name(enum restart_policy policy)
{
	return policies[policy];
}

const char *on_pull_name(enum on_pull on_pull)
{
	return pulls[on_pull];
}

#define STRING(field, wanted, form, words)                                                         \
	{                                                                                          \
		.name = (field), .type = CHECK_STRING, .required = (wanted), .pattern = (form),    \
		.rule = (words)                                                                    \
	}
#define INTEGER(field, low, high)                                                                  \
	{                                                                                          \
		.name = (field), .type = CHECK_INTEGER, .min = (low), .max = (high)                \
	}

static const struct check_field boot_fields[] = {
	STRING("kernel", true, CHECK_ID, CHECK_ID_RULE),
	{.name = "initrd",
	 .type = CHECK_STRING,
	 .nullable = true,
	 .pattern = CHECK_ID,
	 .rule = CHECK_ID_RULE},
	{.name = "cmdline",
	 .type = CHECK_STRING,
	 .max = VERBS_CMDLINE_MAX,
	 .pattern = "[ -~]*",
	 .rule = "printable ASCII characters"},
	{.type = CHECK_END},
};

static const struct check_field source_fields[] = {
	STRING("volume", false, CHECK_ID, CHECK_ID_RULE),
	STRING("device", false, CHECK_DEVICE, CHECK_DEVICE_RULE),
	{.type = CHECK_END},
};

static const struct check_field disk_fields[] = {
	STRING("name", true, "xvd[a-z]", "xvda to xvdz"),
	{.name = "source", .type = CHECK_OBJECT, .required = true, .fields = source_fields},
	{.name = "readonly", .type = CHECK_BOOLEAN},
	{.type = CHECK_END},
};

static const struct check_field nic_fields[] = {
	STRING("network", false, CHECK_ID, CHECK_ID_RULE),
	STRING("device", false, CHECK_DEVICE, CHECK_DEVICE_RULE),
	STRING("mac", false, "auto|[0-9a-f][02468ace](:[0-9a-f]{2}){5}",
	       "\"auto\" or a unicast address in lower case such as 00:16:3e:12:34:56"),
	{.type = CHECK_END},
};

static const struct check_field cpu_item = INTEGER("", 0, DEFINITION_CPUS_MAX - 1);
static const struct check_field cpu_fields[] = {
	{.name = "pool",
	 .type = CHECK_STRING,
	 .nullable = true,
	 .pattern = CHECK_NAME,
	 .rule = CHECK_NAME_RULE},
	{.name = "affinity",
	 .type = CHECK_ARRAY,
	 .nullable = true,
	 .unique = true,
	 .min = 1,
	 .max = DEFINITION_CPUS_MAX,
	 .items = &cpu_item},
	INTEGER("weight", 1, 65535),
	INTEGER("cap", 0, 6400),
	{.type = CHECK_END},
};

static const struct check_field after_item = STRING("", false, CHECK_NAME, CHECK_NAME_RULE);
static const struct check_field autostart_fields[] = {
	{.name = "enabled", .type = CHECK_BOOLEAN},
	INTEGER("order", 0, 1000),
	INTEGER("delay_s", 0, 3600),
	{.name = "after",
	 .type = CHECK_ARRAY,
	 .unique = true,
	 .max = DEFINITION_AFTER_MAX,
	 .items = &after_item},
	{.type = CHECK_END},
};

static const struct check_field restart_fields[] = {
	{.name = "policy", .type = CHECK_STRING, .one_of = policies},
	INTEGER("max", 0, 1000),
	INTEGER("window_s", 1, 86400),
	INTEGER("backoff_s", 0, 3600),
	{.type = CHECK_END},
};

static const struct check_field disk_item = {.type = CHECK_OBJECT, .fields = disk_fields};
static const struct check_field nic_item = {.type = CHECK_OBJECT, .fields = nic_fields};
static const struct check_field device_item = {.type = CHECK_STRING,
					       .max = VERBS_DEVICE_MAX,
					       .pattern = CHECK_DEVICE,
					       .rule = CHECK_DEVICE_RULE};
static const struct check_field fields[] = {
	STRING("name", true, CHECK_NAME, CHECK_NAME_RULE),
	{.name = "description", .type = CHECK_STRING, .max = DEFINITION_DESCRIPTION_MAX},
	INTEGER("vcpus", 1, 32),
	{.name = "memory_mib", .type = CHECK_INTEGER, .required = true, .min = 16, .max = 1048576},
	{.name = "boot", .type = CHECK_OBJECT, .required = true, .fields = boot_fields},
	{.name = "disks", .type = CHECK_ARRAY, .max = DEFINITION_DISKS_MAX, .items = &disk_item},
	{.name = "nics", .type = CHECK_ARRAY, .max = DEFINITION_NICS_MAX, .items = &nic_item},
	{.name = "devices",
	 .type = CHECK_ARRAY,
	 .unique = true,
	 .max = DEFINITION_DEVICES_MAX,
	 .items = &device_item},
	{.name = "cpu", .type = CHECK_OBJECT, .fields = cpu_fields},
	{.name = "autostart", .type = CHECK_OBJECT, .fields = autostart_fields},
	{.name = "restart", .type = CHECK_OBJECT, .fields = restart_fields},
	INTEGER("watchdog_s", 0, 3600),
	{.name = "on_pull", .type = CHECK_STRING, .one_of = pulls},
	{.type = CHECK_END},
};

#define COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

static uint32_t number(const json_t *object, const char *name, uint32_t otherwise)
{
	return (uint32_t)check_get_integer(object, name, otherwise);
}

bool definition_owns(const struct definition *d, const char *device)
{
	for (unsigned i = 0; i < d->device_count; i++)
		if (strcmp(d->devices[i], device) == 0)
			return true;
	return false;
}

/* Exactly one of `other` and a device of the domain's own, under `pointer`. */
static int check_one_of(const struct definition *d, const char *other, const char *value,
			const char *device, const char *pointer, struct error *e)
{
	char at[64];

	if (!*value && !*device) {
		snprintf(at, sizeof(at), "%s/%s", pointer, other);
		return error_set_at(e, ERROR_FIELD_MISSING, at, "It needs a %s or a device", other);
	}
	snprintf(at, sizeof(at), "%s/device", pointer);
	if (*value && *device)
		return error_set_rule(e, "conflict", at, "It is a %s or a device, not both", other);
	if (*device && !definition_owns(d, device))
		return error_set_at(e, ERROR_REFERENCE, at, "The domain's devices must have %s too",
				    device);
	return 0;
}

static int parse_disks(const json_t *array, struct definition *d, struct error *e)
{
	const json_t *disk, *source;
	size_t i;

	json_array_foreach(array, i, disk)
	{
		struct definition_disk *to = &d->disks[i];
		char pointer[40];

		source = json_object_get(disk, "source");
		COPY(to->name, check_get_string(disk, "name", ""));
		COPY(to->volume, check_get_string(source, "volume", ""));
		COPY(to->device, check_get_string(source, "device", ""));
		to->readonly = check_get_boolean(disk, "readonly", false);
		snprintf(pointer, sizeof(pointer), "/disks/%zu/source", i);
		if (check_one_of(d, "volume", to->volume, to->device, pointer, e) < 0)
			return -1;
		for (size_t j = 0; j < i; j++) {
			bool name = strcmp(to->name, d->disks[j].name) == 0;

			if (!name && (strcmp(to->volume, d->disks[j].volume) != 0 ||
				      strcmp(to->device, d->disks[j].device) != 0))
				continue;
			snprintf(pointer, sizeof(pointer), "/disks/%zu/%s", i,
				 name	       ? "name"
				 : *to->volume ? "source/volume"
					       : "source/device");
			return error_set_rule(e, "duplicate", pointer, "%s is there twice",
					      name	    ? to->name
					      : *to->volume ? "The volume"
							    : "The device");
		}
		d->disk_count++;
	}
	return 0;
}

static int parse_nics(const json_t *array, struct definition *d, struct error *e)
{
	const json_t *nic;
	size_t i;

	json_array_foreach(array, i, nic)
	{
		struct definition_nic *to = &d->nics[i];
		char pointer[32];

		COPY(to->network, check_get_string(nic, "network", ""));
		COPY(to->device, check_get_string(nic, "device", ""));
		COPY(to->mac, check_get_string(nic, "mac", "auto"));
		snprintf(pointer, sizeof(pointer), "/nics/%zu", i);
		if (check_one_of(d, "network", to->network, to->device, pointer, e) < 0)
			return -1;
		snprintf(pointer, sizeof(pointer), "/nics/%zu/device", i);
		for (size_t j = 0; j < i; j++)
			if (*to->device && strcmp(to->device, d->nics[j].device) == 0)
				return error_set_rule(e, "duplicate", pointer,
						      "The device is there twice");
		snprintf(pointer, sizeof(pointer), "/nics/%zu/mac", i);
		if (strcmp(to->mac, "00:00:00:00:00:00") == 0)
			return error_set_rule(e, "range", pointer, "All zeros is not an address");
		for (size_t j = 0; j < i; j++)
			if (strcmp(to->mac, "auto") != 0 && strcmp(to->mac, d->nics[j].mac) == 0)
				return error_set_rule(e, "duplicate", pointer, "%s is there twice",
						      to->mac);
		d->nic_count++;
	}
	return 0;
}

static void parse_devices(const json_t *array, struct definition *d)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) COPY(d->devices[i], json_string_value(item));
	d->device_count = (unsigned)json_array_size(array);
}

static int parse_policies(const json_t *json, struct definition *d, struct error *e)
{
	const json_t *cpu = json_object_get(json, "cpu"), *item;
	const json_t *autostart = json_object_get(json, "autostart");
	const json_t *restart = json_object_get(json, "restart");
	const char *policy = check_get_string(restart, "policy", policies[0]);
	size_t i;

	COPY(d->cpu.pool, check_get_string(cpu, "pool", ""));
	json_array_foreach(json_object_get(cpu, "affinity"), i, item) d->cpu.affinity |=
		UINT64_C(1) << json_integer_value(item);
	d->cpu.weight = number(cpu, "weight", 256);
	d->cpu.cap = number(cpu, "cap", 0);
	d->autostart.enabled = check_get_boolean(autostart, "enabled", false);
	d->autostart.order = number(autostart, "order", 0);
	d->autostart.delay_s = number(autostart, "delay_s", 0);
	json_array_foreach(json_object_get(autostart, "after"), i, item)
	{
		size_t n = d->autostart.after_count;
		char pointer[48];

		snprintf(pointer, sizeof(pointer), "/autostart/after/%zu", i);
		if (strcmp(json_string_value(item), d->name) == 0)
			return error_set_at(e, ERROR_REFERENCE, pointer,
					    "A domain cannot start after itself.");
		COPY(d->autostart.after[n], json_string_value(item));
		d->autostart.after_count++;
	}
	while (strcmp(policies[d->restart.policy], policy) != 0)
		d->restart.policy++;
	d->restart.max = number(restart, "max", 10);
	d->restart.window_s = number(restart, "window_s", 60);
	d->restart.backoff_s = number(restart, "backoff_s", 1);
	d->watchdog_s = number(json, "watchdog_s", 0);
	while (strcmp(pulls[d->on_pull], check_get_string(json, "on_pull", pulls[0])) != 0)
		d->on_pull++;
	return 0;
}

int definition_parse(const json_t *json, struct definition *d, struct error *e)
{
	const json_t *boot;

	memset(d, 0, sizeof(*d));
	if (check_object(json, fields, "", e) < 0)
		return -1;
	COPY(d->name, check_get_string(json, "name", ""));
	COPY(d->description, check_get_string(json, "description", ""));
	d->vcpus = number(json, "vcpus", 1);
	d->memory_mib = number(json, "memory_mib", 0);
	boot = json_object_get(json, "boot");
	COPY(d->kernel, check_get_string(boot, "kernel", ""));
	COPY(d->initrd, check_get_string(boot, "initrd", ""));
	COPY(d->cmdline, check_get_string(boot, "cmdline", ""));
	parse_devices(json_object_get(json, "devices"), d);
	if (parse_disks(json_object_get(json, "disks"), d, e) < 0 ||
	    parse_nics(json_object_get(json, "nics"), d, e) < 0)
		return -1;
	return parse_policies(json, d, e);
}

json_t *definition_merge(const json_t *target, const json_t *patch)
{
	json_t *result, *value;
	const char *key;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	result = json_is_object(target) ? json_deep_copy(target) : json_object();
	json_object_foreach((json_t *)(uintptr_t)patch, key, value)
	{
		if (json_is_null(value))
			json_object_del(result, key);
		else /* as deep as the body may be: ROUTE_JSON_DEPTH */
			json_object_set_new(result, key,
					    definition_merge(json_object_get(result, key), value));
	}
	return result;
}

int definition_patch(const struct definition *before, const json_t *patch, struct definition *after,
		     struct error *e)
{
	struct check_field any[sizeof(fields) / sizeof(*fields)] = {0};
	json_t *json, *merged;
	int result;

	for (size_t i = 0; fields[i].type != CHECK_END; i++)
		any[i] = (struct check_field){
			.name = fields[i].name, .type = CHECK_ANY, .nullable = true};
	if (check_object(patch, any, "", e) < 0)
		return -1;
	json = definition_json(before);
	merged = json ? definition_merge(json, patch) : NULL;
	result = merged ? definition_parse(merged, after, e)
			: error_set(e, ERROR_INTERNAL, "Out of memory");
	json_decref(json);
	json_decref(merged);
	return result;
}

void definition_mac(const char *domain, unsigned nic, unsigned attempt, char mac[18])
{
	char text[VERBS_NAME_MAX + 32];
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	int length = snprintf(text, sizeof(text), "%s/%u/%u", domain, nic, attempt);

	EVP_Digest(text, (size_t)length, digest, NULL, EVP_sha256(), NULL);
	snprintf(mac, 18, "00:16:3e:%02x:%02x:%02x", digest[0], digest[1], digest[2]);
}
