#ifndef DOMUS_DOMUSD_BLOB_WORKER_H
#define DOMUS_DOMUSD_BLOB_WORKER_H

#include <stdbool.h>

#include "common/error.h"

/* A thread that runs jobs one after the other: what must not be done on an HTTP thread (fsync, hashing, copying). */
struct blob_worker;

/* Lives in the structure that the job is about; queued at most once at a time. */
struct blob_job {
	struct blob_job *next;
	void (*run)(struct blob_job *job);
};

/* name: at most 15 characters. */
int blob_worker_start(const char *name, struct blob_worker **out, struct error *e);
/* Runs what is queued, then ends. NULL is fine. */
void blob_worker_stop(struct blob_worker *worker);
/* Any thread; never fails and never blocks. Jobs may post jobs, before blob_worker_stop() as well as during it. */
void blob_worker_post(struct blob_worker *worker, struct blob_job *job);
/* For long jobs: the worker is being stopped, give up at the next good place. */
bool blob_worker_ending(struct blob_worker *worker);

#endif
