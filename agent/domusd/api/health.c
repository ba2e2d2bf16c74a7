#include <stdlib.h>

#include "domusd/api/api.h"
#include "domusd/domusd.h"
#include "domusd/lifecycle.h"
#include "domusd/metrics.h"
#include "domusd/power.h"

void api_healthz_get(struct request *r)
{
	request_reply_data(r, 200, "text/plain", "ok\n", 3);
}

/* The database is asked too: a read transaction fails when its file is gone or unreadable. */
static int check_ready(struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;

	if (!atomic_load(&domusd.ready))
		return error_set(e, ERROR_UNAVAILABLE, "The appliance is starting.");
	if (!lifecycle_settled(domusd.lifecycle))
		return error_set(e, ERROR_UNAVAILABLE, "The keeper does not answer.");
	if (!power_settled(domusd.power))
		return error_set(e, ERROR_UNAVAILABLE,
				 "What nobody uses is not known to be off yet.");
	if (store_begin_read(domusd.store, &tx, NULL) < 0)
		return error_set(e, ERROR_UNAVAILABLE, "The database does not answer.");
	return 0;
}

void api_readyz_get(struct request *r)
{
	struct error e;

	if (check_ready(&e) < 0)
		request_fail(r, &e);
	else
		request_reply_data(r, 200, "text/plain", "ready\n", 6);
}

void api_metrics_get(struct request *r)
{
	size_t size;
	char *text = metrics_collect(&size);
	struct error e;

	if (text) {
		request_reply_data(r, 200, "text/plain; version=0.0.4", text, size);
	} else {
		error_set(&e, ERROR_INTERNAL, "Out of memory.");
		request_fail(r, &e);
	}
	free(text);
}
