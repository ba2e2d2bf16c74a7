#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/checks.h"
#include "domusd/http_internal.h"
#include "domusd/http_text.h"

const char *request_method(const struct request *r)
{
	return r->method;
}

const char *request_path(const struct request *r)
{
	return r->path;
}

const char *request_param(const struct request *r, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < r->match.param_count; i++)
		if (!strncmp(r->match.names[i], name, n) && r->match.names[i][n] == '}')
			return r->match.values[i];
	abort(); /* the handler asks for what its route does not have */
}

/* Decoded once and kept, so that the caller can borrow it. */
static int find_query(struct request *r, const char *name, const char **value, struct error *e)
{
	char text[1024];
	int found = http_query_find(r->query, name, text, sizeof(text));

	*value = NULL;
	if (found < 0)
		return error_set(e, ERROR_PARAMETER, "The parameter \"%s\" cannot be read.", name);
	if (!found)
		return 0;
	if (r->query_count == sizeof(r->query_values) / sizeof(r->query_values[0]))
		abort(); /* no handler reads that many */
	*value = r->query_values[r->query_count] = strdup(text);
	if (!*value)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	r->query_count++;
	return 1;
}

const char *request_query(const struct request *r, const char *name)
{
	const char *value;

	/* The cache of decoded values is not part of what was asked. */
	find_query((struct request *)(uintptr_t)r, name, &value, NULL);
	return value;
}

int request_query_integer(const struct request *r, const char *name, int64_t min, int64_t max,
			  int64_t otherwise, int64_t *out, struct error *e)
{
	const char *value;
	int found = find_query((struct request *)(uintptr_t)r, name, &value, e);

	if (found < 0)
		return -1;
	*out = otherwise;
	if (!found)
		return 0;
	if (check_decimal(value, max, out) < 0 || *out < min)
		return error_set(e, ERROR_PARAMETER,
				 "The parameter \"%s\" must be a whole number from %lld to %lld.",
				 name, (long long)min, (long long)max);
	return 0;
}

const char *request_header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

int64_t request_content_length(const struct request *r)
{
	const char *text = request_header(r, "Content-Length");
	int64_t length = 0;

	if (request_header(r, "Transfer-Encoding"))
		return -1;
	if (text && check_decimal(text, INT64_MAX, &length) < 0)
		return INT64_MAX;
	return length;
}

json_t *request_body(const struct request *r)
{
	return r->json;
}

const struct principal *request_principal(const struct request *r)
{
	return &r->principal;
}

const struct actor *request_actor(const struct request *r)
{
	return &r->principal.actor;
}

const char *request_id(const struct request *r)
{
	return r->id;
}

int request_if_match(const struct request *r, int64_t revision, struct error *e)
{
	const char *value = request_header(r, "If-Match");

	if (!value)
		return error_set(e, ERROR_REVISION_REQUIRED,
				 "Send If-Match with the ETag that you mean to change, or *.");
	if (!http_etag_match(value, revision, false))
		return error_set(e, ERROR_REVISION_STALE,
				 "It was changed meanwhile; its revision is r%lld now.",
				 (long long)revision);
	return 0;
}

bool request_none_match(const struct request *r, int64_t revision)
{
	const char *value = request_header(r, "If-None-Match");

	return value && http_etag_match(value, revision, true);
}

/* FNV-1a (RFC 9923) over path and position: no secret, but what was made up or is of another list is told apart. */
static uint32_t cursor_sum(const struct request *r, const char *position)
{
	uint32_t sum = 2166136261u;

	for (const char *p = r->path; *p; p++)
		sum = (sum ^ (unsigned char)*p) * 16777619u;
	for (const char *p = position; *p; p++)
		sum = (sum ^ (unsigned char)*p) * 16777619u;
	return sum;
}

void request_cursor_make(const struct request *r, const char *position,
			 char cursor[HTTP_CURSOR_SIZE])
{
	snprintf(cursor, HTTP_CURSOR_SIZE, "%08x-%.127s", cursor_sum(r, position), position);
}

static int read_cursor(const struct request *r, const char *cursor, struct page *page,
		       struct error *e)
{
	char expected[HTTP_CURSOR_SIZE] = "";

	if (strlen(cursor) > 9 && strlen(cursor) - 9 < sizeof(page->cursor)) {
		snprintf(page->cursor, sizeof(page->cursor), "%s", cursor + 9);
		request_cursor_make(r, page->cursor, expected);
	}
	return !strcmp(cursor, expected) && *cursor
		       ? 0
		       : error_set(e, ERROR_CURSOR, "This is not a cursor of this list.");
}

int request_page(const struct request *r, struct page *page, struct error *e)
{
	const char *cursor;
	int64_t limit;
	int found;

	if (request_query_integer(r, "limit", 1, 200, 50, &limit, e) < 0)
		return -1;
	page->limit = (int)limit;
	page->cursor[0] = '\0';
	found = find_query((struct request *)(uintptr_t)r, "cursor", &cursor, NULL);
	return found ? read_cursor(r, found < 0 ? "" : cursor, page, e) : 0;
}

void request_context_set(struct request *r, void *context, void (*free_context)(void *context))
{
	r->context = context;
	r->free_context = free_context;
}

void *request_context(const struct request *r)
{
	return r->context;
}
