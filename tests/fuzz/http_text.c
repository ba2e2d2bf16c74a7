/* The small grammars of HTTP: whatever comes in, what comes out is text, in range, and the sum is right. */
#include <stdlib.h>
#include <string.h>

#include "domusd/http.h"
#include "domusd/http_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
	if (!promise)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), out[64];
	int64_t first, last;

	memcpy(text, data, size);
	text[size] = '\0';
	if (http_range_parse(text, 1000, &first, &last, NULL) == 1)
		require(first >= 0 && first <= last && last < 1000);
	if (http_percent_decode(text, strlen(text), true, out, sizeof(out)) == 0)
		require(strlen(out) < sizeof(out) && http_utf8_valid(out, strlen(out)));
	if (http_query_find(text, "a", out, sizeof(out)) == 1)
		require(http_utf8_valid(out, strlen(out)));
	http_etag_match(text, 7, true);
	http_accepts_gzip(text);
	http_list_has(text, "upgrade");
	http_origin_matches(text, "box:8443");
	require(http_json_depth(text, size) <= size);
	free(text);
	return 0;
}
