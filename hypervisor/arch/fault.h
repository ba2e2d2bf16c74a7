/* Faults of the hypervisor itself, and names for addresses of its code. */
#ifndef ARCH_FAULT_H
#define ARCH_FAULT_H
#include "arch/frame.h"

#define SYMBOL_NAME 40	       /* room for a name; longer ones are cut */
#define SYMBOL_LAST (1u << 15) /* lib/symbols.awk: the last word of a name */
/* The function that an address of the image lies in (SYMBOL_NAME characters), and the offset into it; false when it is not code. */
bool symbol_find(uint64_t address, char *name, uint64_t *offset);
/* entry.S: prints registers and a backtrace. kind: 0 synchronous (FAULT_SYNC), 1 IRQ, 2 FIQ, 3 SError, 4 stack overflow. Then
 * either the domain whose trap it was is shut down as crashed and the CPU goes on with others, or the machine is reset
 * (docs/hypervisor.md, "When the hypervisor faults"). */
#define FAULT_SYNC 0
void fault_report(struct frame *f, unsigned kind) __attribute__((noreturn));
/* Faults here: the end of panic() while guests run. */
void fault_here(void);
/* entry.S: this CPU goes to the guest whose frame is given, which lies on top of its stack; nothing below it counts any more. */
void guest_enter(struct frame *f) __attribute__((noreturn));
/* A guest's SError (entry.S). */
void trap_serror(struct frame *f);

#endif
