/* Deflate streams (RFC 1951), from memory to memory. What zlib refuses is refused: codes with too many or too few values, too
 * many symbols, a block without an end, a distance that leads before the output. */
#include "lib/gzip.h"
#include "lib/string.h"

#define BITS_MAX 15
#define FAST	 10 /* codes of up to so many bits are found in one look */
#define LITERALS 286
#define DISTANCES 30

const char inflate_full[] = "its content is longer than it says";
static const char bad_code[] = "its compressed data are damaged", too_short[] = "it is cut short";

struct code {
	uint16_t fast[1 << FAST]; /* by the next bits: symbol << 4 | length; 0: longer, or no code */
	uint16_t count[BITS_MAX + 1];
	uint16_t symbol[LITERALS + 2]; /* in the order of their codes */
};

struct stream {
	const uint8_t *in, *in_end;
	uint8_t *out_begin, *out, *out_end;
	uint64_t hold; /* bits that were read, the next one lowest */
	unsigned have;
	const char *error; /* the first */
};

static void refill(struct stream *s)
{
	for (; s->have <= 56 && s->in < s->in_end; s->have += 8)
		s->hold |= (uint64_t)*s->in++ << s->have;
}

static void drop(struct stream *s, unsigned n)
{
	if (n > s->have) {
		s->error = too_short;
		n = s->have;
	}
	s->hold >>= n;
	s->have -= n;
}

/* The next n <= 16 bits as a number. */
static unsigned bits(struct stream *s, unsigned n)
{
	unsigned v;

	refill(s);
	v = (unsigned)(s->hold & ((1ul << n) - 1));
	drop(s, n);
	return v;
}

/* The stream has a code's highest bit first. */
static unsigned reversed(unsigned value, unsigned length)
{
	unsigned r = 0;

	for (; length > 0; length--, value >>= 1)
		r = r << 1 | (value & 1);
	return r;
}

/* 3.2.2: codes from lengths. False: more codes than there are, or fewer, which no code at all or a single one of one bit may
 * leave (as in zlib), but not those of the lengths themselves (`whole`). */
static bool code_make(struct code *c, const uint8_t *lengths, unsigned n, bool whole)
{
	uint16_t next[BITS_MAX + 2] = {0}; /* where the symbols of a length go */
	unsigned first[BITS_MAX + 2] = {0}, longest = 0;
	int left = 1;

	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	for (unsigned length = 1; length <= BITS_MAX; length++) {
		left = left * 2 - c->count[length];
		if (left < 0)
			return false;
		longest = c->count[length] != 0 ? length : longest;
		next[length + 1] = (uint16_t)(next[length] + c->count[length]);
		first[length + 1] = (first[length] + c->count[length]) * 2;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned length = lengths[i], value;

		if (length == 0)
			continue;
		value = first[length]++;
		c->symbol[next[length]++] = (uint16_t)i;
		if (length > FAST)
			continue;
		for (value = reversed(value, length); value < 1 << FAST; value += 1u << length)
			c->fast[value] = (uint16_t)(i << 4 | length);
	}
	return left == 0 || (longest <= 1 && !whole);
}

static unsigned symbol(struct stream *s, const struct code *c)
{
	unsigned entry, value = 0, first = 0, index = 0;

	refill(s);
	entry = c->fast[s->hold & ((1 << FAST) - 1)];
	if (entry != 0) {
		drop(s, entry & 15);
		return entry >> 4;
	}
	for (unsigned length = 1; length <= BITS_MAX && length <= s->have; length++) {
		value |= (unsigned)(s->hold >> (length - 1)) & 1;
		if (value - first < c->count[length]) {
			drop(s, length);
			return c->symbol[index + value - first];
		}
		index += c->count[length];
		first = (first + c->count[length]) * 2;
		value *= 2;
	}
	s->error = s->have < BITS_MAX ? too_short : bad_code;
	return 0;
}

