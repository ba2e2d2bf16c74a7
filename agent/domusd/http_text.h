#ifndef DOMUS_DOMUSD_HTTP_TEXT_H
#define DOMUS_DOMUSD_HTTP_TEXT_H

/* The small grammars of HTTP, without I/O: each is fuzzed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool http_utf8_valid(const char *text, size_t size);

/*
 * Decodes %XX (and '+' as space when form) of n bytes into out, which ends with NUL. -1 when it does not fit, a % is not
 * followed by two hex digits, or the outcome is not UTF-8 or has control characters.
 */
int http_percent_decode(const char *text, size_t n, bool form, char *out, size_t size);

/* The first value of `name` in a raw query ("a=1&b=2"), decoded: 1; 0 when absent; -1 when it cannot be decoded. */
int http_query_find(const char *query, const char *name, char *out, size_t size);

/* If-Match / If-None-Match: whether the list of entity tags has "r<revision>" (a weak one only when weak), or is `*`. */
bool http_etag_match(const char *list, int64_t revision, bool weak);

/* Whether `value` is media type `type`, with parameters or without (RFC 9110 section 8.3.1). */
bool http_media_type_is(const char *value, const char *type);

/* Whether a comma-separated list has the token, in any case (Connection: keep-alive, Upgrade). */
bool http_list_has(const char *list, const char *token);

/* Whether Accept-Encoding takes gzip (RFC 9110 section 12.5.3; `gzip;q=0` refuses it). */
bool http_accepts_gzip(const char *value);

/* Whether Origin "https://host:port" is this Host "host:port" (443 may be left out on either side). */
bool http_origin_matches(const char *origin, const char *host);

/* Nesting of brackets outside strings, of text that need not be JSON. */
size_t http_json_depth(const char *text, size_t size);

#endif
