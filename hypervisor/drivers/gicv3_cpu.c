/* The CPU interface at EL2 and the virtual CPU interface: system registers (Arm IHI 0069H, 12.2 and 12.4). */
#include "arch/arm64/sysreg.h"
#include "drivers/gicv3.h"

#define ICC_SRE_EL1	S3_0_C12_C12_5
#define ICC_SRE_EL2	S3_4_C12_C9_5
#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR1_EL1	S3_0_C12_C12_0
#define ICC_EOIR1_EL1	S3_0_C12_C12_1
#define ICC_BPR1_EL1	S3_0_C12_C12_3
#define ICC_CTLR_EL1	S3_0_C12_C12_4
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_DIR_EL1	S3_0_C12_C11_1
#define ICC_SGI1R_EL1	S3_0_C12_C11_5
#define ICH_HCR_EL2	S3_4_C12_C11_0
#define ICH_VTR_EL2	S3_4_C12_C11_1
#define ICH_EISR_EL2	S3_4_C12_C11_3
#define ICH_ELRSR_EL2	S3_4_C12_C11_5
#define ICH_VMCR_EL2	S3_4_C12_C11_7
#define ICH_AP0R(n)	S3_4_C12_C8_##n
#define ICH_AP1R(n)	S3_4_C12_C9_##n

/* sysreg_read() and its like take a name literally, so that a macro has to be expanded before */
#define READ(reg)		  sysreg_read_(reg)
#define WRITE(reg, value)	  sysreg_write_(reg, value)
#define sysreg_read_(reg)	  sysreg_read(reg)
#define sysreg_write_(reg, value) sysreg_write(reg, value)

#define VTR_TDS (1ul << 19)

static unsigned priority_bits, preemption_bits;

#define EACH_LR(X)                                                                                 \
	X(0, 12, 0)                                                                                \
	X(1, 12, 1) X(2, 12, 2) X(3, 12, 3) X(4, 12, 4) X(5, 12, 5) X(6, 12, 6) X(7, 12, 7)        \
		X(8, 13, 0) X(9, 13, 1) X(10, 13, 2) X(11, 13, 3) X(12, 13, 4) X(13, 13, 5)        \
			X(14, 13, 6) X(15, 13, 7)

