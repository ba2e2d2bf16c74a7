/* EL2's own timer (CNTHP) on this CPU. */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H
#include "lib/types.h"

/* Interrupt when the counter reaches `ticks`; clamped to less than an hour ahead (QEMU 7.2 hangs on deadlines near 2^64). */
void timer_arm(uint64_t ticks);
void timer_stop(void);

#endif
