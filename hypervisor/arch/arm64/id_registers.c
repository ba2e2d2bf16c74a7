#include "arch/id_registers.h"
#include "arch/arm64/sysreg.h"

#define READ(crm, op2)                                                                             \
	case (crm)*8 + (op2):                                                                      \
		return sysreg_read(S3_0_C0_C##crm##_##op2);
#define READ_ALL(crm)                                                                              \
	READ(crm, 0)                                                                               \
	READ(crm, 1) READ(crm, 2) READ(crm, 3) READ(crm, 4) READ(crm, 5) READ(crm, 6) READ(crm, 7)

uint64_t id_register_read(unsigned crm, unsigned op2)
{
	/* reserved ones of this space read as zero by the architecture */
	switch (crm * 8 + op2) {
		READ_ALL(1)
		READ_ALL(2)
		READ_ALL(3)
		READ_ALL(4)
		READ_ALL(5)
		READ_ALL(6)
		READ_ALL(7)
	}
	return 0;
}
