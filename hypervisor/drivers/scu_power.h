/* The power backend of i.MX8: resource modes and partitions of the system controller firmware. */
#ifndef DRIVERS_SCU_POWER_H
#define DRIVERS_SCU_POWER_H
#include "core/power.h"
#include "drivers/scu.h"

extern const struct power_backend scu_power;

/* Takes over the mailbox and asks the firmware which partition it belongs to. 0, or what scu_call() says. Boot only: waits, a
 * call's time-out at most. Before power_init(). */
int scu_power_open(const struct scu_port *port, uint64_t timeout);
/* A message of Dom0 that its filter let pass: scu_call() as SCU_DOM0. */
int scu_forward(uint32_t *message);

#endif
