#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "domusd/auth_credential.h"
#include "domusd/http_internal.h"
#include "domusd/http_text.h"

static bool is_safe(const struct request *r)
{
	return !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD") ||
	       !strcmp(r->method, "OPTIONS");
}

static int check_origin(struct request *r, struct error *e)
{
	const char *origin = request_header(r, "Origin");

	if (is_safe(r) || !origin || http_origin_matches(origin, request_header(r, "Host")))
		return 0;
	return error_set(e, ERROR_AUTH_ORIGIN, "This page is not the appliance's own.");
}

static int check_csrf(struct request *r, const char *expected, struct error *e)
{
	const char *sent = request_header(r, "X-CSRF-Token");
	size_t n = strlen(expected);

	if (is_safe(r) || (sent && strlen(sent) == n && CRYPTO_memcmp(sent, expected, n) == 0))
		return 0;
	return error_set(e, ERROR_AUTH_CSRF, "Send the session's csrf_token as X-CSRF-Token.");
}

static int check_bearer(struct request *r, const char *authorization, struct error *e)
{
	const char *token = authorization + 6;

	if (strncasecmp(authorization, "Bearer", 6) || *token != ' ')
		return error_set(e, ERROR_AUTH_REQUIRED, "Send Authorization: Bearer domus_…");
	token += strspn(token, " ");
	if (strncmp(token, "domus_", 6) || strlen(token) >= AUTH_SECRET_SIZE)
		return error_set(e, ERROR_AUTH_REQUIRED, "This is not a token of Domus.");
	return auth_check_token(r->http->options.auth, token, &r->principal, e);
}

static int check_cookie(struct request *r, const char *cookie, struct error *e)
{
	char csrf[AUTH_CSRF_SIZE];

	if (strlen(cookie) >= AUTH_SECRET_SIZE)
		return error_set(e, ERROR_AUTH_REQUIRED, "Log in again.");
	if (auth_check_session(r->http->options.auth, cookie, &r->principal, csrf, e) < 0 ||
	    check_origin(r, e) < 0)
		return -1;
	return check_csrf(r, csrf, e);
}

int http_authenticate(struct request *r, struct error *e)
{
	enum privilege needed = r->match.route->privilege;
	const char *authorization, *cookie;
	int result;

	/* A log-in or claim sent by a page of somebody else is refused too. */
	if (needed == PRIVILEGE_NONE)
		return check_origin(r, e);
	authorization = request_header(r, "Authorization");
	cookie = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, AUTH_COOKIE);
	if (authorization)
		result = check_bearer(r, authorization, e);
	else if (cookie)
		result = check_cookie(r, cookie, e);
	else
		result = error_set(e, ERROR_AUTH_REQUIRED, "Log in, or send a token.");
	if (result < 0)
		return -1;
	if (r->principal.privilege < needed)
		return error_set(e, ERROR_AUTH_FORBIDDEN, "This needs the privilege \"%s\".",
				 privilege_name(needed));
	return 0;
}
