/* /api/v1/domains: definitions. What domains do is in actions.c. */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/api/domain_json.h"
#include "domusd/assignment.h"
#include "domusd/clock.h"
#include "domusd/definition_check.h"
#include "domusd/domusd.h"

json_t *domain_json(const struct domain_row *row)
{
	json_t *json = definition_json(&row->definition);
	char created[CLOCK_TEXT_SIZE], updated[CLOCK_TEXT_SIZE], since[CLOCK_TEXT_SIZE];
	json_t *rest =
		json_pack("{s:I, s:s, s:s, s:{s:s, s:o, s:s, s:s?}}", "revision",
			  (json_int_t)row->revision, "created", clock_format(row->created, created),
			  "updated", clock_format(row->updated, updated), "status", "state",
			  domain_state_name(row->status.state), "domid",
			  row->status.domid < 0 ? json_null() : json_integer(row->status.domid),
			  "since", clock_format(row->status.since, since), "reason",
			  *row->status.reason ? row->status.reason : NULL);

	if (!json || !rest || json_object_update(json, rest) < 0) {
		json_decref(json);
		json = NULL;
	}
	json_decref(rest);
	return json;
}

/* ---- reading ---- */

struct listing {
	json_t *items;
	int limit;
	char last[41];
	bool more;
};

static void list_one(void *context, const struct domain_row *row)
{
	struct listing *l = context;

	if ((int)json_array_size(l->items) == l->limit) {
		l->more = true;
		return;
	}
	json_array_append_new(l->items, domain_json(row));
	snprintf(l->last, sizeof(l->last), "%s", row->id.name);
}

void api_domains_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct listing l = {.items = json_array()};
	struct page page;
	struct error e;

	if (request_page(r, &page, &e) < 0 || store_begin_read(domusd.store, &tx, &e) < 0) {
		json_decref(l.items);
		request_fail(r, &e);
		return;
	}
	l.limit = page.limit;
	if (store_domain_list(tx, page.cursor, page.limit + 1, list_one, &l, &e) < 0) {
		json_decref(l.items);
		request_fail(r, &e);
		return;
	}
	request_reply_list(r, l.items, l.more ? l.last : NULL);
}

void api_domain_get(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;
	struct error e;

	if (store_begin_read(domusd.store, &tx, &e) < 0 ||
	    store_domain_get(tx, request_param(r, "name"), &row, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, row.revision);
	request_reply_json(r, 200, domain_json(&row));
}

/* ---- changing ---- */

static int append_event(struct request *r, struct store_tx *tx, const char *type, const char *name,
			int64_t revision, struct error *e)
{
	char resource[64];
	struct event event = {.type = type,
			      .resource = resource,
			      .revision = revision,
			      .actor = request_actor(r)};

	snprintf(resource, sizeof(resource), "domains/%s", name);
	return journal_append(domusd.journal, tx, &event, e);
}

static int create(struct request *r, struct store_tx **tx, struct domain_row *row, struct error *e)
{
	struct domain_row other;

	memset(row, 0, sizeof(*row));
	if (definition_parse(request_body(r), &row->definition, e) < 0 ||
	    store_begin(domusd.store, tx, e) < 0)
		return -1;
	if (store_domain_status(*tx, row->definition.name, &other, NULL) == 0)
		return error_set(e, ERROR_DOMAIN_EXISTS, "There is a domain named %s already.",
				 row->definition.name);
	if (RAND_bytes(row->id.uuid, sizeof(row->id.uuid)) != 1)
		return error_set(e, ERROR_INTERNAL, "There are no random numbers.");
	row->id.uuid[6] = (row->id.uuid[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
	row->id.uuid[8] = (row->id.uuid[8] & 0x3f) | 0x80;
	row->created = clock_wall_ms();
	if (definition_check(*tx, domusd.blob, domusd.lifecycle, &row->definition, e) < 0 ||
	    store_domain_insert(*tx, row, e) < 0 ||
	    assignment_changed(domusd.journal, *tx, NULL, &row->definition, request_actor(r), e) <
		    0 ||
	    append_event(r, *tx, "domain.created", row->definition.name, 1, e) < 0)
		return -1;
	return store_domain_get(*tx, row->definition.name, row, e);
}

void api_domains_post(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;
	struct error e;

	if (create(r, &tx, &row, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, row.revision);
	request_location_set(r, "/api/v1/domains/%s", row.id.name);
	request_commit(r, &tx, 201, domain_json(&row));
}

/* parse makes the new definition of the body and the row that there is. */
static int change(struct request *r, struct store_tx **tx, struct domain_row *row,
		  int (*parse)(const json_t *body, const struct domain_row *row,
			       struct definition *definition, struct error *e),
		  struct error *e)
{
	struct definition definition;
	int64_t revision;

	if (store_begin(domusd.store, tx, e) < 0 ||
	    store_domain_get(*tx, request_param(r, "name"), row, e) < 0 ||
	    request_if_match(r, row->revision, e) < 0 ||
	    parse(request_body(r), row, &definition, e) < 0)
		return -1;
	if (strcmp(definition.name, row->id.name) != 0)
		return error_set_rule(e, "read_only", "/name", "A domain cannot be renamed.");
	if (definition_check(*tx, domusd.blob, domusd.lifecycle, &definition, e) < 0 ||
	    store_domain_update(*tx, &definition, clock_wall_ms(), &revision, e) < 0 ||
	    assignment_changed(domusd.journal, *tx, &row->definition, &definition, request_actor(r),
			       e) < 0 ||
	    append_event(r, *tx, "domain.updated", row->id.name, revision, e) < 0)
		return -1;
	return store_domain_get(*tx, row->id.name, row, e);
}

static void reply_changed(struct request *r,
			  int (*parse)(const json_t *body, const struct domain_row *row,
				       struct definition *definition, struct error *e))
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;
	struct error e;

	if (change(r, &tx, &row, parse, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_etag_set(r, row.revision);
	request_commit(r, &tx, 200, domain_json(&row));
}

static int parse_whole(const json_t *body, const struct domain_row *row,
		       struct definition *definition, struct error *e)
{
	(void)row;
	return definition_parse(body, definition, e);
}

static int parse_patch(const json_t *body, const struct domain_row *row,
		       struct definition *definition, struct error *e)
{
	return definition_patch(&row->definition, body, definition, e);
}

void api_domain_put(struct request *r)
{
	reply_changed(r, parse_whole);
}

void api_domain_patch(struct request *r)
{
	reply_changed(r, parse_patch);
}

static int domain_delete(struct request *r, char name[41], struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	struct domain_row row;

	if (store_begin(domusd.store, &tx, e) < 0 ||
	    store_domain_get(tx, request_param(r, "name"), &row, e) < 0 ||
	    request_if_match(r, row.revision, e) < 0 || lifecycle_may_delete(&row, e) < 0 ||
	    store_domain_delete(tx, row.id.name, e) < 0 ||
	    assignment_changed(domusd.journal, tx, &row.definition, NULL, request_actor(r), e) <
		    0 ||
	    append_event(r, tx, "domain.deleted", row.id.name, 0, e) < 0)
		return -1;
	snprintf(name, 41, "%s", row.id.name);
	return store_commit(&tx, e);
}

void api_domain_delete(struct request *r)
{
	char name[41];
	struct error e;

	if (domain_delete(r, name, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	lifecycle_forget(domusd.lifecycle, name);
	request_reply_empty(r, 204);
}
