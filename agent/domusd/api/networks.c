/* /api/v1/networks: read only; the Dom0 image makes them. */
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/domusd.h"
#include "domusd/network.h"
#include "domusd/store_domain.h"

#define NETWORK_REVISION 1 /* they never change */

static json_t *network_json(struct store_tx *tx, const struct network *network, struct error *e)
{
	char cidr[64];
	json_t *users = store_network_users(tx, network->id, e);

	return users ? json_pack("{s:s, s:s, s:s, s:s?, s:b, s:o, s:i}", "id", network->id, "name",
				 network->id, "mode", network->mode, "cidr",
				 network_cidr(network, cidr) ? cidr : NULL, "dhcp", network->dhcp,
				 "used_by", users, "revision", NETWORK_REVISION)
		     : NULL;
}

void api_networks_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	json_t *items = json_array();
	struct page page;
	struct error e;
	int result = request_page(r, &page, &e);

	if (result == 0)
		result = store_begin_read(domusd.store, &tx, &e);
	/* all of them fit one page, whatever its limit: there is one */
	for (unsigned i = 0; result == 0 && i < networks_count; i++) {
		json_t *item;

		if (strcmp(networks[i].id, page.cursor) <= 0)
			continue;
		item = network_json(tx, &networks[i], &e);
		result = item ? json_array_append_new(items, item) : -1;
	}
	if (result == 0) {
		request_reply_list(r, items, NULL);
		return;
	}
	json_decref(items);
	request_fail(r, &e);
}

void api_network_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	const char *id = request_param(r, "id");
	const struct network *network = network_find(id);
	json_t *json = NULL;
	struct error e;

	if (network && request_none_match(r, NETWORK_REVISION)) {
		request_reply_not_modified(r, NETWORK_REVISION);
		return;
	}
	if (!network)
		error_set(&e, ERROR_NETWORK_UNKNOWN, "There is no network %.64s.", id);
	else if (store_begin_read(domusd.store, &tx, &e) == 0)
		json = network_json(tx, network, &e);
	if (!json) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, NETWORK_REVISION);
	request_reply_json(r, 200, json);
}
