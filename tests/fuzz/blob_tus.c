/* Upload-Metadata, Upload-Checksum, Upload-Length: what passes keeps its promises. */
#include <stdlib.h>
#include <string.h>

#include "domusd/blob_tus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct tus_metadata metadata;
	unsigned char digest[32];
	uint64_t number;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (tus_metadata_parse(text, &metadata, NULL) == 0 &&
	    (!*metadata.name || strchr(metadata.name, '/') ||
	     (unsigned)metadata.kind >= BLOB_KIND_COUNT ||
	     (*metadata.sha256 && !sha256_hex_valid(metadata.sha256))))
		abort();
	tus_checksum_parse(text, digest, NULL);
	if (tus_number_parse("N", text, &number, NULL) == 0 && number > (uint64_t)1 << 53)
		abort();
	free(text);
	return 0;
}
