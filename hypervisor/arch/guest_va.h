/* Guest virtual addresses, through the machine's own address translation (AT S12E1R/W). Only for the vCPU whose EL1 registers
 * and VTTBR are loaded on this CPU. */
#ifndef ARCH_GUEST_VA_H
#define ARCH_GUEST_VA_H
#include "lib/types.h"

/* Machine address of one byte that the guest may read (or write) with EL1's rights; PAN does not matter (AT S12E1R ignores
 * it). False: no mapping, stage 2 included, or not writable. PAR_EL1 is kept. The caller still has to ask core/page whose
 * frame it is, and holds the domain's memory lock for as long as it uses the answer. */
bool guest_va_translate(gva_t va, bool write, pa_t *out);
/* The same for stage 1 only: the IPA behind a virtual address, needed when HPFAR_EL2 does not say (permission faults). */
bool guest_va_to_ipa(gva_t va, ipa_t *out);

#endif
