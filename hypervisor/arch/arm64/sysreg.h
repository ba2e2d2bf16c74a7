/* Access to system registers by name, for registers that the assembler knows, or as S<op0>_<op1>_c<n>_c<m>_<op2>. */
#ifndef ARCH_ARM64_SYSREG_H
#define ARCH_ARM64_SYSREG_H
#include <stdint.h>

#define sysreg_read(reg)                                                                                               \
	({                                                                                                             \
		uint64_t value_;                                                                                       \
		asm volatile("mrs %0, " #reg : "=r"(value_));                                                          \
		value_;                                                                                                \
	})
#define sysreg_write(reg, value)                                                                                       \
	do {                                                                                                           \
		uint64_t written_ = (value);                                                                            \
		asm volatile("msr " #reg ", %0" ::"r"(written_) : "memory");                                             \
	} while (0)
static inline void isb(void)
{
	asm volatile("isb" ::: "memory");
}

/* Exception classes of ESR_EL2 (Arm ARM D24.2.40). */
enum esr_class {
	ESR_UNKNOWN = 0x00,
	ESR_WFX = 0x01,
	ESR_FP = 0x07,
	ESR_ILLEGAL = 0x0e,
	ESR_SVC64 = 0x15,
	ESR_HVC64 = 0x16,
	ESR_SMC64 = 0x17,
	ESR_SYSREG = 0x18,
	ESR_INSN_ABORT_LOWER = 0x20,
	ESR_INSN_ABORT_SAME = 0x21,
	ESR_PC_ALIGNMENT = 0x22,
	ESR_DATA_ABORT_LOWER = 0x24,
	ESR_DATA_ABORT_SAME = 0x25,
	ESR_SP_ALIGNMENT = 0x26,
	ESR_SERROR = 0x2f,
	ESR_BRK = 0x3c,
};
#define ESR_IL	       (1UL << 25) /* an instruction of 4 bytes, not 2 */
#define ESR_CLASS(esr) ((unsigned)((esr) >> 26) & 0x3f)
#define ESR_ISS(esr)   ((uint32_t)(esr)&0x1ffffff)

#endif
