#ifndef DOMUS_DOMUSD_METRICS_H
#define DOMUS_DOMUSD_METRICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Prometheus text format 0.0.4. A service that has something to tell registers a writer at
 * start-up; at each scrape the writers fill one text. Counters live in the services as atomics:
 * counting costs no lock.
 */
struct metrics_text;

/* At most 16 writers. run() must not block; it may read the database (it runs on an HTTP thread).
 */
void metrics_add(void (*run)(void *context, struct metrics_text *text), void *context);
/* Ends the registration of everything, at shutdown. */
void metrics_clear(void);

/* "# HELP" and "# TYPE" of a metric; kind is "counter" or "gauge". Then its samples. */
void metrics_head(struct metrics_text *text, const char *name, const char *kind, const char *help);
/* One sample. labels is `state="running"` or NULL; values of labels are ours, so nothing needs
 * escaping. */
void metrics_sample(struct metrics_text *text, const char *name, const char *labels, double value);

/* The whole text, allocated: free() it. NULL without memory. */
char *metrics_collect(size_t *size);

#endif
