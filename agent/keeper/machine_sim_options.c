#include "keeper/machine_sim_options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 10000000u

static const struct sim_options defaults = {.memory_mib = 8192,
					    .dom0_mib = 1024,
					    .cpus = 6,
					    .create_ms = 20,
					    .boot_ms = 300,
					    .stop_ms = 100};

static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{"memory_mib", offsetof(struct sim_options, memory_mib)},
	{"dom0_mib", offsetof(struct sim_options, dom0_mib)},
	{"cpus", offsetof(struct sim_options, cpus)},
	{"create_ms", offsetof(struct sim_options, create_ms)},
	{"boot_ms", offsetof(struct sim_options, boot_ms)},
	{"stop_ms", offsetof(struct sim_options, stop_ms)},
	{"crash_ms", offsetof(struct sim_options, crash_ms)},
};

/* One "key=value" or flag; false when it is none. */
static bool option_set(struct sim_options *o, const char *word)
{
	size_t key = strcspn(word, "=");
	const char *value = word[key] ? word + key + 1 : "";
	char *end;

	if (strcmp(word, "fail") == 0)
		return o->fail = true;
	if (strcmp(word, "deaf") == 0)
		return o->deaf = true;
	if (strncmp(word, "foreign=", 8) == 0 && verbs_name_valid(value))
		return snprintf(o->foreign, sizeof(o->foreign), "%s", value) > 0;
	if (strncmp(word, "faults=", 7) == 0)
		return snprintf(o->faults, sizeof(o->faults), "%s", value) < (int)sizeof(o->faults);
	if (strncmp(word, "truth=", 6) == 0)
		return snprintf(o->truth, sizeof(o->truth), "%s", value) < (int)sizeof(o->truth);
	if (strcmp(word, "ungated") == 0)
		return o->ungated = true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		unsigned long number;

		if (strlen(numbers[i].key) != key || strncmp(word, numbers[i].key, key) != 0)
			continue;
		number = strtoul(value, &end, 10);
		if (*value < '0' || *value > '9' || *end || number > NUMBER_MAX)
			return false;
		*(unsigned *)((char *)o + numbers[i].offset) = (unsigned)number;
		return true;
	}
	return false;
}

int sim_options_read(struct sim_options *o, const char *text, struct error *e)
{
	char copy[1024], *rest = copy;

	*o = defaults;
	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return error_set(e, ERROR_INTERNAL, "The machine options are too long.");
	for (char *word; (word = strsep(&rest, ","));) {
		if (*word && !option_set(o, word))
			return error_set(e, ERROR_INTERNAL, "Unknown machine option %s.", word);
	}
	if (o->cpus < 1 || o->cpus > VERBS_CPUS_MAX || o->dom0_mib > o->memory_mib)
		return error_set(e, ERROR_INTERNAL, "Impossible machine options.");
	return 0;
}

void sim_options_override(struct sim_options *o, const char *cmdline)
{
	char copy[VERBS_CMDLINE_MAX + 1], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", cmdline);
	for (char *word; (word = strsep(&rest, " "));) {
		if (strncmp(word, "sim.", 4) == 0)
			option_set(o, word + 4);
	}
}
