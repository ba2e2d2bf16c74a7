/* ISO C's memory and string functions. The str... functions, memcmp and memchr read bytes only: they run before the MMU is on. */
#include "lib/string.h"
#include "lib/types.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;
struct __attribute__((may_alias, packed)) line { /* copied by pairs of registers */
	uint64_t words[8];
};

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	for (; n >= sizeof(struct line); n -= sizeof(struct line), t += sizeof(struct line), f += sizeof(struct line))
		*(struct line *)t = *(const struct line *)f;
	for (; n >= 8; n -= 8, t += 8, f += 8)
		*(word *)t = *(const word *)f;
	for (; n >= 4; n -= 4, t += 4, f += 4)
		*(half *)t = *(const half *)f;
	while (n-- > 0)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + n)
		return t < f || t >= f + n ? memcpy(to, from, n) : to;
	while (n-- > 0)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	char *t = to;
	uint64_t w = 0x0101010101010101UL * (uint8_t)byte;

	for (; n >= 16; n -= 16, t += 16) {
		((word *)t)[0] = w;
		((word *)t)[1] = w;
	}
	while (n-- > 0)
		*t++ = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n > 0; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
	const uint8_t *p = s;

	for (; n > 0; n--, p++)
		if (*p == (uint8_t)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || *a == '\0')
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	for (size_t n = strlen(s) + 1; n-- > 0;)
		if (s[n] == (char)c)
			return (char *)(uintptr_t)s + n;
	return NULL;
}

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (; *s != '\0' || n == 0; s++)
		if (strncmp(s, what, n) == 0)
			return (char *)(uintptr_t)s;
	return NULL;
}

size_t string_copy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);

	if (size > 0) {
		size_t fits = n < size ? n : size - 1;

		memcpy(to, from, fits);
		to[fits] = '\0';
	}
	return n;
}
