#include "domusd/http_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "domusd/http.h"

bool http_utf8_valid(const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + size;

	while (p < end) {
		unsigned char c = *p++;
		unsigned low = 0x80, high = 0xbf;
		int more = c < 0x80		    ? 0
			   : c >= 0xc2 && c <= 0xdf ? 1
			   : c >= 0xe0 && c <= 0xef ? 2
						    : 3;

		if (more == 3 && (c < 0xf0 || c > 0xf4))
			return false;
		/* The second byte is what excludes overlong forms, surrogates and the end (RFC 3629 section 4). */
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		for (; more; more--, low = 0x80, high = 0xbf)
			if (p == end || *p < low || *p++ > high)
				return false;
	}
	return true;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'		    ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

int http_percent_decode(const char *text, size_t n, bool form, char *out, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '%') {
			int high = n - i > 2 ? hex(text[i + 1]) : -1;

			if (high < 0 || hex(text[i + 2]) < 0)
				return -1;
			c = (char)(high << 4 | hex(text[i + 2]));
			i += 2;
		} else if (form && c == '+') {
			c = ' ';
		}
		if (length + 1 >= size || (unsigned char)c < 0x20 || c == 0x7f)
			return -1;
		out[length++] = c;
	}
	if (!size)
		return -1;
	out[length] = '\0';
	return http_utf8_valid(out, length) ? 0 : -1;
}

int http_query_find(const char *query, const char *name, char *out, size_t size)
{
	char key[64];
	int found = 0;

	while (query && *query) {
		size_t n = strcspn(query, "&"), equals = strcspn(query, "=&");

		if (http_percent_decode(query, equals, true, key, sizeof(key)) == 0 &&
		    !strcmp(key, name)) {
			const char *value = query + equals + (equals < n);

			if (found++ || http_percent_decode(value, (size_t)(query + n - value), true,
							   out, size) < 0)
				return -1;
		}
		query += n + (query[n] == '&');
	}
	return found;
}

bool http_etag_match(const char *list, int64_t revision, bool weak)
{
	char tag[32];
	size_t n = (size_t)snprintf(tag, sizeof(tag), "\"r%lld\"", (long long)revision);

	list += strspn(list, " \t");
	if (*list == '*')
		return true;
	while (*list) {
		list += strspn(list, " \t,");
		if (!strncmp(list, "W/", 2)) {
			list += 2;
			if (!weak) {
				list += strcspn(list, ",");
				continue;
			}
		}
		if (!strncmp(list, tag, n)) {
			const char *end = list + n + strspn(list + n, " \t");

			if (!*end || *end == ',')
				return true;
		}
		list += strcspn(list, ",");
	}
	return false;
}

bool http_media_type_is(const char *value, const char *type)
{
	size_t n = strlen(type);

	return value && !strncasecmp(value, type, n) && (!value[n] || strchr("; \t", value[n]));
}

bool http_list_has(const char *list, const char *token)
{
	size_t n = strlen(token);

	while (list && *list) {
		list += strspn(list, " \t,");
		if (!strncasecmp(list, token, n) && (!list[n] || strchr(" \t,", list[n])))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

bool http_accepts_gzip(const char *value)
{
	while (value && *value) {
		size_t n;

		value += strspn(value, " \t,");
		n = strcspn(value, ",");
		if (!strncasecmp(value, "gzip", 4) && (!value[4] || strchr(" \t,;", value[4]))) {
			const char *q = memchr(value, '=', n);
			double weight = 1;

			return !q || sscanf(q + 1, "%5lf", &weight) != 1 || weight > 0;
		}
		value += n;
	}
	return false;
}

bool http_origin_matches(const char *origin, const char *host)
{
	size_t origin_length, host_length;

	if (!host || strncmp(origin, "https://", 8))
		return false;
	origin += 8;
	origin_length = strlen(origin);
	host_length = strlen(host);
	if (origin_length > 4 && !strcmp(origin + origin_length - 4, ":443"))
		origin_length -= 4;
	if (host_length > 4 && !strcmp(host + host_length - 4, ":443"))
		host_length -= 4;
	return origin_length && origin_length == host_length &&
	       !strncasecmp(origin, host, host_length);
}

size_t http_json_depth(const char *text, size_t size)
{
	size_t depth = 0, deepest = 0;
	bool string = false;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!string && (c == '}' || c == ']') && depth)
			depth--;
	}
	return deepest;
}

/* One number of a byte range; an absurdly large one is as good as the largest. */
static const char *range_number(const char *p, int64_t *out)
{
	int64_t n = 0;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p); p++)
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX / 10 : n * 10 + (*p - '0');
	*out = n;
	return p;
}

int http_range_parse(const char *header, int64_t size, int64_t *first, int64_t *last,
		     struct error *e)
{
	int64_t from = -1, to = -1;
	const char *p = header;

	if (!p || strncasecmp(p, "bytes=", 6))
		return 0;
	p += 6;
	if (*p != '-' && !(p = range_number(p, &from)))
		return 0;
	if (*p++ != '-')
		return 0;
	if (isdigit((unsigned char)*p))
		p = range_number(p, &to);
	/* Several ranges, an end before the beginning, garbage: ignored as section 14.2 allows. */
	if (*p || (from < 0 && to < 0) || (from >= 0 && to >= 0 && to < from))
		return 0;
	if (from < 0) { /* the last `to` bytes */
		from = to < size ? size - to : 0;
		to = to ? size - 1 : -2;
	}
	if (from >= size || to == -2)
		return error_set(e, ERROR_RANGE, "There are only %lld bytes.", (long long)size);
	*first = from;
	*last = to < 0 || to >= size ? size - 1 : to;
	return 1;
}
