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
		for (uint32_t i = 0; i < r->disk_count; i++)
			require(verbs_id_valid(r->disks[i].volume) &&
				!strchr(r->disks[i].volume, '/'));
		for (uint32_t i = 0; i < r->nic_count; i++)
			require(verbs_bridge_valid(r->nics[i].bridge));
	} else if (m->header.verb >= VERB_DOMAIN_SHUTDOWN && m->header.verb <= VERB_CONSOLE_OPEN) {
		require(verbs_name_valid(m->domain_request.domain.name));
	}
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
