/* Address translation by the machine (Arm ARM C5.5, AT; PAR_EL1 D24.2.112). */
#include "arch/guest_va.h"
#include "sysreg.h"

#define AT(op, va)                                                                                                     \
	({                                                                                                             \
		uint64_t saved_ = sysreg_read(par_el1), par_;                                                          \
		asm volatile("at " op ", %0; isb" ::"r"(va) : "memory");                                               \
		par_ = sysreg_read(par_el1);                                                                           \
		sysreg_write(par_el1, saved_);                                                                         \
		par_;                                                                                                  \
	})

bool guest_va_translate(gva_t va, bool write, pa_t *out)
{
	uint64_t par = write ? AT("s12e1w", va.raw) : AT("s12e1r", va.raw);

	if (par & 1)
		return false;
	*out = PA((par & 0x0000fffffffff000UL) | (va.raw & PAGE_MASK));
	return true;
}

bool guest_va_to_ipa(gva_t va, ipa_t *out)
{
	uint64_t par = AT("s1e1r", va.raw);

	if (par & 1)
		return false;
	*out = IPA((par & 0x0000fffffffff000UL) | (va.raw & PAGE_MASK));
	return true;
}
