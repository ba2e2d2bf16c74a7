#include "domusd/blob_worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct blob_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct blob_job *first, **last;
	atomic_bool ending;
};

static void *worker_run(void *argument)
{
	struct blob_worker *worker = argument;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		struct blob_job *job = worker->first;

		if (!job && atomic_load(&worker->ending))
			break;
		if (!job) {
			pthread_cond_wait(&worker->wake, &worker->lock);
			continue;
		}
		worker->first = job->next;
		if (!worker->first)
			worker->last = &worker->first;
		pthread_mutex_unlock(&worker->lock);
		job->run(job); /* may free itself */
		pthread_mutex_lock(&worker->lock);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

int blob_worker_start(const char *name, struct blob_worker **out, struct error *e)
{
	struct blob_worker *worker = calloc(1, sizeof(*worker));

	*out = NULL;
	if (!worker)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	worker->last = &worker->first;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	if (pthread_create(&worker->thread, NULL, worker_run, worker) != 0) {
		free(worker);
		return error_set(e, ERROR_INTERNAL, "Cannot start a worker thread");
	}
	pthread_setname_np(worker->thread, name);
	*out = worker;
	return 0;
}

void blob_worker_stop(struct blob_worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->ending, true);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void blob_worker_post(struct blob_worker *worker, struct blob_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&worker->lock);
	*worker->last = job;
	worker->last = &job->next;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

bool blob_worker_ending(struct blob_worker *worker)
{
	return atomic_load(&worker->ending);
}
