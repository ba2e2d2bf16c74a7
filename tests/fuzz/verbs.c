/* Whatever the decoder accepts must hold what it promises: strings end, numbers are in range, lengths are exact. */
#include <stdlib.h>
#include <string.h>

#include "common/verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
	if (!promise)
		abort();
}

static void request_use(const union verbs_message *m)
{
	if (m->header.verb == VERB_DOMAIN_CREATE) {
		const struct verbs_create_request *r = &m->create_request;

		require(verbs_name_valid(r->domain.name) && verbs_id_valid(r->kernel));
		require(strlen(r->cmdline) <= VERBS_CMDLINE_MAX);
		require(r->disk_count <= VERBS_DISKS_MAX && r->nic_count <= VERBS_NICS_MAX);
		require(r->device_count <= VERBS_DEVICES_MAX);
		for (uint32_t i = 0; i < r->device_count; i++)
			require(verbs_device_valid(r->devices[i]) && !strchr(r->devices[i], '/'));
		for (uint32_t i = 0; i < r->disk_count; i++)
			require(r->disks[i].device[0] ? verbs_device_valid(r->disks[i].device)
						      : verbs_id_valid(r->disks[i].volume) &&
								!strchr(r->disks[i].volume, '/'));
		for (uint32_t i = 0; i < r->nic_count; i++)
			require(r->nics[i].device[0] ? verbs_device_valid(r->nics[i].device)
						     : verbs_bridge_valid(r->nics[i].bridge));
	} else if (m->header.verb >= VERB_DOMAIN_SHUTDOWN && m->header.verb <= VERB_CONSOLE_OPEN) {
		require(verbs_name_valid(m->domain_request.domain.name));
	} else if (m->header.verb == VERB_DEVICE_READ || m->header.verb == VERB_RAIL_SET) {
		require(verbs_device_valid(m->rail_request.id) && m->rail_request.on <= 1);
	} else if (m->header.verb == VERB_DEVICE_LIST) {
		require(strlen(m->devices_request.after) <= VERBS_DEVICE_MAX);
	}
}

static void device_use(const struct verbs_device *d)
{
	require(verbs_device_valid(d->id) && strlen(d->error) < sizeof(d->error));
	require(strcmp(verbs_kind_name(d->kind), "unknown") != 0 &&
		strcmp(verbs_gate_name(d->gate), "unknown") != 0);
	require(d->power < VERBS_POWER_END && verbs_power_name(d->power)[0]);
	require(!d->holder.name[0] || verbs_name_valid(d->holder.name));
	for (unsigned i = 0; i < d->content_count && i < VERBS_CONTENT_MAX; i++)
		require(strlen(d->contents[i].node) < sizeof(d->contents[i].node));
}

static void answer_use(const union verbs_message *m)
{
	struct error e;

	if (m->header.status != ERROR_NONE) {
		verbs_error(&m->failure, &e);
		require(e.code == (enum error_code)m->header.status);
	} else if (m->header.verb == VERB_DOMAIN_LIST) {
		require(m->list_response.count <= VERBS_PAGE);
		for (uint32_t i = 0; i < m->list_response.count; i++)
			require(strlen(m->list_response.entries[i].domain.name) <= VERBS_NAME_MAX);
	} else if (m->header.verb == VERB_EVENT_DOMAIN) {
		require(strcmp(verbs_state_name(m->event.state), "unknown") != 0);
	} else if (m->header.verb == VERB_EVENT_DEVICE) {
		require(strcmp(verbs_change_name(m->device_event.change), "unknown") != 0);
		device_use(&m->device_event.device);
	} else if (m->header.verb == VERB_RAIL_SET || m->header.verb == VERB_DEVICE_READ) {
		device_use(&m->device_response.device);
	} else if (m->header.verb == VERB_DEVICE_LIST) {
		require(m->devices_response.count <= VERBS_DEVICE_PAGE);
		for (uint32_t i = 0; i < m->devices_response.count; i++)
			device_use(&m->devices_response.devices[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error e = {0};

	if (verbs_check_request(data, size, &e) == 0) {
		require(size == ((const struct verbs_header *)data)->length);
		request_use((const union verbs_message *)data);
	} else {
		require(e.code == ERROR_REQUEST_MALFORMED && e.detail[0]);
	}
	if (verbs_check_answer(data, size, &e) == 0)
		answer_use((const union verbs_message *)data);
	return 0;
}
