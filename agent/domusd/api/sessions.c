#include <stdio.h>

#include "domusd/api/api.h"
#include "domusd/auth_credential.h"
#include "domusd/auth_login.h"
#include "domusd/checks.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"

#define COOKIE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"

static const struct check_field fields[] = {
	{.name = "username", .type = CHECK_STRING, .required = true, .min = 1, .max = 64},
	{.name = "password", .type = CHECK_STRING, .required = true, .min = 1, .max = 256},
	{0},
};

static json_t *session_json(const struct auth_grant *grant)
{
	char expires[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s}", "csrf_token", grant->csrf, "username", grant->username,
			 "expires", clock_format(grant->expires, expires));
}

static void answer(void *context, const struct auth_grant *grant, const struct error *e)
{
	struct request *r = context;
	char cookie[160];

	if (!grant) {
		request_fail(r, e);
		return;
	}
	snprintf(cookie, sizeof(cookie), AUTH_COOKIE "=%s" COOKIE_ATTRIBUTES, grant->secret);
	request_header_set(r, "Set-Cookie", cookie);
	request_reply_json(r, 201, session_json(grant));
}

void api_sessions_post(struct request *r)
{
	const json_t *body = request_body(r);
	struct error e;

	if (check_object(body, fields, "", &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_defer(r);
	auth_login(domusd.auth, check_get_string(body, "username", ""),
		   check_get_string(body, "password", ""), request_actor(r), answer, r);
}

void api_session_get(struct request *r)
{
	struct auth_grant grant;
	struct error e;

	if (auth_session_get(domusd.auth, request_principal(r), &grant, &e) < 0)
		request_fail(r, &e);
	else
		request_reply_json(r, 200, session_json(&grant));
}

void api_session_delete(struct request *r)
{
	struct error e;

	if (auth_logout(domusd.auth, request_principal(r), &e) < 0) {
		request_fail(r, &e);
		return;
	}
	request_header_set(r, "Set-Cookie", AUTH_COOKIE "=; Max-Age=0" COOKIE_ATTRIBUTES);
	request_reply_empty(r, 204);
}
