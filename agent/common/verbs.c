#include <stdio.h>
#include <string.h>

#include "common/verbs_internal.h"

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"

/* One row for each verb: what its messages are called and how long they are (0: there is none). */
static const struct shape {
	const char *name;
	size_t request, response;
} shapes[VERB_END] = {
	[VERB_HELLO] = {"hello", sizeof(struct verbs_hello_request),
			sizeof(struct verbs_hello_response)},
	[VERB_BOARD_INFO] = {"board.info", sizeof(struct verbs_empty),
			     sizeof(struct verbs_board_response)},
	[VERB_DOMAIN_LIST] = {"domain.list", sizeof(struct verbs_list_request),
			      sizeof(struct verbs_list_response)},
	[VERB_DOMAIN_CREATE] = {"domain.create", sizeof(struct verbs_create_request),
				sizeof(struct verbs_create_response)},
	[VERB_DOMAIN_SHUTDOWN] = {"domain.shutdown", sizeof(struct verbs_domain_request),
				  sizeof(struct verbs_empty)},
	[VERB_DOMAIN_REBOOT] = {"domain.reboot", sizeof(struct verbs_domain_request),
				sizeof(struct verbs_empty)},
	[VERB_DOMAIN_KILL] = {"domain.kill", sizeof(struct verbs_domain_request),
			      sizeof(struct verbs_empty)},
	[VERB_DOMAIN_PAUSE] = {"domain.pause", sizeof(struct verbs_domain_request),
			       sizeof(struct verbs_empty)},
	[VERB_DOMAIN_RESUME] = {"domain.resume", sizeof(struct verbs_domain_request),
				sizeof(struct verbs_empty)},
	[VERB_CONSOLE_OPEN] = {"console.open", sizeof(struct verbs_domain_request),
			       sizeof(struct verbs_empty)},
	[VERB_LOG] = {"log", sizeof(struct verbs_empty), sizeof(struct verbs_empty)},
	[VERB_EVENT_DOMAIN] = {"event.domain", 0, sizeof(struct verbs_event)},
	[VERB_DEVICE_LIST] = {"device.list", sizeof(struct verbs_devices_request),
			      sizeof(struct verbs_devices_response)},
	[VERB_DEVICE_READ] = {"device.read", sizeof(struct verbs_rail_request),
			      sizeof(struct verbs_device_response)},
	[VERB_RAIL_SET] = {"rail.set", sizeof(struct verbs_rail_request),
			   sizeof(struct verbs_device_response)},
	[VERB_EVENT_DEVICE] = {"event.device", 0, sizeof(struct verbs_device_event)},
};

const char *verbs_verb_name(unsigned verb)
{
	return verb < VERB_END && shapes[verb].name ? shapes[verb].name : "unknown";
}

size_t verbs_answer_size(unsigned verb)
{
	return verb < VERB_END ? shapes[verb].response : 0;
}

void verbs_start(void *message, size_t size, enum verb verb, uint64_t id)
{
	memset(message, 0, size);
	*(struct verbs_header *)message = (struct verbs_header){
		.magic = VERBS_MAGIC,
		.verb = (uint16_t)verb,
		.id = id,
		.status = ERROR_NONE,
		.length = (uint32_t)size,
	};
}

void verbs_fail(struct verbs_failure *f, enum verb verb, uint64_t id, const struct error *e)
{
	verbs_start(f, sizeof(*f), verb, id);
	f->header.status = e->code == ERROR_NONE ? ERROR_INTERNAL : (int32_t)e->code;
	f->retry_after = e->retry_after;
	snprintf(f->pointer, sizeof(f->pointer), "%s", e->pointer);
	snprintf(f->detail, sizeof(f->detail), "%s", e->detail);
}

void verbs_error(const struct verbs_failure *f, struct error *e)
{
	if (f->pointer[0])
		error_set_at(e, (enum error_code)f->header.status, f->pointer, "%s", f->detail);
	else
		error_set(e, (enum error_code)f->header.status, "%s", f->detail);
	if (e)
		e->retry_after = f->retry_after;
}

