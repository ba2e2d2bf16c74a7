/* What entry.S saves of a guest (or of EL2 itself, when EL2 faults) at every exception. Lives on top of this CPU's stack;
 * valid until the return to the guest. entry.S knows the offsets. */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H
#include "lib/types.h"

struct frame {
	uint64_t x[31]; /* x0..x30 */
	uint64_t elr;	/* where the guest goes on. For HVC already behind the instruction; for SMC and traps on it */
	uint64_t spsr;	/* the guest's PSTATE */
	uint64_t dirty; /* x19..x28 here are not what the registers hold: they are loaded on the way back. Set by frame_set();
			 * who replaces a whole frame outside vcpu_work() sets it too */
};
#define SPSR_AARCH32 (1UL << 4)
#define SPSR_SS	     (1UL << 21) /* a single step has yet to be done */
_Static_assert(sizeof(struct frame) == 272, "entry.S knows this layout");

/* Register number as an instruction names it: 31 is the zero register. */
static inline uint64_t frame_get(const struct frame *f, unsigned reg)
{
	return reg < 31 ? f->x[reg] : 0;
}
static inline void frame_set(struct frame *f, unsigned reg, uint64_t value)
{
	if (reg >= 31)
		return;
	f->x[reg] = value;
	if (reg >= 19)
		f->dirty = 1;
}

/* Makes the guest take an exception at EL1 as the architecture would (ELR_EL1, SPSR_EL1, ESR_EL1, FAR_EL1, vector), with f as
 * its interrupted state. For the vCPU whose EL1 registers are loaded on this CPU. */
void inject_undefined(struct frame *f);
/* A synchronous external abort with fault status `status` at guest virtual address `far`, for the abort that came to EL2 with syndrome
 * `esr`. */
void inject_abort(struct frame *f, gva_t far, uint64_t esr, unsigned status);
/* The stack pointer that the interrupted code uses. Same vCPU. */
uint64_t guest_sp_read(const struct frame *f);
void guest_sp_write(const struct frame *f, uint64_t sp);

#endif
