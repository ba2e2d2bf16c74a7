/* The file around a deflate stream (RFC 1952): header, stream, CRC-32 and length. One member, nothing behind it. */
#include "lib/gzip.h"
#include "lib/string.h"

enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16 }; /* 2.3.1 */
#define TRAILER 8

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool gzip_is(const uint8_t *file, size_t size)
{
	return size >= 2 && file[0] == 0x1f && file[1] == 0x8b;
}

/* Behind the header: 0 when the file is not one. */
static size_t header_size(const uint8_t *p, size_t size)
{
	size_t at = 10;

	if (!gzip_is(p, size) || size < at + TRAILER || p[2] != 8 || p[3] >= 32)
		return 0;
	size -= TRAILER;
	if (p[3] & FEXTRA)
		at += 2 + (at + 2 <= size ? p[at] | (size_t)p[at + 1] << 8 : size);
	for (unsigned flag = FNAME; flag <= FCOMMENT; flag *= 2)
		if (at < size && (p[3] & flag))
			at += strnlen((const char *)p + at, size - at) + 1;
	if (p[3] & FHCRC)
		at += 2;
	return at < size ? at : 0;
}

/* 8: the CRC-32 of ISO 3309, a byte at a time. */
static uint32_t crc32(const uint8_t *data, size_t size)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < 256 && table[255] == 0; i++) {
		uint32_t c = i;

		for (unsigned bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
		table[i] = c;
	}
	while (size-- > 0)
		crc = table[(crc ^ *data++) & 255] ^ crc >> 8;
	return ~crc;
}

const char *gzip_size(const uint8_t *file, size_t size, uint32_t *unpacked)
{
	if (header_size(file, size) == 0)
		return "its header is damaged";
	*unpacked = le32(file + size - 4);
	return NULL;
}

const char *gzip_begin(const uint8_t *file, size_t size, uint8_t *out, size_t n)
{
	size_t at = header_size(file, size), used, made;
	const char *error;

	if (at == 0)
		return "its header is damaged";
	error = inflate_memory(file + at, size - at - TRAILER, out, n, &used, &made);
	if (error == inflate_full)
		return NULL;
	return error != NULL ? error : made < n ? "its content is too short" : NULL;
}

const char *gzip_unpack(const uint8_t *file, size_t size, uint8_t *out, size_t n)
{
	size_t at = header_size(file, size), used, made;
	const char *error;

	if (at == 0)
		return "its header is damaged";
	error = inflate_memory(file + at, size - at - TRAILER, out, n, &used, &made);
	if (error != NULL)
		return error;
	if (made != n || le32(file + size - 4) != (uint32_t)n)
		return "its content is not as long as it says";
	if (used != size - at - TRAILER)
		return "there is something behind its end";
	return crc32(out, n) != le32(file + size - TRAILER) ? "its checksum is wrong" : NULL;
}
