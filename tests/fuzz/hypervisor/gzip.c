/* Any bytes as a deflate stream: unpacked as zlib unpacks them, or refused as zlib refuses them; and as a gzip file. */
#include "lib/gzip.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1 << 18)

static void compare(const uint8_t *data, size_t size)
{
	static uint8_t theirs[ROOM], ours[ROOM];
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (unsigned)size, .next_out = theirs, .avail_out = ROOM};
	const char *error;
	size_t used, made;
	int status;

	if (inflateInit2(&z, -15) != Z_OK)
		abort();
	status = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	error = inflate_memory(data, size, ours, ROOM, &used, &made);
	if (used > size || made > ROOM || (error == NULL) != (status == Z_STREAM_END))
		abort();
	if (error == NULL && (used != z.total_in || made != z.total_out || memcmp(ours, theirs, made) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n;
	uint8_t begin[64], *out;

	compare(data, size);
	if (size > 10)
		compare(data + 10, size - 10); /* the stream of a file with a plain header */
	if (gzip_size(data, size, &n) != NULL)
		return 0;
	gzip_begin(data, size, begin, sizeof(begin));
	n = n < ROOM ? n : ROOM;
	out = malloc(n);
	gzip_unpack(data, size, out, n);
	free(out);
	return 0;
}
