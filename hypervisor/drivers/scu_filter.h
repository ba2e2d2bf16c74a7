/* What Dom0's messages to the system controller may ask for. They leave with the hypervisor's own rights, so what is not in the
 * table is refused. */
#ifndef DRIVERS_SCU_FILTER_H
#define DRIVERS_SCU_FILTER_H
#include "core/power.h"
#include "drivers/scu.h"

enum scu_verdict {
	SCU_PASS,   /* to the firmware, as it is */
	SCU_ANSWER, /* `message` is the answer now */
	SCU_DROP,   /* one that has no answer */
};
/* `message` has SCU_WORDS words, of which its header counts 1 to SCU_WORDS. `access` tells what Dom0 may do with a resource. */
enum scu_verdict scu_filter(uint32_t *message, enum power_access (*access)(unsigned resource));

#endif
