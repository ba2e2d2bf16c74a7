#ifndef DOMUS_DOMUSD_NOTIFY_H
#define DOMUS_DOMUSD_NOTIFY_H

#include <stdint.h>

/* sd_notify(3) without libsystemd: one datagram to $NOTIFY_SOCKET, nothing without it. "READY=1", "STOPPING=1" … */
void notify_send(const char *state);
/* How often "WATCHDOG=1" is wanted, half of $WATCHDOG_USEC: milliseconds, or 0. */
int64_t notify_watchdog_ms(void);

#endif
