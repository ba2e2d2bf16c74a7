/* Unpacking a gzip file (RFC 1952) that lies in memory as a whole, into memory. Ours, because the boot is the only user and
 * zlib's inflate alone would be a sixth of the image; a fuzz target holds it against zlib. Boot only: one at a time. */
#ifndef LIB_GZIP_H
#define LIB_GZIP_H
#include "lib/types.h"

/* All return NULL, or one clear half-sentence what is wrong with the file. */

/* Does it begin like gzip? */
bool gzip_is(const uint8_t *file, size_t size);
/* How many bytes it says it holds. */
const char *gzip_size(const uint8_t *file, size_t size, uint32_t *unpacked);
/* The first `n` bytes of its content. */
const char *gzip_begin(const uint8_t *file, size_t size, uint8_t *out, size_t n);
/* Its content, exactly as many bytes as gzip_size() says, checksum checked. Never writes behind out + n. */
const char *gzip_unpack(const uint8_t *file, size_t size, uint8_t *out, size_t n);

/* The deflate stream inside (RFC 1951). NULL: it came to its end within the output. *used, *made: bytes read and written. */
const char *inflate_memory(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, size_t *used, size_t *made);
/* What it returns when the stream goes on and the output is full. */
extern const char inflate_full[];

#endif
