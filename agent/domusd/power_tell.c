/* One device as keeper tells it, into the database: row, history, event, audit, alerts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/power_internal.h"
#include "domusd/store_rail.h"

#define COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *contents_json(const struct verbs_device *d)
{
	json_t *contents = json_array();
	unsigned count =
		d->content_count < VERBS_CONTENT_MAX ? d->content_count : VERBS_CONTENT_MAX;

	for (unsigned i = 0; i < count; i++) {
		const struct verbs_content *c = &d->contents[i];

		json_array_append_new(contents, json_pack("{s:s, s:s, s:o, s:I, s:I}", "kind",
							  verbs_content_name(c->kind), "name",
							  c->name, "node", text_or_null(c->node),
							  "vendor", (json_int_t)c->vendor,
							  "product", (json_int_t)c->product));
	}
	return contents;
}

/* The members of openapi.yaml's Device that only describe. */
static int about_fill(struct device_row *row, const struct verbs_device *d, struct error *e)
{
	json_t *json = json_pack(
		"{s:o, s:o, s:o, s:o, s:I, s:b, s:o}", "group_reason",
		text_or_null(d->group_reason), "mmio",
		d->mmio_size ? json_pack("{s:I, s:I}", "base", (json_int_t)d->mmio_base, "size",
					 (json_int_t)d->mmio_size)
			     : json_null(),
		"irq", d->irq ? json_integer(d->irq) : json_null(), "cluster",
		d->kind == VERBS_KIND_CPU && d->cluster != UINT32_MAX ? json_integer(d->cluster)
								      : json_null(),
		"content_count", (json_int_t)d->content_count, "contents_known", d->contents_known,
		"contents", contents_json(d));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	bool fits = text && strlen(text) < sizeof(row->about);

	if (fits)
		COPY(row->about, text);
	free(text);
	json_decref(json);
	return fits ? 0 : error_set(e, ERROR_INTERNAL, "The device %s cannot be described.", d->id);
}

/* before: the row that there was, or zeroed. */
static int row_fill(struct device_row *row, const struct verbs_device *d,
		    const struct device_row *before, struct error *e)
{
	*row = *before;
	COPY(row->id, d->id);
	COPY(row->name, d->name);
	COPY(row->together, d->group);
	COPY(row->needed, d->needed);
	COPY(row->note, d->note);
	row->kind = d->kind;
	row->gate = d->gate;
	row->power = d->power;
	row->cause = d->cause;
	row->present = true;
	row->kept = d->kept;
	row->since = (int64_t)(d->since_ns / 1000000);
	if (d->error[0])
		COPY(row->error, d->error);
	COPY(row->holder, d->holder.name);
	return about_fill(row, d, e);
}

static bool same(const struct device_row *a, const struct device_row *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->together, b->together) == 0 &&
	       strcmp(a->needed, b->needed) == 0 && strcmp(a->note, b->note) == 0 &&
	       strcmp(a->about, b->about) == 0 && strcmp(a->error, b->error) == 0 &&
	       strcmp(a->holder, b->holder) == 0 && a->kind == b->kind && a->gate == b->gate &&
	       a->power == b->power && a->cause == b->cause && a->since == b->since &&
	       a->present == b->present && a->kept == b->kept;
}

/* ---- what follows ---- */

struct change {
	struct power *power;
	struct store_tx *tx;
	const struct device_row *before, *after;
	const struct telling *telling;
	char resource[16 + VERBS_DEVICE_MAX];
	bool first; /* the first time that it is told */
};

static int append(const struct change *c, const char *type, json_t *data, bool audit,
		  struct error *e)
{
	struct event event = {.type = type,
			      .resource = c->resource,
			      .actor = c->telling->actor,
			      .operation = c->telling->operation,
			      .data = data,
			      .no_audit = !audit};
	int result = journal_append(c->power->journal, c->tx, &event, e);

	json_decref(data);
	return result;
}

static const char *null_if_empty(const char *text)
{
	return *text ? text : NULL;
}

