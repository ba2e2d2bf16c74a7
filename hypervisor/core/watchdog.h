/* Watchdogs that a guest sets on itself (SCHEDOP_watchdog): it has to come back before the time is over, or it is shut down. */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H
#include "core/domain.h"

#define WATCHDOGS 2u /* of one domain, as Xen gives */

/* id 0: starts a new one, result 1..WATCHDOGS is its id, -ENOSPC when all run. Another id: starts it again, or with 0 seconds
 * stops it for good; 0, or -EINVAL when there is no such watchdog. Any CPU; takes a lock of its own. */
int watchdog_set(struct domain *d, uint32_t id, uint32_t seconds);

#endif
