/* What is a hostile guest's word worth? One that executes anything, through any page tables, and has calls of any length answered
 * also writes over itself sooner or later; then its complaints mean nothing. So there are two kinds. The wild ones do all that; they
 * complain only of what they find in registers, and look before that whether their own code is still what it was. The careful ones
 * leave out what could change their own memory: whatever changes there was somebody else. */
#include "hostile.h"

#define COPY	(GUEST_RAM + 0x400000)
#define KEPT	(GUEST_RAM + 0x800000) /* up to the pool: never handed out, never written */
#define AT_ONCE 0x10000ul

extern uint8_t _start[], rela_begin[]; /* bare.lds: code and constants */

bool careful;

static uint64_t kept_number(uint64_t at)
{
	return (at ^ 0x5bd1e995c0ffee11ul) * 0x9e3779b97f4a7c15ul;
}

void self_start(void)
{
	for (uint64_t i = 0; i < (uint64_t)(rela_begin - _start); i++)
		((volatile uint8_t *)COPY)[i] = _start[i];
	for (uint64_t at = KEPT; careful && at < POOL; at += 8)
		*(volatile uint64_t *)at = kept_number(at);
}

/* The first word of code and constants that is not what it was; NULL: none. */
static const volatile uint32_t *changed(void)
{
	const volatile uint32_t *is = (const volatile uint32_t *)_start,
				*was = (const volatile uint32_t *)COPY;

	for (; is < (const volatile uint32_t *)rela_begin; is++, was++)
		if (*is != *was)
			return is;
	return NULL;
}

bool self_spoiled(void)
{
	const volatile uint32_t *at = changed();
	uint64_t offset = (uint64_t)at - (uint64_t)_start;

	if (careful || !at)
		return false;
	print("hostile: spoiled itself: %x is %x %x %x %x, %x was there", offset, (uint64_t)at[0],
	      (uint64_t)at[1], (uint64_t)at[2], (uint64_t)at[3],
	      (uint64_t) * (volatile uint32_t *)(COPY + offset));
	return true;
}

/* A part of the memory that nobody else was ever offered. */
void own_memory(struct cpu *c)
{
	uint64_t from = KEPT + below(&states[c->id], (POOL - KEPT) / AT_ONCE) * AT_ONCE;

	if (!careful)
		return;
	for (uint64_t at = from; at < from + AT_ONCE; at += 8)
		if (*(volatile uint64_t *)at != kept_number(at)) {
			bad(BY_MEMORY, "memory of its own changed", at, *(volatile uint64_t *)at);
			return;
		}
	if (changed())
		bad(BY_MEMORY, "its own code changed", (uint64_t)changed(), *changed());
}
