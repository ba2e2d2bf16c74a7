#include "domusd/api/api.h"
#include "domusd/auth_login.h"
#include "domusd/checks.h"
#include "domusd/domusd.h"

static const struct check_field fields[] = {
	{.name = "code", .type = CHECK_STRING, .required = true, .min = 1, .max = 64},
	{.name = "username",
	 .type = CHECK_STRING,
	 .required = true,
	 .pattern = CHECK_USERNAME,
	 .rule = CHECK_USERNAME_RULE},
	{.name = "password", .type = CHECK_STRING, .required = true, .min = 8, .max = 256},
	{0},
};

static void answer(void *context, const struct auth_grant *grant, const struct error *e)
{
	struct request *r = context;

	if (grant)
		request_reply_json(r, 201,
				   json_pack("{s:s, s:s}", "token", grant->secret, "username",
					     grant->username));
	else
		request_fail(r, e);
}

void api_claim_post(struct request *r)
{
	const json_t *body = request_body(r);
	struct error e;

	if (check_object(body, fields, "", &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_defer(r);
	auth_claim(domusd.auth, check_get_string(body, "code", ""),
		   check_get_string(body, "username", ""), check_get_string(body, "password", ""),
		   request_actor(r), answer, r);
}
