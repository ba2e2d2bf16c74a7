/* System registers that trap: what the guest reads there, and what becomes of its writes. Arm ARM D23. */
#include "arch/id_registers.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "guest/vtimer.h"
#include "lib/bits.h"

/* A register's name as ISS has it: without Rt and direction. */
#define REG(op0, op1, crn, crm, op2)                                                               \
	((op0)*0x100000u | (op2)*0x20000u | (op1)*0x4000u | (crn)*0x400u | (crm)*2u)
#define REG_MASK      0x3ffc1eu
#define ISS_RT(iss)   ((iss) >> 5 & 0x1f)
#define ISS_READ(iss) ((iss)&1)
#define CNTPCT	      REG(3, 3, 14, 0, 1) /* QEMU 7.2 traps it at EL0 with the physical timer (CNTHCTL_EL2.EL1PCEN) */
#define FIELD(lsb)    (0xful << (lsb)) /* a field of an ID register */

/* Fields of the ID registers that a guest must not believe in: nobody switches or traps the state behind them.
 * [crm - 1][op2]. */
static const uint64_t id_hidden[7][8] = {
	[0] =
		{
			[0] = FIELD(28) | FIELD(20), /* ID_PFR0: RAS, AMU */
			[1] = FIELD(12) | FIELD(16) |
			      FIELD(4), /* ID_PFR1: virtualization, security; the timer stays */
			[2] = FIELD(24) | FIELD(20) | FIELD(16) |
			      FIELD(12), /* ID_DFR0: PMU, trace */
			[3] = ~0ul,	 /* ID_AFR0 */
		},
	[2] =
		{
			[5] = ~0ul, /* ID_DFR1: MTPMU */
		},
	[3] =
		{
			/* ID_AA64PFR0: EL2, EL3, RAS, SVE, SEL2, MPAM, AMU, RME */
			[0] = FIELD(8) | FIELD(12) | FIELD(28) | FIELD(32) | FIELD(36) | FIELD(40) | FIELD(44) |
			      FIELD(52),
			/* ID_AA64PFR1: MTE, RAS_frac, MPAM_frac, SME, CSV2_frac, NMI, GCS, THE, MTEX, DF2, PFAR */
			[1] = FIELD(8) | FIELD(12) | FIELD(16) | FIELD(24) | ~0ul << 32,
			[2] = ~0ul,
			[3] = ~0ul,
			[4] = ~0ul, /* ID_AA64ZFR0 */
			[5] = ~0ul, /* ID_AA64SMFR0 */
			[6] = ~0ul,
			[7] = ~0ul,
		},
	[4] =
		{
			/* ID_AA64DFR0: trace, PMU, SPE, trace filter and buffer, MTPMU, BRBE, HPMN0 */
			[0] = FIELD(4) | FIELD(8) | FIELD(32) | FIELD(40) | FIELD(44) | FIELD(48) |
			      FIELD(52) | FIELD(60),
			[1] = ~0ul,
			[2] = ~0ul,
			[3] = ~0ul,
			[4] = ~0ul,
			[5] = ~0ul,
			[6] = ~0ul,
			[7] = ~0ul,
		},
	[5] =
		{
			[0] = FIELD(24), /* ID_AA64ISAR0: TME */
			/* ID_AA64ISAR1: pointer authentication, LS64 */
			[1] = FIELD(4) | FIELD(8) | FIELD(24) | FIELD(28) | FIELD(60),
			/* ID_AA64ISAR2: WFxT, pointer authentication, MOPS */
			[2] = FIELD(0) | FIELD(8) | FIELD(12) | FIELD(16) | ~0ul << 32,
			[3] = ~0ul,
			[4] = ~0ul,
			[5] = ~0ul,
			[6] = ~0ul,
			[7] = ~0ul,
		},
	[6] =
		{
			[0] = FIELD(56) | FIELD(60), /* ID_AA64MMFR0: FGT, ECV */
			[1] = FIELD(8) | FIELD(16) | FIELD(40), /* ID_AA64MMFR1: VHE, LO, HCX */
			[2] = FIELD(24) | FIELD(56), /* ID_AA64MMFR2: NV, EVT */
			[3] = ~0ul,
			[4] = ~0ul,
			[5] = ~0ul,
			[6] = ~0ul,
			[7] = ~0ul,
		},
};

/* DBGBVR, DBGBCR, DBGWVR, DBGWCR<CRm>_EL1 */
static bool is_breakpoint(uint32_t reg)
{
	return (reg & ~REG(0, 0, 0, 15, 3)) == REG(2, 0, 0, 0, 4);
}

static RARE void debug_write(struct vcpu *v, uint32_t reg, uint64_t value)
{
	unsigned op2 = reg >> 17 & 7;

	if (reg == REG(2, 0, 0, 2, 2)) /* MDSCR_EL1: SS, TDCC, KDE, MDE */
		v->state.debug_control = value & 0xb001;
	else if (reg == REG(2, 0, 1, 0, 4)) /* OSLAR_EL1 */
		v->state.debug_locked = value & 1;
	else if (is_breakpoint(reg)) /* control registers have 32 bits */
		v->state.debug[reg >> 1 & 0xf][op2 - 4] = op2 & 1 ? (uint32_t)value : value;
	else
		return;
	vcpu_debug_apply(&v->state);
}

