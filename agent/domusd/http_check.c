#include <string.h>

#include "domusd/http_internal.h"
#include "domusd/http_text.h"

static int check_limits(struct request *r, struct error *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (strlen(r->path) >= HTTP_URI_MAX || (r->query && strlen(r->query) >= HTTP_URI_MAX))
		return error_set(e, ERROR_URI_TOO_LONG, "The path or the query is too long.");
	if (info && info->header_size > HTTP_HEADERS_MAX)
		return error_set(e, ERROR_HEADERS_TOO_LARGE,
				 "Header fields may have %d bytes in all.", HTTP_HEADERS_MAX);
	/* Said before authentication and before the body is read, so nobody can make us take it in. */
	if (request_content_length(r) > ROUTE_JSON_MAX && r->match.route &&
	    r->match.route->body != BODY_STREAM)
		return error_set(e, ERROR_BODY_TOO_LARGE, "The body may have %d bytes at most.",
				 ROUTE_JSON_MAX);
	return 0;
}

static int check_route(struct request *r, struct error *e)
{
	if (r->match.route)
		return 0;
	if (!r->match.path_known)
		return error_set(e, ERROR_NOT_FOUND, "There is nothing at this path.");
	request_header_set(r, "Allow", r->match.allow);
	return error_set(e, ERROR_METHOD, "Allowed here: %s.", r->match.allow);
}

static int check_ready(struct request *r, struct error *e)
{
	if (r->match.route->flags & ROUTE_DURING_START || atomic_load(r->http->options.ready))
		return 0;
	error_set(e, ERROR_UNAVAILABLE, "The appliance is starting.");
	e->retry_after = 2;
	return -1;
}

static int check_media_type(struct request *r, struct error *e)
{
	static const char *const types[] = {[BODY_JSON] = "application/json",
					    [BODY_JSON_EMPTY] = "application/json",
					    [BODY_MERGE] = "application/merge-patch+json"};
	const char *type;
	int64_t length = request_content_length(r);

	if (r->match.route->body == BODY_STREAM)
		return 0; /* its begin() checks: the version of its protocol comes first */
	if (r->match.route->body == BODY_NONE)
		return length == 0 ? 0 : error_set(e, ERROR_BODY_TOO_LARGE, "This takes no body.");
	if (r->match.route->body == BODY_JSON_EMPTY && length == 0)
		return 0;
	type = types[r->match.route->body];
	if (!http_media_type_is(request_header(r, "Content-Type"), type))
		return error_set(e, ERROR_MEDIA_TYPE, "Send Content-Type: %s.", type);
	return 0;
}

static int check_key(struct request *r, struct error *e)
{
	const char *key = request_header(r, "Idempotency-Key");
	size_t n;

	if (!key || !(r->match.route->flags & ROUTE_IDEMPOTENT))
		return 0;
	n = strlen(key);
	for (const char *p = key; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			n = 0;
	if (!n || n >= sizeof(r->key))
		return error_set(e, ERROR_HEADER,
				 "Idempotency-Key must be 1 to %zu printable ASCII characters.",
				 sizeof(r->key) - 1);
	memcpy(r->key, key, n + 1);
	return 0;
}

void http_check(struct request *r)
{
	struct error e;

	route_find(r->http->options.routes, r->http->options.route_count, r->method, r->path,
		   &r->match);
	if (check_limits(r, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (!r->match.path_known && http_static_serve(r))
		return;
	if (check_route(r, &e) < 0 || check_ready(r, &e) < 0 || http_authenticate(r, &e) < 0 ||
	    check_media_type(r, &e) < 0 || check_key(r, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	if (r->match.route->body == BODY_STREAM)
		r->match.route->stream->begin(r);
}
