#include "domusd/blob_tus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "domusd/http_text.h"

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

static const char *const keys[] = {"name", "kind", "sha256"};
enum { KEY_NAME, KEY_KIND, KEY_SHA256, KEY_COUNT };

static int check_value(unsigned key, const char *value, struct tus_metadata *metadata,
		       struct error *e)
{
	int kind = key == KEY_KIND ? blob_kind_parse(value) : 0;

	if (kind < 0)
		return error_set_rule(e, "enum", "/metadata/kind",
				      "Must be kernel, initrd, boot, disk or dtb.");
	if (key == KEY_NAME && !label_valid(value))
		return error_set_rule(e, "pattern", "/metadata/name",
				      "Must be 1 to %d letters, digits, spaces or ._+~()-, with a "
				      "letter or digit first.",
				      TUS_NAME_MAX);
	if (key == KEY_SHA256 && !sha256_hex_valid(value))
		return error_set_rule(e, "pattern", "/metadata/sha256",
				      "Must be 64 lower-case hex digits.");
	if (key == KEY_NAME)
		snprintf(metadata->name, sizeof(metadata->name), "%s", value);
	else if (key == KEY_SHA256)
		snprintf(metadata->sha256, sizeof(metadata->sha256), "%s", value);
	else
		metadata->kind = (enum blob_kind)kind;
	return 0;
}

/* An unknown key, named as far as it may stand in an answer. */
static int unknown_key(const char *key, struct error *e)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/metadata/%.*s", (int)(strspn(key, letters) % 48), key);
	return error_set_at(e, ERROR_FIELD_UNKNOWN, pointer,
			    "Upload-Metadata may have name, kind and sha256 only.");
}

static int malformed(const char *what, struct error *e)
{
	return error_set(e, ERROR_UPLOAD_METADATA, "Upload-Metadata: %s", what);
}

/* One "key base64"; *seen has a bit for each key that was there. */
static int parse_pair(char *pair, struct tus_metadata *metadata, unsigned *seen, struct error *e)
{
	char *encoded, value[TUS_METADATA_MAX];
	unsigned key = 0;
	ssize_t length;

	pair += strspn(pair, " \t");
	encoded = strchr(pair, ' ');
	if (!encoded)
		return malformed("a key has no value.", e);
	*encoded++ = '\0';
	encoded[strcspn(encoded, " \t")] = '\0';
	length = base64_decode(encoded, strlen(encoded), (unsigned char *)value, sizeof(value) - 1);
	if (length < 0 || !http_utf8_valid(value, (size_t)length))
		return malformed("a value is not the base64 of UTF-8.", e);
	value[length] = '\0';
	while (key < KEY_COUNT && strcmp(pair, keys[key]) != 0)
		key++;
	if (key == KEY_COUNT)
		return unknown_key(pair, e);
	if (*seen & 1u << key)
		return malformed("a key is there twice.", e);
	*seen |= 1u << key;
	if (strlen(value) != (size_t)length)
		value[0] = '\0'; /* a NUL inside: matches no pattern */
	return check_value(key, value, metadata, e);
}

int tus_metadata_parse(const char *header, struct tus_metadata *metadata, struct error *e)
{
	char text[TUS_METADATA_MAX + 1], *rest = text, *pair;
	unsigned seen = 0;

	memset(metadata, 0, sizeof(*metadata));
	if (!header || strlen(header) > TUS_METADATA_MAX)
		return malformed("it must be there and have at most 2048 bytes.", e);
	snprintf(text, sizeof(text), "%s", header);
	while ((pair = strsep(&rest, ",")) != NULL)
		if (parse_pair(pair, metadata, &seen, e) < 0)
			return -1;
	for (unsigned key = KEY_NAME; key <= KEY_KIND; key++)
		if (!(seen & 1u << key))
			return error_set_at(e, ERROR_FIELD_MISSING,
					    key == KEY_NAME ? "/metadata/name" : "/metadata/kind",
					    "Upload-Metadata must have it.");
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
