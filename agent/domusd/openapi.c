#include "domusd/openapi.h"

#include <jansson.h>
#include <stdlib.h>

static char *text; /* set before the first request, freed after the last */

int openapi_load(const char *path, struct error *e)
{
	json_error_t why;
	json_t *document = json_load_file(path, 0, &why);
	json_t *info = json_object_get(document, "info");

	if (json_is_object(info)) {
		json_object_set_new(info, "version", json_string(DOMUS_VERSION));
		text = json_dumps(document, JSON_COMPACT);
	}
	json_decref(document);
	if (!text)
		return error_set(
			e, ERROR_INTERNAL,
			"--openapi %s is not an OpenAPI document in JSON (`make api` makes "
			"it): %s.",
			path, document ? "no info" : why.text);
	return 0;
}

const char *openapi_text(void)
{
	return text;
}

void openapi_free(void)
{
	free(text);
	text = NULL;
}
