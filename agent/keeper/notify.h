#ifndef DOMUS_KEEPER_NOTIFY_H
#define DOMUS_KEEPER_NOTIFY_H

/* Tells systemd how far a service is (sd_notify(3), "READY=1"): one datagram, not worth a library.
 * Nothing without it. */
void notify(const char *state);

#endif
