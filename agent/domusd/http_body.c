#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/http_internal.h"
#include "domusd/http_text.h"

int http_body_append(struct request *r, const char *data, size_t size, struct error *e)
{
	char *grown;

	if (r->body_size + size > ROUTE_JSON_MAX)
		return error_set(e, ERROR_BODY_TOO_LARGE, "The body may have %d bytes at most.",
				 ROUTE_JSON_MAX);
	grown = realloc(r->body, r->body_size + size);
	if (!grown)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	memcpy(grown + r->body_size, data, size);
	r->body = grown;
	r->body_size += size;
	return 0;
}

static int syntax(const json_error_t *why, struct error *e)
{
	if (json_error_code(why) == json_error_duplicate_key)
		return error_set(e, ERROR_JSON_DUPLICATE,
				 "A key stands twice, near line %d column %d.", why->line,
				 why->column);
	return error_set(e, ERROR_JSON_SYNTAX, "The body is not JSON, near line %d column %d.",
			 why->line, why->column);
}

int http_body_parse(struct request *r, struct error *e)
{
	enum route_body kind = r->match.route->body;
	json_error_t why;

	if (kind == BODY_NONE || kind == BODY_STREAM || (kind == BODY_JSON_EMPTY && !r->body_size))
		return 0;
	if (!r->body_size)
		return error_set(e, ERROR_JSON_SYNTAX, "The body is empty; send a JSON object.");
	if (!http_utf8_valid(r->body, r->body_size))
		return error_set(e, ERROR_JSON_UTF8, "The body is not UTF-8.");
	/* Before jansson, which would go 2,048 deep, by recursion, on a small stack. */
	if (http_json_depth(r->body, r->body_size) > ROUTE_JSON_DEPTH)
		return error_set(e, ERROR_JSON_DEPTH, "The body is nested deeper than %d.",
				 ROUTE_JSON_DEPTH);
	r->json = json_loadb(r->body, r->body_size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!r->json)
		return syntax(&why, e);
	if (!json_is_object(r->json))
		return error_set_rule(e, "type", "", "The body must be an object.");
	if (kind == BODY_JSON_EMPTY && json_object_size(r->json)) {
		char pointer[96];

		snprintf(pointer, sizeof(pointer), "/%.90s",
			 json_object_iter_key(json_object_iter(r->json)));
		return error_set_at(e, ERROR_FIELD_UNKNOWN, pointer, "There is no such field.");
	}
	return 0;
}