/* The history, and the event; somebody or something threw the switch: the audit too. */
static int tell_power(const struct change *c, struct error *e)
{
	enum verbs_cause cause = c->telling->cause;
	bool moved = c->before->power != c->after->power;
	bool threw = cause != VERBS_CAUSE_NONE && cause != VERBS_CAUSE_FOUND;
	const char *error = c->telling->device->error;
	enum verbs_power wanted = device_wanted(c->after);
	struct rail_record record = {.time = clock_wall_ms(),
				     .previous = c->first ? "unknown"
							  : verbs_power_name(c->before->power),
				     .power = verbs_power_name(c->after->power),
				     .cause = verbs_cause_name(cause),
				     .domain = null_if_empty(c->telling->domain),
				     .operation = c->telling->operation,
				     .error = null_if_empty(error),
				     .actor = c->telling->actor->name};

	if (!moved && strcmp(c->before->holder, c->after->holder) == 0 &&
	    c->before->kept == c->after->kept)
		return 0;
	if (cause == VERBS_CAUSE_CORRECT && moved)
		atomic_fetch_add(&c->power->violations, 1);
	if (moved && store_rail_record(c->tx, c->after->id, &record, e) < 0)
		return -1;
	if (c->first && !threw)
		return 0;
	return append(c, "device.power",
		      json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:s?}", "power", record.power,
				"previous", record.previous, "wanted",
				wanted == VERBS_POWER_UNKNOWN ? NULL : verbs_power_name(wanted),
				"cause", record.cause, "domain", record.domain, "error",
				record.error),
		      threw && moved, e);
}

static int alert(const struct change *c, const char *code, bool is, const char *detail,
		 struct error *e)
{
	int64_t now = clock_wall_ms();
	int changed = is ? store_alert_raise(c->tx, code, c->resource, detail, now, e)
			 : store_alert_clear(c->tx, code, c->resource, now, e);

	if (changed <= 0)
		return changed;
	return append(c, is ? "alert.raised" : "alert.cleared",
		      json_pack("{s:s, s:s}", "code", code, "detail", detail), false, e);
}

