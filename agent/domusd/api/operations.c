#include "domusd/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "domusd/api/api.h"
#include "domusd/checks.h"
#include "domusd/domusd.h"
#include "domusd/operation_read.h"
#include "domusd/operation_wait.h"

void api_operations_get(struct request *r)
{
	char cursor[24];
	struct page page;
	int64_t before = 0, next;
	json_t *items;
	struct error e;

	if (request_page(r, &page, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (page.cursor[0] && check_decimal(page.cursor, INT64_MAX, &before) < 0) {
		error_set(&e, ERROR_CURSOR, "This is not a cursor of this list.");
		request_fail(r, &e);
		return;
	}
	items = operation_list(domusd.operations, before, page.limit, &next, &e);
	if (!items) {
		request_fail(r, &e);
		return;
	}
	snprintf(cursor, sizeof(cursor), "%" PRId64, next);
	request_reply_list(r, items, next ? cursor : NULL);
}

static void reply(struct request *r, unsigned status, const char *id)
{
	struct error e;
	json_t *operation = operation_json(domusd.operations, id, &e);

	if (operation)
		request_reply_json(r, status, operation);
	else
		request_fail(r, &e);
}

struct waiting {
	struct request *r;
	char id[44];
};

static void waited(void *context)
{
	struct waiting *w = context;

	reply(w->r, 200, w->id);
	free(w);
}

void api_operation_get(struct request *r)
{
	const char *id = request_param(r, "id");
	struct waiting *w;
	int64_t seconds;
	struct error e;

	if (request_query_integer(r, "wait", 0, 60, 0, &seconds, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (!seconds || !id_valid(id)) {
		reply(r, 200, id);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		error_set(&e, ERROR_INTERNAL, "Out of memory.");
		request_fail(r, &e);
		return;
	}
	w->r = r;
	snprintf(w->id, sizeof(w->id), "%s", id);
	request_defer(r);
	if (operation_wait(domusd.operations, w->id, (int)seconds * 1000, waited, w, &e) < 0) {
		free(w);
		request_fail(r, &e);
	}
}

void api_operation_delete(struct request *r)
{
	const char *id = request_param(r, "id");
	struct error e;

	if (operation_cancel_request(domusd.operations, id, request_actor(r), &e) < 0)
		request_fail(r, &e);
	else
		reply(r, 202, id);
}