/* first: what the first character may be; rest: the others. Empty is refused. */
static bool pattern(const char *s, size_t max, const char *first, const char *rest)
{
	size_t length = strlen(s);

	return length >= 1 && length <= max && strchr(first, s[0]) &&
	       strspn(s + 1, rest) == length - 1;
}

bool verbs_name_valid(const char *s)
{
	return pattern(s, VERBS_NAME_MAX, LOWER DIGITS, LOWER DIGITS "-");
}

bool verbs_id_valid(const char *s)
{
	return pattern(s, VERBS_ID_MAX, LOWER DIGITS "-", LOWER DIGITS "-");
}

bool verbs_bridge_valid(const char *s)
{
	return pattern(s, VERBS_BRIDGE_MAX, LOWER DIGITS, LOWER DIGITS "._-");
}

bool verbs_vdev_valid(const char *s)
{
	return strlen(s) == 4 && memcmp(s, "xvd", 3) == 0 && s[3] >= 'a' && s[3] <= 'z';
}

bool verbs_device_valid(const char *s)
{
	return pattern(s, VERBS_DEVICE_MAX, LOWER DIGITS, LOWER DIGITS ".+-");
}

bool verbs_printable(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

bool verbs_cmdline_valid(const char *s)
{
	return strlen(s) <= VERBS_CMDLINE_MAX && verbs_printable(s);
}

int verbs_malformed(struct error *e, const char *what)
{
	return error_set(e, ERROR_REQUEST_MALFORMED,
			 "A message between domusd and keeper has a bad %s.", what);
}

static bool zero(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size && *p == 0)
		p++, size--;
	return size == 0;
}

/* Magic, a verb that has such a message, and the length that it must have. */
static int header_check(const struct verbs_header *h, size_t length, bool answer, struct error *e)
{
	size_t want;

	if (length < sizeof(*h))
		return verbs_malformed(e, "length");
	if (h->magic != VERBS_MAGIC)
		return verbs_malformed(e, "magic number");
	if (h->verb >= VERB_END || !shapes[h->verb].name)
		return verbs_malformed(e, "verb");
	want = answer ? shapes[h->verb].response : shapes[h->verb].request;
	if (answer && h->status != ERROR_NONE && h->verb != VERB_EVENT_DOMAIN &&
	    h->verb != VERB_EVENT_DEVICE)
		want = sizeof(struct verbs_failure);
	if (want == 0)
		return verbs_malformed(e, "verb");
	if (length != want || h->length != want)
		return verbs_malformed(e, "length");
	if (h->flags)
		return verbs_malformed(e, "flag");
	if (h->status < 0 || h->status >= ERROR_CODE_COUNT || (!answer && h->status != ERROR_NONE))
		return verbs_malformed(e, "status");
	return 0;
}

int verbs_domain_check(const struct verbs_domain *d, struct error *e)
{
	if (!ENDS(d->name) || !verbs_name_valid(d->name))
		return verbs_malformed(e, "domain name");
	if (zero(d->uuid, sizeof(d->uuid)))
		return verbs_malformed(e, "domain UUID");
	return 0;
}

static int devices_check(const struct verbs_create_request *r, struct error *e)
{
	if (r->device_count > VERBS_DEVICES_MAX)
		return verbs_malformed(e, "number of devices");
	for (uint32_t i = 0; i < r->device_count; i++) {
		if (!ENDS(r->devices[i]) || !verbs_device_valid(r->devices[i]))
			return verbs_malformed(e, "device id");
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(r->devices[i], r->devices[k]) == 0)
				return verbs_malformed(e, "device id: it is there twice");
		}
	}
	return 0;
}

/* A disk or an interface may stand for what is in a device of the domain's own. devices_check() was done. */
static int source_check(const struct verbs_create_request *r, const char *device, struct error *e)
{
	for (uint32_t i = 0; i < r->device_count; i++) {
		if (strcmp(r->devices[i], device) == 0)
			return 0;
	}
	return verbs_malformed(e, "device id: it is not among the domain's");
}

