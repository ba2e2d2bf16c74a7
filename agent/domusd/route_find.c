#include <stdio.h>
#include <string.h>

#include "domusd/http_text.h"
#include "domusd/routes.h"

/* A segment that could be mistaken for a path of its own: never a parameter. */
static bool segment_good(const char *s)
{
	return *s && strcmp(s, ".") && strcmp(s, "..") && !strchr(s, '/') && !strchr(s, '\\');
}

static bool match_path(const char *pattern, const char *path, struct route_match *m)
{
	m->param_count = 0;
	while (*pattern) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");
			char *value;

			if (m->param_count == ROUTE_PARAMS_MAX)
				return false;
			value = m->values[m->param_count];
			if (http_percent_decode(path, n, false, value, ROUTE_PARAM_SIZE) < 0 ||
			    !segment_good(value))
				return false;
			m->names[m->param_count++] = pattern + 1;
			pattern += strcspn(pattern, "}") + 1;
			path += n;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path;
}

static void allow_add(struct route_match *m, const char *method)
{
	size_t n = strlen(m->allow);

	if (!http_list_has(m->allow, method))
		snprintf(m->allow + n, sizeof(m->allow) - n, "%s%s", n ? ", " : "", method);
}

void route_find(const struct route *table, size_t count, const char *method, const char *path,
		struct route_match *m)
{
	struct route_match get;

	memset(m, 0, sizeof(*m));
	memset(&get, 0, sizeof(get));
	for (size_t i = 0; i < count; i++) {
		const struct route *r = &table[i];
		bool is_get = !strcmp(r->method, "GET");

		if (!match_path(r->pattern, path, m))
			continue;
		m->path_known = true;
		allow_add(m, r->method);
		if (is_get && !(r->flags & ROUTE_STREAMS))
			allow_add(m, "HEAD");
		if (!strcmp(r->method, method)) {
			m->route = r;
			return;
		}
		if (is_get && !(r->flags & ROUTE_STREAMS) && !strcmp(method, "HEAD")) {
			get = *m;
			get.route = r;
		}
	}
	if (get.route) {
		*m = get;
		m->head = true;
	}
}
