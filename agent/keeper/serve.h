#ifndef DOMUS_KEEPER_SERVE_H
#define DOMUS_KEEPER_SERVE_H

/*
 * The socket's side of keeper: one thread, an epoll loop, any number of clients. It checks who
 * connects (SO_PEERCRED) and what they send (verbs_check_request), hands requests to jobs.c and
 * sends packets back. No client can make it wait: what a client does not read is queued up to a
 * bound, then the client is dropped.
 */
#include <sys/types.h>

#include "common/error.h"
#include "keeper/jobs.h"

struct serve;

/* Starts to serve a listening socket, which it owns from here on. uid: the one client user beside
 * root. */
struct serve *serve_new(int listener, uid_t uid, struct error *e);
void serve_free(struct serve *s);

/* A jobs_deliver_fn and a machine_event_fn, context is the struct serve: any thread, never block.
 */
void serve_deliver(void *context, struct packet *p);
void serve_device_event(void *context, const struct verbs_device_event *event);
void serve_event(void *context, const struct verbs_event *event);

/*
 * Runs the loop until one of the signals of signal_fd (signalfd(2)) arrives, then returns 0.
 * Requests go to jobs. serve_flush() afterwards sends, without waiting, what the clients were still
 * owed.
 */
int serve_run(struct serve *s, struct jobs *jobs, int signal_fd, struct error *e);
void serve_flush(struct serve *s);

#endif
