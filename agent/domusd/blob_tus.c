#include "domusd/blob_tus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static const char *const kind_names[BLOB_KIND_COUNT] = {
	[BLOB_KERNEL] = "kernel", [BLOB_INITRD] = "initrd", [BLOB_BOOT] = "boot",
	[BLOB_DISK] = "disk",	  [BLOB_DTB] = "dtb",
};

const char *blob_kind_name(enum blob_kind kind)
{
	return kind_names[kind];
}

int blob_kind_parse(const char *name)
{
	for (int i = 0; i < BLOB_KIND_COUNT; i++)
		if (strcmp(kind_names[i], name) == 0)
			return i;
	return -1;
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* RFC 4648 section 4, padding required. Decoded length, or -1 when malformed or more than `size` bytes. */
static ssize_t base64_decode(const char *text, size_t length, unsigned char *out, size_t size)
{
	size_t padding = 0, bytes;

	if (length % 4 != 0)
		return -1;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	bytes = length / 4 * 3 - padding;
	if (bytes > size)
		return -1;
	for (size_t i = 0, put = 0; i < length; i += 4) {
		uint32_t quad = 0;

		for (size_t j = 0; j < 4; j++) {
			int value = i + j < length - padding ? base64_value(text[i + j]) : 0;

			if (value < 0)
				return -1;
			quad = quad << 6 | (uint32_t)value;
		}
		for (int shift = 16; shift >= 0 && put < bytes; shift -= 8)
			out[put++] = (unsigned char)(quad >> shift);
	}
	return (ssize_t)bytes;
}

static bool label_valid(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._+~()-";
	size_t length = strlen(text);

	return length > 0 && length <= TUS_NAME_MAX && strspn(text, letters) == length &&
	       memchr(letters, *text, 62) != NULL;
}

bool sha256_hex_valid(const char *hex)
{
	return strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

void sha256_hex(const unsigned char digest[32], char hex[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* Checks and stores one pair; *seen has a bit for each key that was there. */
static int metadata_pair(const char *key, const char *value, struct tus_metadata *metadata,
			 unsigned *seen, struct error *e)
{
	static const char *const keys[] = {"name", "kind", "sha256"};
	unsigned which = 0;
	int kind;

	while (which < 3 && strcmp(key, keys[which]) != 0)
		which++;
	if (which == 3)
		return error_set_at(e, ERROR_FIELD_UNKNOWN, "/metadata",
				    "Upload-Metadata may have name, kind and sha256 only");
	if (*seen & 1u << which)
		return error_set_rule(e, "duplicate", "/metadata", "%s is there twice", key);
	*seen |= 1u << which;
	if (which == 0) {
		if (!label_valid(value))
			return error_set_rule(
				e, "pattern", "/metadata/name",
				"name must be 1 to %d letters, digits, spaces or ._+~()-, "
				"with a letter or digit first",
				TUS_NAME_MAX);
		snprintf(metadata->name, sizeof(metadata->name), "%s", value);
	} else if (which == 1) {
		kind = blob_kind_parse(value);
		if (kind < 0)
			return error_set_rule(e, "enum", "/metadata/kind",
					      "kind must be kernel, initrd, boot, disk or dtb");
		metadata->kind = (enum blob_kind)kind;
	} else {
		if (!sha256_hex_valid(value))
			return error_set_rule(e, "pattern", "/metadata/sha256",
					      "sha256 must be 64 lower-case hex digits");
		snprintf(metadata->sha256, sizeof(metadata->sha256), "%s", value);
	}
	return 0;
}

int tus_metadata_parse(const char *header, struct tus_metadata *metadata, struct error *e)
{
	char text[TUS_METADATA_MAX + 1], value[256], *rest = text, *pair;
	unsigned seen = 0;

	memset(metadata, 0, sizeof(*metadata));
	if (!header || strlen(header) > TUS_METADATA_MAX)
		return error_set(e, ERROR_UPLOAD_METADATA,
				 "Upload-Metadata with name and kind is required, at most %d bytes",
				 TUS_METADATA_MAX);
	snprintf(text, sizeof(text), "%s", header);
	while ((pair = strsep(&rest, ",")) != NULL) {
		char *encoded, *key;
		ssize_t length;

		pair += strspn(pair, " \t");
		encoded = pair + strcspn(pair, " ");
		if (*encoded)
			*encoded++ = '\0';
		key = pair;
		encoded[strcspn(encoded, " \t")] = '\0';
		length = base64_decode(encoded, strlen(encoded), (unsigned char *)value,
				       sizeof(value) - 1);
		if (length < 0 || memchr(value, '\0', (size_t)length))
			return error_set(e, ERROR_HEADER,
					 "Upload-Metadata: a value is not base64 or is too long");
		value[length] = '\0';
		if (metadata_pair(key, value, metadata, &seen, e) != 0)
			return -1;
	}
	if ((seen & 3) != 3)
		return error_set_at(e, ERROR_FIELD_MISSING,
				    seen & 1 ? "/metadata/kind" : "/metadata/name",
				    "Upload-Metadata must have name and kind");
	return 0;
}

int tus_number_parse(const char *name, const char *header, uint64_t *number, struct error *e)
{
	size_t length = header ? strlen(header) : 0;

	if (length == 0 || length > 16 || strspn(header, "0123456789") != length)
		return error_set(e, ERROR_HEADER, "%s must be a number of bytes", name);
	*number = strtoull(header, NULL, 10);
	if (*number > (uint64_t)1 << 53)
		return error_set(e, ERROR_HEADER, "%s is too large", name);
	return 0;
}

int tus_checksum_parse(const char *header, unsigned char digest[32], struct error *e)
{
	static const char algorithm[] = TUS_CHECKSUM " ";

	if (strncmp(header, algorithm, sizeof(algorithm) - 1) != 0)
		return error_set(e, ERROR_HEADER,
				 "Upload-Checksum: the only algorithm is " TUS_CHECKSUM);
	header += sizeof(algorithm) - 1;
	if (base64_decode(header, strlen(header), digest, 32) != 32)
		return error_set(e, ERROR_HEADER, "Upload-Checksum: not the base64 of 32 bytes");
	return 0;
}
