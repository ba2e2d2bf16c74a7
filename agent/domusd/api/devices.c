/* /api/v1/devices: the inventory, who owns what, whether it has power, and the policy. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/power.h"
#include "domusd/store_rail.h"

/* ---- reading ---- */

struct listing {
	json_t *items;
	const char *kind, *owner, *power; /* filters, or NULL */
	int limit;
	bool live, more;
	char last[VERBS_DEVICE_MAX + 1];
};

static bool wanted(const struct listing *l, json_t *device)
{
	const char *owner = json_string_value(json_object_get(device, "owner"));
	const char *power =
		json_string_value(json_object_get(json_object_get(device, "power"), "actual"));

	return (!l->kind ||
		strcmp(l->kind, json_string_value(json_object_get(device, "kind"))) == 0) &&
	       (!l->owner || strcmp(l->owner, owner ? owner : "none") == 0) &&
	       (!l->power || strcmp(l->power, power) == 0);
}

static bool list_one(void *context, const struct device_row *row)
{
	struct listing *l = context;
	json_t *device = device_json(row, l->live);

	if (!device || !wanted(l, device)) {
		json_decref(device);
		return true;
	}
	if ((int)json_array_size(l->items) == l->limit) {
		json_decref(device);
		l->more = true;
		return false;
	}
	json_array_append_new(l->items, device);
	memcpy(l->last, row->id, sizeof(l->last));
	return true;
}

/* A filter that is there must be one of the words. */
static int filter(struct request *r, const char *name, const char *const *words, const char **out,
		  struct error *e)
{
	*out = request_query(r, name);
	if (!*out)
		return 0;
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], *out) == 0)
			return 0;
	return error_set(e, ERROR_PARAMETER, "%s cannot be that.", name);
}

static int list(struct request *r, struct listing *l, struct error *e)
{
	static const char *const kinds[] = {"cpu", "platform", "pcie", "usb", NULL};
	static const char *const powers[] = {"on", "off", "fault", "unknown", NULL};
	STORE_TX struct store_tx *tx = NULL;
	struct page page;

	l->owner = request_query(r, "owner");
	if (l->owner && !check_matches(l->owner, CHECK_NAME))
		return error_set(e, ERROR_PARAMETER, "owner is dom0, none or a domain's name.");
	if (request_page(r, &page, e) < 0 || filter(r, "kind", kinds, &l->kind, e) < 0 ||
	    filter(r, "power", powers, &l->power, e) < 0 ||
	    store_begin_read(domusd.store, &tx, e) < 0)
		return -1;
	l->limit = page.limit;
	return store_device_list(tx, page.cursor, INT32_MAX, list_one, l, e);
}

void api_devices_get(struct request *r)
{
	struct listing l = {.items = json_array(), .live = power_live(domusd.power)};
	char filters[128];
	struct error e;

	if (list(r, &l, &e) < 0) {
		json_decref(l.items);
		request_fail(r, &e);
		return;
	}
	snprintf(filters, sizeof(filters), "%s%s%s%s%s%s", l.kind ? "&kind=" : "",
		 l.kind ? l.kind : "", l.owner ? "&owner=" : "", l.owner ? l.owner : "",
		 l.power ? "&power=" : "", l.power ? l.power : "");
	request_reply_list_of(r, l.items, l.more ? l.last : NULL, filters);
}

static void reply(struct request *r, const char *id)
{
	struct device_row *row = malloc(sizeof(*row));
	bool live = power_live(domusd.power);
	struct error e;
	int result = row ? 0 : error_set(&e, ERROR_INTERNAL, "Out of memory.");

	if (result == 0) {
		STORE_TX struct store_tx *tx = NULL;

		if (store_begin_read(domusd.store, &tx, &e) < 0 ||
		    store_device_get(tx, id, row, &e) < 0)
			result = -1;
	}
	if (result < 0) {
		request_fail(r, &e);
	} else {
		request_etag_set(r, row->revision);
		request_reply_json(r, 200, device_json(row, live));
	}
	free(row);
}

void api_device_get(struct request *r)
{
	reply(r, request_param(r, "id"));
}

/* ---- history ---- */

struct past {
	json_t *items;
	int limit;
	int64_t last;
	bool more;
};

static void past_one(void *context, const struct rail_record *record)
{
	struct past *p = context;
	char time[CLOCK_TEXT_SIZE];

	if ((int)json_array_size(p->items) == p->limit) {
		p->more = true;
		return;
	}
	p->last = record->seq;
	json_array_append_new(
		p->items,
		json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s?, s:s?}", "time",
			  clock_format(record->time, time), "previous", record->previous, "power",
			  record->power, "cause", record->cause, "domain", record->domain, "actor",
			  record->actor, "operation", record->operation, "error", record->error));
}

