/* The guest's own translation tables, looked at by hand (Arm ARM D8.2). */
#include "core/memory.h"
#include "guest/trap.h"
#include "sysreg.h"

/* By TCR_EL1.TG0 and TG1: bits of the offset in a page; 0 is reserved. */
static const uint8_t page_bits[2][4] = {{12, 16, 14, 12}, {12, 14, 12, 16}};

unsigned walk_level(struct domain *d, gva_t va)
{
	bool high = va.raw >> 55 & 1;
	uint64_t at = high ? sysreg_read(ttbr1_el1) : sysreg_read(ttbr0_el1);
	unsigned tcr =
		(unsigned)(sysreg_read(tcr_el1) >> (high ? 16 : 0)); /* both halves are alike */
	unsigned page = page_bits[high][tcr >> 14 & 3], stride = page - 3;
	unsigned left = 64 - (tcr & 0x3f) - page, level = 3;
	struct page *frame;
	pa_t pa;

	at &= 0xffffffffffc0; /* a first table may be small */
	for (; left > stride && level > 0; left -= stride)
		level--;
	for (; level < 3; level++) {
		unsigned shift = page + stride * (3 - level);

		at += (va.raw >> shift & ((1UL << (left & 63)) - 1)) << 3;
		if (memory_frame_get(d, IPA(at), false, &pa, &frame))
			break;
		at = *(volatile uint64_t *)pa_to_va(pa) & 0xfffffffff000;
		page_put(frame);
		left = stride;
	}
	return level;
}
