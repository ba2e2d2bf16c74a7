/* /api/v1/alerts: what is wrong now, and what was. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/store_rail.h"

struct listing {
	json_t *items;
	int limit;
	int64_t last;
	bool open, more;
};

static void list_one(void *context, const struct alert *alert)
{
	struct listing *l = context;
	char raised[CLOCK_TEXT_SIZE], cleared[CLOCK_TEXT_SIZE], id[24];

	if ((int)json_array_size(l->items) == l->limit) {
		l->more = true;
		return;
	}
	l->last = alert->seq;
	snprintf(id, sizeof(id), "%" PRId64, alert->seq);
	json_array_append_new(
		l->items,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "id", id, "code", alert->code,
			  "resource", alert->resource, "detail", alert->detail, "raised",
			  clock_format(alert->raised, raised), "cleared",
			  alert->cleared ? clock_format(alert->cleared, cleared) : NULL));
}

static int list(struct request *r, struct listing *l, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	const char *open = request_query(r, "open");
	struct page page;
	int64_t before = 0;

	if (request_page(r, &page, e) < 0)
		return -1;
	if (open && strcmp(open, "true") != 0 && strcmp(open, "false") != 0)
		return error_set(e, ERROR_PARAMETER, "open is true or false.");
	if (page.cursor[0] && check_decimal(page.cursor, INT64_MAX, &before) < 0)
		return error_set(e, ERROR_CURSOR, "This is not a cursor of this list.");
	l->limit = page.limit;
	if (store_begin_read(domusd.store, &tx, e) < 0)
		return -1;
	l->open = open && strcmp(open, "true") == 0;
	return store_alert_list(tx, l->open, before, page.limit + 1, list_one, l, e);
}

void api_alerts_get(struct request *r)
{
	struct listing l = {.items = json_array()};
	char cursor[24];
	struct error e;

	if (list(r, &l, &e) < 0) {
		json_decref(l.items);
		request_fail(r, &e);
		return;
	}
	snprintf(cursor, sizeof(cursor), "%" PRId64, l.last);
	request_reply_list_of(r, l.items, l.more ? cursor : NULL, l.open ? "&open=true" : "");
}
