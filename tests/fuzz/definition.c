/* A definition as JSON: what passes can be written and read back, and is the same. */
#include <stdlib.h>
#include <string.h>

#include "domusd/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct definition first, second;
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	char *text;

	if (json && definition_parse(json, &first, NULL) == 0) {
		text = definition_text(&first);
		if (!text || definition_from_text(text, &second, NULL) < 0 ||
		    memcmp(&first, &second, sizeof(first)) != 0)
			abort();
		free(text);
		definition_patch(&first, json, &second, NULL);
	}
	json_decref(json);
	return 0;
}
