/* Exceptions that EL2 makes the guest take at EL1 (Arm ARM D1.3 and AArch64.TakeException). */
#include "arch/frame.h"
#include "sysreg.h"

#define PSTATE_MODE  0x1fUL
#define EL1H_MASKED  0x3c5UL /* EL1h, D A I F masked */
#define SPSR_SS_IL   (3UL << 20)

static void take(struct frame *f, uint64_t esr)
{
	uint64_t vector = sysreg_read(vbar_el1), mode = f->spsr & PSTATE_MODE;

	/* the vector says where from: EL1 with SP_EL0, EL1 with its own, EL0, EL0 in AArch32 */
	if (mode == 5)
		vector += 0x200;
	else if (mode & 0x10)
		vector += 0x600;
	else if (mode == 0)
		vector += 0x400;
	sysreg_write(elr_el1, f->elr);
	sysreg_write(spsr_el1, f->spsr);
	sysreg_write(esr_el1, esr);
	f->elr = vector;
	/* condition flags stay; PAN is set when SCTLR_EL1.SPAN is 0 and PAN exists: Linux has SPAN clear */
	f->spsr = (f->spsr & 0xf0000000UL) | (f->spsr & 1UL << 22) | EL1H_MASKED;
	if (!(sysreg_read(sctlr_el1) & 1UL << 23) && (sysreg_read(id_aa64mmfr1_el1) >> 20 & 15) != 0)
		f->spsr |= 1UL << 22;
}

void inject_undefined(struct frame *f)
{
	take(f, (uint64_t)ESR_UNKNOWN << 26 | ESR_IL);
}

#define ISS_WNR_CM (1UL << 6 | 1UL << 8)

void inject_abort(struct frame *f, gva_t far, uint64_t esr, unsigned status)
{
	bool same = (f->spsr & PSTATE_MODE) == 4 || (f->spsr & PSTATE_MODE) == 5;
	bool instruction = ESR_CLASS(esr) == ESR_INSN_ABORT_LOWER;
	unsigned class = instruction ? ESR_INSN_ABORT_LOWER : ESR_DATA_ABORT_LOWER;

	sysreg_write(far_el1, far.raw);
	take(f, (uint64_t)(class + same) << 26 | ESR_IL | (instruction ? 0 : esr & ISS_WNR_CM) | status);
}

uint64_t guest_sp_read(const struct frame *f)
{
	return (f->spsr & PSTATE_MODE) == 5 ? sysreg_read(sp_el1) : sysreg_read(sp_el0);
}

void guest_sp_write(const struct frame *f, uint64_t sp)
{
	if ((f->spsr & PSTATE_MODE) == 5)
		sysreg_write(sp_el1, sp);
	else
		sysreg_write(sp_el0, sp);
}
