/* AArch32 at EL0 of a guest: what the machine does for an instruction that was not trapped, we do for one that was. Pure computation. */
#ifndef GUEST_AARCH32_H
#define GUEST_AARCH32_H
#include "lib/types.h"

/* Would the instruction that trapped with syndrome `esr` have been done at all? Whether one that fails its condition is trapped is
 * implementation defined (Arm ARM, ISS encodings with CV and COND). */
bool aarch32_is_done(uint64_t esr, uint64_t spsr);
/* SPSR behind the instruction: an IT block is one instruction further (ITAdvance). */
uint64_t aarch32_advance(uint64_t spsr);

#endif
