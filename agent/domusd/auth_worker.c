#include "domusd/auth_worker.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

struct auth_worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct auth_job *first, **last;
	int count;
	bool stop;
	void (*run)(void *context, struct auth_job *job);
	void *context;
};

static void job_free(struct auth_job *job)
{
	OPENSSL_cleanse(job, sizeof(*job));
	free(job);
}

static int unavailable(struct error *e)
{
	error_set(e, ERROR_UNAVAILABLE, "Too many people log in at once; try again.");
	if (e)
		e->retry_after = 2;
	return -1;
}

static void *loop(void *argument)
{
	struct auth_worker *w = argument;

	pthread_mutex_lock(&w->mutex);
	while (!w->stop) {
		struct auth_job *job = w->first;

		if (!job) {
			pthread_cond_wait(&w->changed, &w->mutex);
			continue;
		}
		w->first = job->next;
		if (!w->first)
			w->last = &w->first;
		w->count--;
		pthread_mutex_unlock(&w->mutex);
		w->run(w->context, job);
		job_free(job);
		pthread_mutex_lock(&w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

int auth_worker_start(void (*run)(void *context, struct auth_job *job), void *context,
		      struct auth_worker **out, struct error *e)
{
	struct auth_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->last = &w->first;
	w->run = run;
	w->context = context;
	if (pthread_create(&w->thread, NULL, loop, w)) {
		free(w);
		return error_set(e, ERROR_INTERNAL, "Cannot start a thread.");
	}
	*out = w;
	return 0;
}

int auth_worker_add(struct auth_worker *w, struct auth_job *job, struct error *e)
{
	bool full;

	pthread_mutex_lock(&w->mutex);
	full = w->stop || w->count == AUTH_QUEUE_MAX;
	if (!full) {
		job->next = NULL;
		*w->last = job;
		w->last = &job->next;
		w->count++;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->mutex);
	return full ? unavailable(e) : 0;
}

void auth_worker_stop(struct auth_worker *w)
{
	struct error e;

	if (!w)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	unavailable(&e);
	for (struct auth_job *job = w->first, *next; job; job = next) {
		next = job->next;
		job->done(job->context, NULL, &e);
		job_free(job);
	}
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}