static int disks_check(const struct verbs_create_request *r, struct error *e)
{
	uint32_t seen = 0;

	if (r->disk_count > VERBS_DISKS_MAX)
		return verbs_malformed(e, "number of disks");
	for (uint32_t i = 0; i < r->disk_count; i++) {
		const struct verbs_disk *d = &r->disks[i];

		if (!ENDS(d->vdev) || !verbs_vdev_valid(d->vdev))
			return verbs_malformed(e, "disk name");
		if (seen & 1u << (d->vdev[3] - 'a'))
			return verbs_malformed(e, "disk name: it is there twice");
		seen |= 1u << (d->vdev[3] - 'a');
		if (!ENDS(d->volume) || !ENDS(d->device) || !d->volume[0] == !d->device[0])
			return verbs_malformed(e, "disk source");
		if (d->volume[0] && !verbs_id_valid(d->volume))
			return verbs_malformed(e, "volume id");
		if (d->device[0] && source_check(r, d->device, e) < 0)
			return -1;
		if (d->readonly > 1)
			return verbs_malformed(e, "readonly mark");
	}
	return 0;
}

static int nics_check(const struct verbs_create_request *r, struct error *e)
{
	uint32_t seen = 0;

	if (r->nic_count > VERBS_NICS_MAX)
		return verbs_malformed(e, "number of network interfaces");
	for (uint32_t i = 0; i < r->nic_count; i++) {
		const struct verbs_nic *n = &r->nics[i];

		if (!ENDS(n->bridge) || !ENDS(n->device) || !n->bridge[0] == !n->device[0])
			return verbs_malformed(e, "network interface source");
		if (n->bridge[0] && !verbs_bridge_valid(n->bridge))
			return verbs_malformed(e, "bridge name");
		if (n->device[0] && source_check(r, n->device, e) < 0)
			return -1;
		for (uint32_t k = 0; n->device[0] && k < i; k++) {
			if (strcmp(n->device, r->nics[k].device) == 0)
				return verbs_malformed(e, "uplink: it is there twice");
		}
		if ((n->mac[0] & 1) || zero(n->mac, sizeof(n->mac)))
			return verbs_malformed(e, "MAC address");
		if (n->devid >= VERBS_NICS_MAX || (seen & 1u << n->devid))
			return verbs_malformed(e, "network interface number");
		seen |= 1u << n->devid;
	}
	return 0;
}

static int create_check(const struct verbs_create_request *r, struct error *e)
{
	if (verbs_domain_check(&r->domain, e) < 0)
		return -1;
	if (r->memory_mib < VERBS_MEMORY_MIN || r->memory_mib > VERBS_MEMORY_MAX)
		return verbs_malformed(e, "memory size");
	if (r->vcpus < 1 || r->vcpus > VERBS_VCPUS_MAX)
		return verbs_malformed(e, "number of vCPUs");
	if (r->weight < 1 || r->weight > VERBS_WEIGHT_MAX)
		return verbs_malformed(e, "weight");
	if (r->cap > r->vcpus * 100)
		return verbs_malformed(e, "cap");
	if (r->paused > 1)
		return verbs_malformed(e, "paused mark");
	if (!ENDS(r->pool) || (r->pool[0] && !verbs_name_valid(r->pool)))
		return verbs_malformed(e, "CPU pool name");
	if (!ENDS(r->kernel) || !verbs_id_valid(r->kernel))
		return verbs_malformed(e, "kernel image id");
	if (!ENDS(r->initrd) || (r->initrd[0] && !verbs_id_valid(r->initrd)))
		return verbs_malformed(e, "initrd image id");
	if (!ENDS(r->cmdline) || !verbs_cmdline_valid(r->cmdline))
		return verbs_malformed(e, "kernel command line");
	if (devices_check(r, e) < 0 || disks_check(r, e) < 0)
		return -1;
	return nics_check(r, e);
}

