/* /api/v1/domains/{name}/actions/...: operations on a domain's life. */
#include "domusd/api/api.h"
#include "domusd/api/domain_json.h"
#include "domusd/domusd.h"
#include "domusd/lifecycle.h"

static void reply_operation(void *context, struct store_tx **tx, json_t *operation)
{
	struct request *r = context;

	request_location_set(r, "/api/v1/operations/%s",
			     json_string_value(json_object_get(operation, "id")));
	request_commit(r, tx, 202, operation);
}

static void reply_domain(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;
	struct error e;

	if (store_begin_read(domusd.store, &tx, &e) < 0 ||
	    store_domain_get(tx, request_param(r, "name"), &row, &e) < 0)
		request_fail(r, &e);
	else
		request_reply_json(r, 200, domain_json(&row));
}

static void act(struct request *r, enum lifecycle_action action)
{
	struct error e;
	int result = lifecycle_act(domusd.lifecycle, request_param(r, "name"), action,
				   request_actor(r), reply_operation, r, &e);

	if (result < 0)
		request_fail(r, &e);
	else if (result == 0)
		reply_domain(r);
}

void api_domain_start(struct request *r)
{
	act(r, ACTION_START);
}

void api_domain_shutdown(struct request *r)
{
	act(r, ACTION_SHUTDOWN);
}

void api_domain_reboot(struct request *r)
{
	act(r, ACTION_REBOOT);
}

void api_domain_kill(struct request *r)
{
	act(r, ACTION_KILL);
}

void api_domain_pause(struct request *r)
{
	act(r, ACTION_PAUSE);
}

void api_domain_resume(struct request *r)
{
	act(r, ACTION_RESUME);
}
