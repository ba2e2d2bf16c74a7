/* Dom0's mailbox to the system controller: the registers of a messaging unit, behind which its messages are filtered and then
 * passed on, answered or refused. */
#ifndef GUEST_VSCU_H
#define GUEST_VSCU_H
#include "core/domain.h"

/* Takes the machine's mailbox away from Dom0 (registers and interrupt) and puts ours in its place. Once, before it runs. */
int vscu_create(struct domain *d, uint64_t base, uint64_t size, unsigned intid);

#endif