int verbs_check_request(const void *message, size_t length, struct error *e)
{
	const union verbs_message *m = message;

	if (header_check(&m->header, length, false, e) < 0)
		return -1;
	switch (m->header.verb) {
	case VERB_HELLO:
		if (!ENDS(m->hello_request.version) || !verbs_printable(m->hello_request.version))
			return verbs_malformed(e, "version");
		if (m->hello_request.events > 1)
			return verbs_malformed(e, "events mark");
		return 0;
	case VERB_DOMAIN_CREATE:
		return create_check(&m->create_request, e);
	case VERB_BOARD_INFO:
	case VERB_DOMAIN_LIST:
	case VERB_LOG:
		return 0;
	case VERB_DEVICE_LIST:
		if (!ENDS(m->devices_request.after) ||
		    (m->devices_request.after[0] && !verbs_device_valid(m->devices_request.after)))
			return verbs_malformed(e, "device id");
		return 0;
	case VERB_DEVICE_READ:
	case VERB_RAIL_SET:
		if (!ENDS(m->rail_request.id) || !verbs_device_valid(m->rail_request.id))
			return verbs_malformed(e, "device id");
		if (m->rail_request.on > (m->header.verb == VERB_RAIL_SET))
			return verbs_malformed(e, "power");
		return 0;
	default:
		return verbs_domain_check(&m->domain_request.domain, e);
	}
}

static int board_check(const struct verbs_board_response *r, struct error *e)
{
	if (!ENDS(r->hypervisor) || !ENDS(r->version) || !ENDS(r->extra) || !ENDS(r->abi) ||
	    !ENDS(r->board))
		return verbs_malformed(e, "text");
	if (!verbs_printable(r->hypervisor) || !verbs_printable(r->version) ||
	    !verbs_printable(r->extra) || !verbs_printable(r->abi) || !verbs_printable(r->board))
		return verbs_malformed(e, "text");
	if (r->cpu_count > VERBS_CPUS_MAX || r->cpus_online > r->cpu_count)
		return verbs_malformed(e, "number of CPUs");
	return 0;
}

static int list_check(const struct verbs_list_response *r, struct error *e)
{
	if (r->count > VERBS_PAGE)
		return verbs_malformed(e, "number of domains");
	for (uint32_t i = 0; i < r->count; i++) {
		const struct verbs_list_entry *d = &r->entries[i];

		if (!ENDS(d->domain.name) || !verbs_printable(d->domain.name))
			return verbs_malformed(e, "domain name");
		if (d->state == 0 || d->state >= VERBS_STATE_END || d->reason >= VERBS_REASON_END)
			return verbs_malformed(e, "domain state");
		if (d->ours && verbs_domain_check(&d->domain, e) < 0)
			return -1;
	}
	return 0;
}

int verbs_check_answer(const void *message, size_t length, struct error *e)
{
	const union verbs_message *m = message;

	if (header_check(&m->header, length, true, e) < 0)
		return -1;
	if (m->header.status != ERROR_NONE) {
		if (!ENDS(m->failure.pointer) || !ENDS(m->failure.detail))
			return verbs_malformed(e, "text");
		return 0;
	}
	switch (m->header.verb) {
	case VERB_HELLO:
		return ENDS(m->hello_response.version) ? 0 : verbs_malformed(e, "version");
	case VERB_BOARD_INFO:
		return board_check(&m->board_response, e);
	case VERB_DOMAIN_LIST:
		return list_check(&m->list_response, e);
	case VERB_EVENT_DOMAIN:
		if (m->event.state == 0 || m->event.state >= VERBS_STATE_END ||
		    m->event.reason >= VERBS_REASON_END)
			return verbs_malformed(e, "domain state");
		return verbs_domain_check(&m->event.domain, e);
	case VERB_DEVICE_LIST:
		return verbs_devices_check(&m->devices_response, e);
	case VERB_DEVICE_READ:
	case VERB_RAIL_SET:
		return verbs_device_check(&m->device_response.device, e);
	case VERB_EVENT_DEVICE:
		return verbs_device_event_check(&m->device_event, e);
	default:
		return 0;
	}
}
