#include "domusd/id.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void random_bytes(void *out, size_t n)
{
	/* Up to 256 bytes come whole once the kernel's generator is seeded (getrandom(2)). */
	while (getrandom(out, n, 0) != (ssize_t)n) {
		if (errno == EINTR)
			continue;
		perror("domusd: no random numbers");
		abort();
	}
}

void id_make(char id[ID_SIZE])
{
	unsigned char bytes[ID_SIZE - 1];

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		id[i] = "abcdefghijklmnopqrstuvwxyz234567"[bytes[i] & 31];
	id[ID_SIZE - 1] = '\0';
}

bool id_valid(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 1 && n <= 40 && !id[n];
}

void id_secret(char *text, unsigned n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[64];
	uint32_t word = 0;
	unsigned bits = 0;

	random_bytes(bytes, n);
	for (unsigned i = 0; i < n; i++) {
		word = (word << 8 | bytes[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			*text++ = digits[word >> (bits - 6) & 63];
	}
	if (bits)
		*text++ = digits[word << (6 - bits) & 63];
	*text = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}