static bool reg_read(struct vcpu *v, uint32_t reg, uint64_t *value)
{
	unsigned crm = reg >> 1 & 0xf, op2 = reg >> 17 & 7;

	switch (reg) {
	case REG(3, 3, 14, 2, 0): /* CNTP_TVAL_EL0 */
	case REG(3, 3, 14, 2, 1): /* CNTP_CTL_EL0 */
	case REG(3, 3, 14, 2, 2): /* CNTP_CVAL_EL0 */
		*value = vtimer_read(v, op2);
		return true;
	case CNTPCT:
		*value = cpu_counter();
		return true;
	case REG(3, 0, 12, 11, 1): /* ICC_DIR, SGI1R, ASGI1R, SGI0R are write only */
	case REG(3, 0, 12, 11, 5):
	case REG(3, 0, 12, 11, 6):
	case REG(3, 0, 12, 11, 7):
		return false;
	case REG(3, 0, 12, 12, 2): /* ICC_HPPIR1_EL1 */
		*value = vgic_highest_pending(v);
		return true;
	case REG(3, 0, 12, 12, 5): /* ICC_SRE_EL1: no legacy interface, all RAO/WI (GIC specification, 12.2) */
		*value = 7;
		return true;
	case REG(2, 0, 1, 1, 4): /* OSLSR_EL1: OS lock implemented */
		*value = 8 | (v->state.debug_locked ? 2 : 0);
		return true;
	case REG(2, 0, 0, 2, 2): /* MDSCR_EL1 */
		*value = v->state.debug_control;
		return true;
	}
	*value = 0;
	if (is_breakpoint(reg))
		*value = v->state.debug[crm][op2 - 4];
	if ((reg & ~REG(0, 0, 0, 15, 7)) == REG(3, 0, 0, 0, 0) && crm >= 1 && crm <= 7)
		*value = id_register_read(crm, op2) & ~id_hidden[crm - 1][op2];
	if (reg == REG(3, 0, 0, 4, 0) && *value >> 57 & 7) /* CSV2 from 2 on: SCXTNUM_ELx too, which nobody switches */
		*value = (*value & ~FIELD(56)) | 1ul << 56;
	return true;
}

static bool reg_write(struct vcpu *v, uint32_t reg, uint64_t value)
{
	switch (reg) {
	case REG(3, 0, 12, 11, 1):
		vgic_deactivate(v, value);
		break;
	case REG(3, 3, 14, 2, 0):
	case REG(3, 3, 14, 2, 1):
	case REG(3, 3, 14, 2, 2):
		vtimer_write(v, reg >> 17 & 7, value);
		break;
	}
	if (reg >> 20 == 2)
		debug_write(v, reg, value);
	return true; /* the other known ones ignore writes */
}

/* The registers that exist for the guest, as families: key under mask. All others are UNDEFINED. */
static bool reg_known(uint32_t reg, bool read)
{
	unsigned op1 = reg >> 14 & 7, crn = reg >> 10 & 0xf, crm = reg >> 1 & 0xf,
		 op2 = reg >> 17 & 7;

	switch (reg >> 20 & 3) {
	case 1: /* DC ISW, CSW, CISW: memory behind the guest's back is coherent, nothing to do */
		return !read && op1 == 0 && crn == 7 && op2 == 2 &&
		       (crm == 6 || crm == 10 || crm == 14);
	case 2: /* debug: the others read as zero, ignore writes; trace (op1 1) does not exist */
		return op1 == 0 || op1 == 3;
	case 3:
		if (op1 == 0)
			return (crn == 0 && read && crm >= 1 && crm <= 7) || /* ID registers */
			       (crn == 1 && crm == 0 && op2 == 1) ||	     /* ACTLR_EL1 */
			       (crn == 9 && crm == 14 && (op2 == 1 || op2 == 2)) || /* PMINTEN* */
			       /* ICC_*SGI*R_EL1, DIR, HPPIR1, SRE */
			       (crn == 12 && (crm == 11 || (crm == 12 && (op2 == 2 || op2 == 5))));
		return op1 == 3 && ((crn == 9 && crm >= 12 && crm <= 14) || /* PMU */
				    (crn == 14 && crm >= 8) ||		  /* PMEVCNTR, PMEVTYPER */
				    (reg == CNTPCT && read) ||
				    (crn == 14 && crm == 2 && op2 <= 2)); /* CNTP_* */
	}
	return false;
}

/* noinline, so that the way of an SGI is short */
static __attribute__((noinline)) bool emulate_other(struct vcpu *v, struct frame *f, uint32_t iss)
{
	uint32_t reg = iss & REG_MASK;
	uint64_t value;

	if (!reg_known(reg, ISS_READ(iss)))
		return false;
	/* at EL0 only counter and timer are open, when CNTKCTL_EL1 says so, and then the machine has looked at that */
	if ((f->spsr & 0xc) == 0 && reg != CNTPCT && (reg & ~REG(0, 0, 0, 0, 7)) != REG(3, 3, 14, 2, 0))
		return false;
	if (!ISS_READ(iss))
		return reg_write(v, reg, frame_get(f, ISS_RT(iss)));
	if (!reg_read(v, reg, &value))
		return false;
	frame_set(f, ISS_RT(iss), value);
	return true;
}

bool sysreg_emulate(struct vcpu *v, struct frame *f, uint32_t iss)
{
	/* first, as no other is written as often */
	if ((iss & (REG_MASK | 1)) != REG(3, 0, 12, 11, 5) || !(f->spsr & 0xc))
		return emulate_other(v, f, iss);
	vgic_send_sgi(v, frame_get(f, ISS_RT(iss)));
	return true;
}
