#ifndef DOMUSD_BLOB_TUS_H
#define DOMUSD_BLOB_TUS_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The headers of the tus 1.0.0 resumable upload protocol: parsing without state or I/O. All input is hostile.
 */
#define TUS_VERSION       "1.0.0"
#define TUS_EXTENSIONS    "creation,checksum,expiration,termination"
#define TUS_CHECKSUM      "sha256"
#define TUS_NAME_MAX      128
#define TUS_METADATA_MAX  2048

enum blob_kind {
	BLOB_KERNEL,
	BLOB_INITRD,
	BLOB_BOOT, /* an Android boot image */
	BLOB_DISK,
	BLOB_DTB,
	BLOB_KIND_COUNT
};

/* "kernel" ... "dtb"; and back, -1 for an unknown name. */
const char *blob_kind_name(enum blob_kind kind);
int blob_kind_parse(const char *name);

struct tus_metadata {
	char name[TUS_NAME_MAX + 1]; /* a label for people, never a path */
	enum blob_kind kind;
	char sha256[65]; /* 64 lower-case hex digits, or "" */
};

/* Upload-Metadata: comma-separated "key base64" pairs. name and kind must be there; unknown or repeated keys are
 * refused. ERROR_UPLOAD_METADATA when it does not decode, else the pointer says which value is wrong. */
int tus_metadata_parse(const char *header, struct tus_metadata *metadata, struct error *e);
/* Upload-Length and Upload-Offset: digits only, at most 2^53. */
int tus_number_parse(const char *name, const char *header, uint64_t *number, struct error *e);
/* Upload-Checksum: "sha256 <base64 of 32 bytes>". */
int tus_checksum_parse(const char *header, unsigned char digest[32], struct error *e);
/* True for 64 lower-case hex digits. */
bool sha256_hex_valid(const char *hex);
void sha256_hex(const unsigned char digest[32], char hex[65]);

#endif
