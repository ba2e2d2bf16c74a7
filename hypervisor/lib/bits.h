/* Bit tricks and the atomic operations that the hypervisor uses, named after what they are for. */
#ifndef LIB_BITS_H
#define LIB_BITS_H
#include "lib/types.h"

#define BIT(n) (1UL << (n))
/* The field of v from bit hi down to bit lo, both included. */
static inline uint64_t bits_get(uint64_t v, unsigned hi, unsigned lo)
{
	return (v >> lo) & (~0UL >> (63 - (hi - lo)));
}
/* Index of the lowest set bit; v must not be 0. */
static inline unsigned bits_first(uint64_t v)
{
	return (unsigned)__builtin_ctzl(v);
}

/* Sets bits in a shared word (release) and tells whether all of them were set before. */
static inline bool bits_set64(uint64_t *word, uint64_t mask)
{
	return (__atomic_fetch_or(word, mask, __ATOMIC_ACQ_REL) & mask) == mask;
}
static inline void bits_clear64(uint64_t *word, uint64_t mask)
{
	__atomic_fetch_and(word, ~mask, __ATOMIC_ACQ_REL);
}
static inline void bits_set32(uint32_t *word, uint32_t mask)
{
	__atomic_fetch_or(word, mask, __ATOMIC_ACQ_REL);
}
static inline void bits_clear32(uint32_t *word, uint32_t mask)
{
	__atomic_fetch_and(word, ~mask, __ATOMIC_ACQ_REL);
}
/* Takes everything out of a shared word and leaves 0. */
static inline uint64_t bits_take64(uint64_t *word)
{
	return __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL);
}
#define ATOMIC_READ(x)	   __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define ATOMIC_WRITE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#endif
