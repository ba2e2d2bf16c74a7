/* The machine under arch/arm64/stage2.c for the host tests, included before it: system registers are variables, instructions and
 * stores into tables are calls. So break-before-make is checked at every store (Arm ARM D8.16): an entry that was valid becomes
 * invalid, then the TLBs are invalidated for its address space, and only then it may become valid as something else. */
#ifndef FAKE_STAGE2_MACHINE_H
#define FAKE_STAGE2_MACHINE_H
#define ARCH_ARM64_SYSREG_H /* not the real ones */
#include "arch/mmu.h"
#include "arch/stage2.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "lib/string.h"

extern uint64_t fake_vttbr_el2, fake_id_aa64mmfr0_el1;
extern unsigned fake_flushes;	    /* TLB invalidations so far */
extern uint64_t fake_flushed_vttbr; /* VTTBR_EL2 at the last one */
void fake_instruction(const char *text);
void fake_store(uint64_t *entry, uint64_t value);
/* Every entry that became invalid was followed by an invalidation. */
bool fake_tlb_is_clean(void);

#ifdef FAKE_STAGE2
#define sysreg_read(reg)	 fake_##reg
#define sysreg_write(reg, value) (fake_##reg = (value))
static inline void isb(void)
{
}
#define asm
#define volatile(...) fake_instruction(#__VA_ARGS__)
#define __atomic_store_n(at, value, order) fake_store((uint64_t *)(at), (value))
#endif
#endif
