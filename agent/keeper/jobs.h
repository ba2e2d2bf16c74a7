#ifndef DOMUS_KEEPER_JOBS_H
#define DOMUS_KEEPER_JOBS_H

/*
 * Runs requests on worker threads, so that one slow domain delays nobody else. Jobs for one domain
 * (same name or same UUID) run one at a time in the order of submission; a kill throws out those of
 * its domain that still wait. At most JOBS_CREATES domains are built at once, which leaves workers
 * for everything quick.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/verbs.h"
#include "keeper/packet.h"

#define JOBS_WORKERS 8
#define JOBS_CREATES 4
#define JOBS_MAX     256 /* waiting and running */

struct jobs;

/* Does what request says and fills answer (already started) and maybe *fd. On a worker. 0, or -1
 * with *e. */
typedef int jobs_run_fn(void *context, const union verbs_message *request,
			union verbs_message *answer, int *fd, struct error *e);
/* Takes over the packet. On a worker, or in jobs_submit(), jobs_stop(). Must not block. */
typedef void jobs_deliver_fn(void *context, struct packet *p);

/* Starts the workers. NULL with *e when the system has no threads to give. */
struct jobs *jobs_start(jobs_run_fn *run, void *run_context, jobs_deliver_fn *deliver,
			void *deliver_context, struct error *e);
/* Gives the jobs that wait up with ERROR_INTERRUPTED, lets the running ones finish, ends the
 * workers, frees all. */
void jobs_stop(struct jobs *j);

/* Queues a request, which is copied; its answer comes through deliver. ERROR_UNAVAILABLE when there
 * are too many. */
int jobs_submit(struct jobs *j, uint64_t client, const union verbs_message *request,
		struct error *e);
/* Forgets what a client that is gone has waiting. What already runs goes on to its end. */
void jobs_forget(struct jobs *j, uint64_t client);

#endif
