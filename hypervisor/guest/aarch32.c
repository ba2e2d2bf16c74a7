#include "guest/aarch32.h"
#include "lib/bits.h"

#define ESR_CLASS(esr) ((unsigned)((esr) >> 26))
#define CLASS_WFX                                                                                  \
	0x01u /* the first class whose syndrome has a condition, and the last one that EL0 can cause */
#define CLASS_CP14_64 0x0cu
#define CV	      (1UL << 24)
#define ALWAYS	      14u

/* IT[7:0]: its high half is the condition of the instruction, and 0 is outside of a block. */
static unsigned it_state(uint64_t spsr)
{
	return (unsigned)(bits_get(spsr, 15, 10) << 2 | bits_get(spsr, 26, 25));
}

/* For each pair of conditions the values of NZCV with which the first one holds; the second one is the opposite. */
static const uint16_t holds[7] = {0xf0f0, 0xcccc, 0xff00, 0xaaaa, 0x0c0c, 0xaa55, 0x0a05};

bool aarch32_is_done(uint64_t esr, uint64_t spsr)
{
	unsigned condition = ALWAYS, class = ESR_CLASS(esr);

	if (class < CLASS_WFX || class > CLASS_CP14_64)
		return true;
	if (esr & CV)
		condition = (unsigned)bits_get(esr, 23, 20);
	else if (it_state(spsr) != 0)
		condition = it_state(spsr) >> 4;
	if (condition >= ALWAYS)
		return true;
	return ((holds[condition / 2] >> bits_get(spsr, 31, 28)) & 1) != (condition & 1);
}

uint64_t aarch32_advance(uint64_t spsr)
{
	unsigned it = it_state(spsr);

	it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
	return (spsr & ~(0x3fUL << 10 | 3UL << 25)) | (uint64_t)(it >> 2) << 10 |
	       (uint64_t)(it & 3) << 25;
}
