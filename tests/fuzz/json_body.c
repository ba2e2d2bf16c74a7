/* A body as it came, through the reader and the checks of an object: what passes has the types that were asked for. */
#include <stdlib.h>
#include <string.h>

#include "domusd/checks.h"
#include "domusd/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct check_field item = {.type = CHECK_STRING, .min = 1, .max = 4};
static const struct check_field inner[] = {
	{.name = "n", .type = CHECK_INTEGER, .required = true, .min = 1, .max = 9}, {0}};
static const struct check_field fields[] = {
	{.name = "s", .type = CHECK_STRING, .pattern = CHECK_NAME},
	{.name = "o", .type = CHECK_OBJECT, .nullable = true, .fields = inner},
	{.name = "a", .type = CHECK_ARRAY, .max = 3, .unique = true, .items = &item},
	{0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct route route = {.method = "POST", .body = BODY_JSON};
	struct request r = {.match.route = &route};
	struct error e;

	if (http_body_append(&r, (const char *)data, size, &e) == 0 &&
	    http_body_parse(&r, &e) == 0 && check_object(r.json, fields, "", &e) == 0) {
		const json_t *o = json_object_get(r.json, "o");
		const char *s = check_get_string(r.json, "s", "x");

		if (strlen(s) > 40 || (json_is_object(o) && check_get_integer(o, "n", 0) < 1) ||
		    json_array_size(json_object_get(r.json, "a")) > 3)
			abort();
	}
	json_decref(r.json);
	free(r.body);
	return 0;
}
