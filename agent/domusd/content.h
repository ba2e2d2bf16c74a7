#ifndef DOMUS_DOMUSD_CONTENT_H
#define DOMUS_DOMUSD_CONTENT_H

/* The services about images and domains, opened and closed in their order for main.c. */
#include "common/error.h"

/* Fills domusd.blob, console_hub, keeper, lifecycle; needs store, journal, operations, ticker, state_fd. */
int content_open(struct error *e);
/* Cuts the consoles' viewers: before HTTP stops. */
void content_shut(void);
/* After HTTP has stopped and the ticker has ended. */
void content_close(void);

#endif
