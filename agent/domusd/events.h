#ifndef DOMUS_DOMUSD_EVENTS_H
#define DOMUS_DOMUSD_EVENTS_H

#include "domusd/auth.h"
#include "domusd/http.h"
#include "domusd/journal.h"

/*
 * The journal as server-sent events (HTML Living Standard section 9.2). A stream reads the database from where its client is,
 * so nothing is queued for anybody: who is slow falls behind, and is cut when libmicrohttpd's time-out finds him silent or
 * retention has overtaken him.
 */
struct auth;
struct events;

#define EVENTS_PER_CREDENTIAL 16
#define EVENTS_STREAMS_MAX    64

int events_open(struct journal *journal, struct auth *auth, struct events **out, struct error *e);
/* After http_stop(). NULL is fine. */
void events_close(struct events *events);

/*
 * Answers r with the stream of what the principal may see, after sequence number `after`, or from now on when after < 0.
 * ERROR_RATE (the request is then not answered) when he has too many streams, or all have together.
 */
int events_stream(struct events *events, struct request *r, int64_t after, struct error *e);

/* For the ticker, every 5 seconds: heartbeats, and the end of streams whose credential is no longer good. */
void events_tick(void *events);

#endif