/* What is wrong with it now, and what is not any more. */
static int tell_alerts(const struct change *c, struct error *e)
{
	const struct device_row *d = c->after;
	bool ours = d->gate != VERBS_GATE_NONE && d->gate != VERBS_GATE_HYPERVISOR;
	/* who has it on, whatever its definition says by now */
	bool lives = *d->holder && strcmp(d->holder, c->before->holder) == 0 &&
		     (d->holder_state == DOMAIN_RUNNING || d->holder_state == DOMAIN_PAUSED);
	bool empty = c->telling->device->contents_known && !c->telling->device->content_count;
	bool pulled;
	char text[300];
	int open = store_alert_open(c->tx, "device.pulled", c->resource, e);

	if (open < 0)
		return -1;
	/* empty from the start is no news */
	pulled = *d->holder && d->power == VERBS_POWER_ON && empty &&
		 (open || (!c->first && strstr(c->before->about, "\"contents\":[{")));
	if (alert(c, "rail.fault", d->power == VERBS_POWER_FAULT, c->telling->device->error, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "%s does not say whether it is on: %s", d->name, d->error);
	if (alert(c, "rail.unknown", ours && d->power == VERBS_POWER_UNKNOWN, text, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "%s went off under the domain %s, which runs.", d->name,
		 d->holder);
	if (alert(c, "rail.lost", lives && d->power == VERBS_POWER_OFF, text, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "What was in %s is gone, and the domain %s runs.", d->name,
		 d->holder);
	if (alert(c, "device.pulled", pulled, text, e) < 0)
		return -1;
	if (c->telling->back)
		*c->telling->back = open && !pulled && *d->holder && d->power == VERBS_POWER_ON;
	snprintf(text, sizeof(text), "%s is off again.", d->name);
	return d->power == VERBS_POWER_ON && !*d->holder
		       ? 0
		       : alert(c, "rail.violation", false, text, e);
}

static int tell_rest(const struct change *c, struct error *e)
{
	json_t *about, *data;

	if (c->first)
		return c->telling->came ? append(c, "device.added", NULL, false, e) : 0;
	if (c->before->present && strcmp(c->before->about, c->after->about) == 0 &&
	    strcmp(c->before->needed, c->after->needed) == 0 &&
	    strcmp(c->before->name, c->after->name) == 0)
		return 0;
	about = json_loads(c->after->about, 0, NULL);
	data = json_pack("{s:O}", "contents", json_object_get(about, "contents"));
	json_decref(about);
	return append(c, c->before->present ? "device.contents" : "device.added", data, false, e);
}

static int follow(const struct change *c, struct error *e)
{
	return tell_power(c, e) < 0 || tell_rest(c, e) < 0 || tell_alerts(c, e) < 0 ? -1 : 0;
}

static void change_init(struct change *c, struct power *p, struct store_tx *tx,
			const struct telling *telling, const char *id)
{
	c->power = p;
	c->tx = tx;
	c->telling = telling;
	snprintf(c->resource, sizeof(c->resource), "devices/%s", id);
}

static int tell(struct power *p, const struct telling *telling, struct device_row *before,
		struct device_row *after, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct change c = {.before = before, .after = after};
	int found;

	if (store_begin(p->store, &tx, e) < 0 ||
	    (found = store_device_find(tx, telling->device->id, before, e)) < 0)
		return -1;
	if (!found)
		memset(before, 0, sizeof(*before));
	if (row_fill(after, telling->device, before, e) < 0)
		return -1;
	if (found && same(before, after))
		return 0;
	change_init(&c, p, tx, telling, after->id);
	c.first = !found;
	if ((found ? store_device_tell(tx, after, e) : store_device_insert(tx, after, e)) < 0 ||
	    follow(&c, e) < 0)
		return -1;
	return store_commit(&tx, e);
}

int power_tell(struct power *p, const struct telling *telling, struct error *e)
{
	struct device_row *rows = calloc(2, sizeof(*rows));
	int result = rows ? tell(p, telling, &rows[0], &rows[1], e)
			  : error_set(e, ERROR_INTERNAL, "Out of memory.");

	free(rows);
	return result;
}

/* ---- a device that is not there any more ---- */

static int gone(struct power *p, const char *id, struct device_row *before,
		struct device_row *after, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct verbs_device d = {.power = VERBS_POWER_UNKNOWN};
	struct telling telling = {
		.device = &d, .cause = VERBS_CAUSE_FOUND, .actor = &actor_system, .domain = ""};
	struct change c = {.before = before, .after = after};
	bool counted;

	if (store_begin(p->store, &tx, e) < 0 || store_device_get(tx, id, before, e) < 0)
		return -1;
	snprintf(d.error, sizeof(d.error), "It is not there any more.");
	*after = *before;
	after->present = after->kept = false;
	after->power = VERBS_POWER_UNKNOWN;
	after->cause = VERBS_CAUSE_FOUND;
	after->since = clock_wall_ms();
	after->holder[0] = '\0';
	COPY(after->error, d.error);
	change_init(&c, p, tx, &telling, before->id);
	counted = *before->owner || before->always_on; /* somebody counts on it: its row stays */
	if (store_device_tell(tx, after, e) < 0 || tell_power(&c, e) < 0 ||
	    append(&c, "device.removed", NULL, false, e) < 0)
		return -1;
	if (!counted)
		after->gate = VERBS_GATE_NONE; /* no alert outlives it */
	if (tell_alerts(&c, e) < 0 || (!counted && store_device_delete(tx, before->id, e) < 0))
		return -1;
	return store_commit(&tx, e);
}

int power_gone(struct power *p, const char *id, struct error *e)
{
	struct device_row *rows = calloc(2, sizeof(*rows));
	int result;

	if (!rows)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	result = gone(p, id, &rows[0], &rows[1], e);
	free(rows);
	return result;
}

int power_violation(struct power *p, const char *id, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct verbs_device d = {.power = VERBS_POWER_ON};
	struct telling telling = {
		.device = &d, .cause = VERBS_CAUSE_CORRECT, .actor = &actor_system, .domain = ""};
	struct change c = {0};

	if (store_begin(p->store, &tx, e) < 0)
		return -1;
	change_init(&c, p, tx, &telling, id);
	if (alert(&c, "rail.violation", true, "It is on, and no domain that lives owns it.", e) < 0)
		return -1;
	return store_commit(&tx, e);
}
