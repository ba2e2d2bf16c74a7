/* Whatever path comes in, a parameter is one clean segment. */
#include <stdlib.h>
#include <string.h>

#include "domusd/http_text.h"
#include "domusd/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(size + 1);
	struct route_match m;

	memcpy(path, data, size);
	path[size] = '\0';
	route_find(routes, routes_count, "GET", path, &m);
	for (size_t i = 0; m.route && i < m.param_count; i++)
		if (!m.values[i][0] || strchr(m.values[i], '/') || !strcmp(m.values[i], "..") ||
		    !http_utf8_valid(m.values[i], strlen(m.values[i])))
			abort();
	free(path);
	return 0;
}
