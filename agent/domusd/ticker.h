#ifndef DOMUS_DOMUSD_TICKER_H
#define DOMUS_DOMUSD_TICKER_H

#include "common/error.h"

/*
 * The one thread for everything that has to happen now and then: heartbeats, time-outs, expiry,
 * retention. Jobs run one after the other and should be done within milliseconds; whatever takes
 * longer only starts there.
 */
struct ticker;

int ticker_start(struct ticker **out, struct error *e);
/* Calls run(context) every period_s seconds from now on. Before ticker_stop(), from any thread. At
 * most 32 jobs. */
void ticker_add(struct ticker *ticker, unsigned period_s, void (*run)(void *context),
		void *context);
/* Waits for the job that runs, ends the thread, frees. NULL is fine. */
void ticker_stop(struct ticker *ticker);

#endif