uint64_t gic_lr_read(unsigned n)
{
	switch (n % 16) {
#define X(i, crm, op2)                                                                             \
	case i:                                                                                    \
		return READ(S3_4_C12_C##crm##_##op2);
		EACH_LR(X)
#undef X
	}
	return 0;
}

void gic_lr_write(unsigned n, uint64_t lr)
{
	switch (n % 16) {
#define X(i, crm, op2)                                                                             \
	case i:                                                                                    \
		WRITE(S3_4_C12_C##crm##_##op2, lr);                                                \
		break;
		EACH_LR(X)
#undef X
	}
}

bool gic_lr_write_empty(unsigned n, uint64_t lr)
{
	switch (n % 16) {
#define X(i, crm, op2)                                                                             \
	case i:                                                                                    \
		if (READ(S3_4_C12_C##crm##_##op2) & LR_STATE)                                      \
			return false;                                                              \
		WRITE(S3_4_C12_C##crm##_##op2, lr);                                                \
		break;
		EACH_LR(X)
#undef X
	}
	return true;
}

uint32_t gic_lr_done(void)
{
	/* ELRSR leaves out the empty ones that still owe a maintenance interrupt; EISR has exactly those */
	return (uint32_t)(READ(ICH_ELRSR_EL2) | READ(ICH_EISR_EL2));
}

uint64_t gic_hcr_read(void)
{
	return READ(ICH_HCR_EL2);
}

void gic_hcr_write(uint64_t hcr)
{
	WRITE(ICH_HCR_EL2, hcr);
}

uint64_t gic_virtual_masks(void)
{
	return READ(ICH_VMCR_EL2);
}

bool gic_interface_init(void)
{
	uint64_t vtr;

	/* SRE, no bypass. Enable stays 0, so that a guest's ICC_SRE_EL1 traps (unless the GIC has no legacy interface and it is constant
	 * anyhow): what is set here holds for all guests, and no switch has to look at it */
	WRITE(ICC_SRE_EL2, 7ul);
	isb();
	if (!(READ(ICC_SRE_EL2) & 1))
		return false;
	WRITE(ICC_SRE_EL1, 7ul);
	isb();
	WRITE(ICC_CTLR_EL1, 1ul << 1); /* EOImode 1 */
	WRITE(ICC_PMR_EL1, 0xfful);
	WRITE(ICC_BPR1_EL1, 0ul);
	WRITE(ICC_IGRPEN1_EL1, 1ul);
	vtr = READ(ICH_VTR_EL2);
	gic.list_registers = (unsigned)(vtr & 0x1f) + 1;
	if (gic.list_registers > 16)
		gic.list_registers = 16;
	gic.trap_dir = vtr & VTR_TDS ? HCR_TDIR : 0;
	priority_bits = (unsigned)(vtr >> 29 & 7) + 1;
	preemption_bits = (unsigned)(vtr >> 26 & 7) + 1;
	gic_virtual_reset();
	return true;
}

void gic_interface_exit(void)
{
	WRITE(ICC_IGRPEN1_EL1, 0ul);
	isb();
}

unsigned gic_virtual_priority_bits(void)
{
	return priority_bits;
}

uint32_t gic_acknowledge(void)
{
	uint32_t intid = (uint32_t)READ(ICC_IAR1_EL1) & 0xffffff;

	asm volatile(
		"dsb sy" ::
			: "memory"); /* the acknowledge is seen before the device is (GIC specification, 4.1.1) */
	return intid;
}

void gic_drop(uint32_t intid)
{
	WRITE(ICC_EOIR1_EL1, (uint64_t)intid);
	isb();
}

void gic_deactivate(uint32_t intid)
{
	WRITE(ICC_DIR_EL1, (uint64_t)intid);
	isb();
}

void gic_send_sgi(uint64_t mpidr, unsigned sgi)
{
	uint64_t aff3 = mpidr >> 32 & 0xff, aff2 = mpidr >> 16 & 0xff, aff1 = mpidr >> 8 & 0xff;
	uint64_t range = mpidr >> 4 & 0xf, bit = 1ul << (mpidr & 0xf);

	asm volatile(
		"dsb ishst" ::
			: "memory"); /* what the other CPU shall find is in memory before the interrupt */
	WRITE(ICC_SGI1R_EL1,
	      aff3 << 48 | range << 44 | aff2 << 32 | (uint64_t)sgi << 24 | aff1 << 16 | bit);
	isb();
}

/* 5 bits of preemption need one active priority register, 6 need two, 7 four (12.4.1) */
#define EACH_AP(X) X(0, 5) X(1, 6) X(2, 7) X(3, 7)

void gic_virtual_reset(void)
{
	for (unsigned i = 0; i < gic.list_registers; i++)
		gic_lr_write(i, 0);
#define X(n, bits)                                                                                 \
	if (preemption_bits >= (bits)) {                                                           \
		WRITE(ICH_AP0R(n), 0ul);                                                           \
		WRITE(ICH_AP1R(n), 0ul);                                                           \
	}
	EACH_AP(X)
#undef X
	WRITE(ICH_VMCR_EL2, 0ul);
	WRITE(ICH_HCR_EL2, HCR_EN | HCR_LRENPIE);
	isb();
}

void gic_virtual_save(struct gic_virtual *to)
{
	to->vmcr = READ(ICH_VMCR_EL2);
#define X(n, bits)                                                                                 \
	if (preemption_bits >= (bits)) {                                                           \
		to->ap0r[n] = READ(ICH_AP0R(n));                                                   \
		to->ap1r[n] = READ(ICH_AP1R(n));                                                   \
	}
	EACH_AP(X)
#undef X
	WRITE(ICH_HCR_EL2, 0ul);
	isb();
}

void gic_virtual_load(const struct gic_virtual *from)
{
#define X(n, bits)                                                                                 \
	if (preemption_bits >= (bits)) {                                                           \
		WRITE(ICH_AP0R(n), from->ap0r[n]);                                                 \
		WRITE(ICH_AP1R(n), from->ap1r[n]);                                                 \
	}
	EACH_AP(X)
#undef X
	WRITE(ICH_VMCR_EL2, from->vmcr);
	WRITE(ICH_HCR_EL2, HCR_EN | HCR_LRENPIE);
	isb();
}
