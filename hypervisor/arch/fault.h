/* Faults of the hypervisor itself, and names for addresses of its code. */
#ifndef ARCH_FAULT_H
#define ARCH_FAULT_H
#include "arch/frame.h"

/* The function that an address of the image lies in, and the offset into it; NULL when it is not code. */
const char *symbol_find(uint64_t address, uint64_t *offset);
/* entry.S: prints registers and a backtrace. kind: 0 synchronous, 1 IRQ, 2 FIQ, 3 SError, 4 stack overflow. Then the machine
 * is reset: the state of EL2 is not to be trusted. */
void fault_report(struct frame *f, unsigned kind) __attribute__((noreturn));
/* A guest's SError (entry.S). */
void trap_serror(struct frame *f);

#endif
