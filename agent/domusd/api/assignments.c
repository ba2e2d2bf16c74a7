/* /api/v1/assignments: what giving devices to other owners would do, and doing it. */
#include <stdlib.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/api/domain_json.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/plan.h"

static json_t *plan_answer(struct request *r, struct error *e)
{
	STORE_TX struct store_tx *tx = NULL;
	char token[PLAN_TOKEN_SIZE], expires[CLOCK_TEXT_SIZE];
	struct plan_asked asked;
	struct plan *plan;
	json_t *json;

	if (plan_parse(request_body(r), &asked, e) < 0 ||
	    store_begin_read(domusd.store, &tx, e) < 0 || plan_make(tx, &asked, &plan, e) < 0)
		return NULL;
	plan_keep(&asked, plan, token);
	json = plan_json(plan);
	plan_free(plan);
	if (json)
		json_object_set_new(json, "token", json_string(token));
	if (json)
		json_object_set_new(
			json, "expires",
			json_string(clock_format(clock_wall_ms() + PLAN_LIFE_MS, expires)));
	else
		error_set(e, ERROR_INTERNAL, "Out of memory.");
	return json;
}

void api_assignments_plan(struct request *r)
{
	struct error e;
	json_t *json = plan_answer(r, &e);

	if (json)
		request_reply_json(r, 200, json);
	else
		request_fail(r, &e);
}

static const struct check_field apply_fields[] = {
	{.name = "token",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = "[A-Za-z0-9_-]{20,39}",
	 .rule = "the token of a plan"},
	{.type = CHECK_END},
};

/* The domains as they are now: the answer. */
static json_t *applied(struct store_tx *tx, const struct plan *plan, struct error *e)
{
	json_t *domains = json_array();
	struct domain_row *row = malloc(sizeof(*row));
	int result = row ? 0 : error_set(e, ERROR_INTERNAL, "Out of memory.");

	for (unsigned i = 0; result == 0 && i < plan->domain_count; i++) {
		result = store_domain_get(tx, plan->domains[i]->before.name, row, e);
		if (result == 0)
			json_array_append_new(domains, domain_json(row));
	}
	free(row);
	if (result == 0)
		return json_pack("{s:O, s:o}", "moves", plan->moves, "domains", domains);
	json_decref(domains);
	return NULL;
}

static json_t *apply(struct request *r, struct store_tx **tx, struct error *e)
{
	struct plan *plan;
	json_t *json = NULL;

	if (check_object(request_body(r), apply_fields, "", e) < 0 ||
	    store_begin(domusd.store, tx, e) < 0 ||
	    plan_take(*tx, check_get_string(request_body(r), "token", ""), &plan, e) < 0)
		return NULL;
	if (plan_apply(plan, domusd.journal, *tx, request_actor(r), e) == 0)
		json = applied(*tx, plan, e);
	plan_free(plan);
	return json;
}

void api_assignments_apply(struct request *r)
{
	STORE_TX struct store_tx *tx = NULL;
	struct error e;
	json_t *json = apply(r, &tx, &e);

	if (json)
		request_commit(r, &tx, 200, json);
	else
		request_fail(r, &e);
}