static int cursor_number(const struct page *page, int64_t *before, struct error *e)
{
	*before = 0;
	if (page->cursor[0] && check_decimal(page->cursor, INT64_MAX, before) < 0)
		return error_set(e, ERROR_CURSOR, "This is not a cursor of this list.");
	return 0;
}

static int history(struct request *r, struct past *p, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct device_row *row = malloc(sizeof(*row));
	struct page page;
	int64_t before;
	int result =
		row ? request_page(r, &page, e) : error_set(e, ERROR_INTERNAL, "Out of memory.");

	if (result == 0 &&
	    (cursor_number(&page, &before, e) < 0 || store_begin_read(domusd.store, &tx, e) < 0 ||
	     store_device_get(tx, request_param(r, "id"), row, e) < 0))
		result = -1;
	p->limit = result == 0 ? page.limit : 0;
	if (result == 0)
		result = store_rail_history(tx, row->id, before, page.limit + 1, past_one, p, e);
	free(row);
	return result;
}

void api_device_history_get(struct request *r)
{
	struct past p = {.items = json_array()};
	char cursor[24];
	struct error e;

	if (history(r, &p, &e) < 0) {
		json_decref(p.items);
		request_fail(r, &e);
		return;
	}
	snprintf(cursor, sizeof(cursor), "%" PRId64, p.last);
	request_reply_list(r, p.items, p.more ? cursor : NULL);
}

/* ---- policy ---- */

static const struct check_field policy_fields[] = {
	{.name = "always_on", .type = CHECK_BOOLEAN, .required = true},
	{.name = "reason",
	 .type = CHECK_STRING,
	 .nullable = true,
	 .min = 1,
	 .max = DEVICE_POLICY_REASON_MAX},
	{.type = CHECK_END},
};
static const struct check_field patch_fields[] = {
	{.name = "policy", .type = CHECK_OBJECT, .required = true, .fields = policy_fields},
	{.type = CHECK_END},
};

static int policy_allowed(const struct device_row *row, bool on, const char *reason,
			  struct error *e)
{
	if (*row->needed)
		return error_set(e, ERROR_DEVICE_NEEDED, "%s stays the appliance's and on: %s",
				 row->name, row->needed);
	if (on && !device_switchable(row))
		return error_set(e, ERROR_RAIL_UNSUPPORTED, "Nothing switches %s: %s", row->name,
				 row->present ? row->note : "it is not there any more");
	if (on && !reason)
		return error_set_at(e, ERROR_FIELD_MISSING, "/policy/reason",
				    "Say why it has to stay on");
	return 0;
}

/* Commits the policy with its event. */
static int policy_set(struct request *r, struct device_row *row, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	char resource[16 + VERBS_DEVICE_MAX];
	struct event event = {
		.type = "device.updated", .resource = resource, .actor = request_actor(r)};
	const json_t *policy = json_object_get(request_body(r), "policy");
	const char *reason;
	json_t *data;
	bool on;
	int result;

	if (store_begin(domusd.store, &tx, e) < 0 ||
	    store_device_get(tx, request_param(r, "id"), row, e) < 0 ||
	    request_if_match(r, row->revision, e) < 0 ||
	    check_object(request_body(r), patch_fields, "", e) < 0)
		return -1;
	on = check_get_boolean(policy, "always_on", false);
	reason = check_get_string(policy, "reason", NULL);
	if (policy_allowed(row, on, reason, e) < 0 ||
	    store_device_policy(tx, row->id, on, reason, e) < 0)
		return -1;
	snprintf(resource, sizeof(resource), "devices/%s", row->id);
	event.revision = row->revision + 1;
	data = json_pack("{s:b, s:s?}", "always_on", on, "reason", on ? reason : NULL);
	event.data = data;
	result = journal_append(domusd.journal, tx, &event, e);
	json_decref(data);
	return result < 0 ? -1 : store_commit(&tx, e);
}

struct patching {
	struct request *r;
	char id[VERBS_DEVICE_MAX + 1];
};

static void patched(void *context)
{
	struct patching *p = context;

	reply(p->r, p->id);
	free(p);
}

void api_device_patch(struct request *r)
{
	struct device_row *row = malloc(sizeof(*row));
	struct patching *p = malloc(sizeof(*p));
	struct actor actor = *request_actor(r);
	struct error e;
	int result =
		row && p ? policy_set(r, row, &e) : error_set(&e, ERROR_INTERNAL, "Out of memory.");

	if (result < 0) {
		free(p);
		free(row);
		request_fail(r, &e);
		return;
	}
	p->r = r;
	memcpy(p->id, row->id, sizeof(p->id));
	request_defer(r);
	power_policy_apply(domusd.power, row->id, &actor, patched, p);
	free(row);
}
