#ifndef DOMUS_DOMUSD_DEFINITION_H
#define DOMUS_DOMUSD_DEFINITION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/verbs.h"

/*
 * A domain's definition (DomainDefinition of openapi.yaml) as plain data: parsed with every default
 * filled in, checked for everything that can be seen without looking at anything else, and back to
 * JSON. Pure. What it refers to is checked by definition_check.h.
 */
#define DEFINITION_DISKS_MAX	   16
#define DEFINITION_NICS_MAX	   8
#define DEFINITION_AFTER_MAX	   16
#define DEFINITION_DEVICES_MAX	   16
#define DEFINITION_CPUS_MAX	   64
#define DEFINITION_DESCRIPTION_MAX 1024 /* code points */

_Static_assert(DEFINITION_DISKS_MAX <= VERBS_DISKS_MAX, "keeper takes as many disks");
_Static_assert(DEFINITION_NICS_MAX <= VERBS_NICS_MAX, "keeper takes as many NICs");
_Static_assert(DEFINITION_DEVICES_MAX <= VERBS_DEVICES_MAX, "keeper takes as many devices");

enum restart_policy { RESTART_NEVER, RESTART_ON_CRASH, RESTART_ALWAYS };
/* What was pulled from a device of a domain that runs, and is plugged in again: an alert that clears, or a restart too. */
enum on_pull { ON_PULL_REPORT, ON_PULL_RESTART };
/* "never", "report", … as in openapi.yaml. */
const char *restart_policy_name(enum restart_policy policy);
const char *on_pull_name(enum on_pull on_pull);

struct definition_disk {
	char name[8];			   /* xvda ... */
	char volume[VERBS_ID_MAX + 1];	   /* id, or "" */
	char device[VERBS_DEVICE_MAX + 1]; /* or the disk in this slot or port, one of devices */
	bool readonly;
};

struct definition_nic {
	char network[VERBS_ID_MAX + 1];	   /* id, or "" */
	char device[VERBS_DEVICE_MAX + 1]; /* or a bridge of its own around the NIC in this slot */
	char mac[18]; /* "00:16:3e:…", or "auto" until definition_check() has made one */
};

struct definition {
	char name[VERBS_NAME_MAX + 1];
	char description[4 * DEFINITION_DESCRIPTION_MAX + 1];
	uint32_t vcpus;
	uint32_t memory_mib;
	char kernel[VERBS_ID_MAX + 1];
	char initrd[VERBS_ID_MAX + 1]; /* or "" */
	char cmdline[VERBS_CMDLINE_MAX + 1];
	unsigned disk_count;
	struct definition_disk disks[DEFINITION_DISKS_MAX];
	unsigned nic_count;
	struct definition_nic nics[DEFINITION_NICS_MAX];
	unsigned device_count;
	char devices[DEFINITION_DEVICES_MAX][VERBS_DEVICE_MAX + 1]; /* what it owns */
	struct {
		char pool[VERBS_NAME_MAX + 1]; /* or "" */
		uint64_t affinity;	       /* a bit for each CPU, 0: any */
		uint32_t weight;
		uint32_t cap; /* per cent of one CPU, 0: none */
	} cpu;
	struct {
		bool enabled;
		uint32_t order, delay_s;
		unsigned after_count;
		char after[DEFINITION_AFTER_MAX][VERBS_NAME_MAX + 1];
	} autostart;
	struct {
		enum restart_policy policy;
		uint32_t max, window_s, backoff_s;
	} restart;
	uint32_t watchdog_s;
	enum on_pull on_pull;
};

/* Parses a DomainDefinition. 0, or -1 and *e with the pointer of the first field that is wrong. */
int definition_parse(const json_t *json, struct definition *definition, struct error *e);
/* All fields, defaults included. New reference, NULL without memory. */
json_t *definition_json(const struct definition *definition);
/* As text, to be kept; malloc, NULL without memory. */
char *definition_text(const struct definition *definition);
/* From kept text: it was checked before, so a failure is ERROR_INTERNAL. */
int definition_from_text(const char *text, struct definition *definition, struct error *e);

/*
 * The definition that a merge patch (RFC 7396) makes of `before`. Unknown fields are refused also
 * where the patch would remove them.
 */
int definition_patch(const struct definition *before, const json_t *patch, struct definition *after,
		     struct error *e);
/* RFC 7396 section 2. New reference, NULL without memory. */
json_t *definition_merge(const json_t *target, const json_t *patch);

/* Whether the definition's domain owns the device. */
bool definition_owns(const struct definition *definition, const char *device);

/* "00:16:3e:…" (Xen's own prefix, xen-vif naming), always the same for the same three. */
void definition_mac(const char *domain, unsigned nic, unsigned attempt, char mac[18]);

#endif
