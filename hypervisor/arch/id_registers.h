/* The machine's identification registers, op0 3, op1 0, CRn 0 (Arm ARM D23.2): ID_AA64*, ID_*_EL1, MVFR*. */
#ifndef ARCH_ID_REGISTERS_H
#define ARCH_ID_REGISTERS_H
#include "lib/types.h"

/* As this CPU has it; crm 1..7, op2 0..7. 0 for reserved ones. */
uint64_t id_register_read(unsigned crm, unsigned op2);

#endif