/* 3.2.5: a length and a distance, copied. */
static void copy(struct stream *s, unsigned symbol_of_length, const struct code *distances)
{
	static const uint16_t length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,	 15,  17,  19,	23, 27,
					       31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const uint8_t length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
	static const uint16_t base[] = {1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	 97,	129,
					193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
	unsigned n, distance, d;

	if (symbol_of_length >= ARRAY_SIZE(length_base)) {
		s->error = bad_code;
		return;
	}
	n = length_base[symbol_of_length] + bits(s, length_bits[symbol_of_length]);
	d = symbol(s, distances);
	if (s->error != NULL)
		return;
	if (d >= ARRAY_SIZE(base)) {
		s->error = bad_code;
		return;
	}
	distance = base[d] + bits(s, d < 4 ? 0 : d / 2 - 1);
	if (s->error != NULL)
		return;
	if (distance > (size_t)(s->out - s->out_begin)) {
		s->error = bad_code;
		return;
	}
	for (; n > 0 && s->out < s->out_end; n--, s->out++)
		*s->out = *(s->out - distance);
	if (n > 0)
		s->error = inflate_full;
}

static void block_of_codes(struct stream *s, const struct code *literals, const struct code *distances)
{
	for (;;) {
		unsigned v = symbol(s, literals);

		if (s->error != NULL || v == 256)
			return;
		if (v > 256)
			copy(s, v - 257, distances);
		else if (s->out < s->out_end)
			*s->out++ = (uint8_t)v;
		else
			s->error = inflate_full;
		if (s->error != NULL)
			return;
	}
}

/* 3.2.4 */
static void block_stored(struct stream *s)
{
	unsigned n, check;

	drop(s, s->have % 8);
	n = bits(s, 16);
	check = bits(s, 16);
	if (s->error == NULL && n != (check ^ 0xffff))
		s->error = bad_code;
	for (; s->error == NULL && n > 0; n--) {
		unsigned byte = bits(s, 8);

		if (s->error != NULL)
			return;
		if (s->out == s->out_end)
			s->error = inflate_full;
		else
			*s->out++ = (uint8_t)byte;
	}
}

/* 3.2.7: the lengths of both codes, themselves compressed. False: damaged. */
static bool codes_read(struct stream *s, struct code *literals, struct code *distances)
{
	static const uint8_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	uint8_t lengths[LITERALS + DISTANCES] = {0};
	unsigned n = bits(s, 5) + 257, d = bits(s, 5) + 1, c = bits(s, 4) + 4, i;

	if (n > LITERALS || d > DISTANCES)
		return false;
	for (i = 0; i < c; i++)
		lengths[order[i]] = (uint8_t)bits(s, 3);
	if (!code_make(literals, lengths, sizeof(order), true))
		return false;
	memset(lengths, 0, sizeof(lengths));
	for (i = 0; i < n + d && s->error == NULL;) {
		unsigned v = symbol(s, literals), times = 1, what = v;

		if (v >= 16) {
			what = 0;
			if (v == 16 && i == 0)
				return false;
			if (v == 16)
				what = lengths[i - 1];
			times = v == 16 ? 3 + bits(s, 2) : v == 17 ? 3 + bits(s, 3) : 11 + bits(s, 7);
		}
		if (times > n + d - i)
			return false;
		while (times-- > 0)
			lengths[i++] = (uint8_t)what;
	}
	return s->error != NULL || (lengths[256] != 0 && code_make(literals, lengths, n, false) &&
				     code_make(distances, lengths + n, d, false));
}

/* 3.2.6 */
static void codes_fixed(struct code *literals, struct code *distances)
{
	uint8_t lengths[LITERALS + 2];

	for (unsigned i = 0; i < sizeof(lengths); i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	code_make(literals, lengths, sizeof(lengths), false);
	memset(lengths, 5, 32);
	code_make(distances, lengths, 32, false);
}

const char *inflate_memory(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, size_t *used, size_t *made)
{
	static struct code literals, distances;
	struct stream s = {in, in + in_size, out, out, out + out_size, 0, 0, NULL};
	unsigned last;

	do {
		last = bits(&s, 1);
		switch (bits(&s, 2)) {
		case 0:
			block_stored(&s);
			break;
		case 1:
			codes_fixed(&literals, &distances);
			block_of_codes(&s, &literals, &distances);
			break;
		case 2:
			if (codes_read(&s, &literals, &distances))
				block_of_codes(&s, &literals, &distances);
			else if (s.error == NULL)
				s.error = bad_code;
			break;
		default:
			s.error = s.error != NULL ? s.error : bad_code;
		}
	} while (s.error == NULL && !last);
	*used = (size_t)(s.in - in) - s.have / 8;
	*made = (size_t)(s.out - out);
	return s.error;
}
