#include <stdio.h>
#include <string.h>

#include "domusd/api/api.h"
#include "domusd/auth_token.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"

static const struct check_field fields[] = {
	{.name = "name",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = CHECK_LABEL,
	 .rule = CHECK_LABEL_RULE},
	{.name = "expires_in_days", .type = CHECK_INTEGER, .min = 1, .max = 365},
	{0},
};

static json_t *token_json(const struct auth_grant *grant)
{
	char created[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE], used[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", grant->id, "name", grant->name,
			 "username", grant->username, "created",
			 clock_format(grant->created, created), "expires",
			 clock_format(grant->expires, expires), "last_used",
			 grant->used ? json_string(clock_format(grant->used, used)) : json_null());
}

struct listing {
	json_t *items;
	char last[ID_SIZE];
};

static void list_one(void *context, const struct auth_grant *grant)
{
	struct listing *l = context;

	json_array_append_new(l->items, token_json(grant));
	memcpy(l->last, grant->id, sizeof(l->last));
}

void api_tokens_get(struct request *r)
{
	struct listing l = {.items = json_array()};
	struct page page;
	struct error e;
	size_t surplus;

	/* One more than asked tells whether there is a next page. */
	if (request_page(r, &page, &e) < 0 ||
	    auth_token_list(domusd.auth, request_principal(r), page.cursor, page.limit + 1,
			    list_one, &l, &e) < 0) {
		json_decref(l.items);
		request_fail(r, &e);
		return;
	}
	surplus = (size_t)page.limit;
	if (json_array_size(l.items) > surplus) {
		const json_t *last = json_array_get(l.items, surplus - 1);

		json_array_remove(l.items, surplus);
		snprintf(page.cursor, sizeof(page.cursor), "%s",
			 json_string_value(json_object_get(last, "id")));
		request_reply_list(r, l.items, page.cursor);
	} else {
		request_reply_list(r, l.items, NULL);
	}
}

void api_tokens_post(struct request *r)
{
	const json_t *body = request_body(r);
	struct auth_grant grant;
	struct error e;
	json_t *token;

	if (check_object(body, fields, "", &e) < 0 ||
	    auth_token_create(domusd.auth, request_principal(r), check_get_string(body, "name", ""),
			      (int)check_get_integer(body, "expires_in_days", 90), &grant,
			      &e) < 0) {
		request_fail(r, &e);
		return;
	}
	token = token_json(&grant);
	json_object_set_new(token, "token", json_string(grant.secret));
	explicit_bzero(grant.secret, sizeof(grant.secret));
	request_location_set(r, "/api/v1/tokens/%s", grant.id);
	request_reply_json(r, 201, token);
}

void api_token_delete(struct request *r)
{
	struct error e;

	if (auth_token_delete(domusd.auth, request_principal(r), request_param(r, "id"), &e) < 0)
		request_fail(r, &e);
	else
		request_reply_empty(r, 204);
}
