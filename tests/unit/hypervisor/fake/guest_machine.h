/* What guest/ asks of the machine beside its GIC and timers: firmware, ID registers, waits. */
#ifndef FAKE_GUEST_MACHINE_H
#define FAKE_GUEST_MACHINE_H
#include "core/vcpu.h"

extern unsigned fake_waits;		/* how often a vCPU asked to wait */
extern uint64_t fake_firmware_calls[8]; /* function identifiers, the latest first */
extern int64_t fake_workaround;		/* what the firmware says of every workaround */
extern uint64_t fake_sp;		/* the guest's stack pointer */

#endif
