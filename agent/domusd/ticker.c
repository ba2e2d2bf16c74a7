#include "domusd/ticker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "domusd/clock.h"

#define JOBS_MAX 32

struct job {
	void (*run)(void *context);
	void *context;
	int64_t period_ms, due_ms;
};

struct ticker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct job jobs[JOBS_MAX];
	int count;
	bool stop;
};

static void sleep_until(struct ticker *t, int64_t due_ms)
{
	struct timespec until;
	int64_t ms = due_ms - clock_monotonic_ms();

	if (ms <= 0)
		return;
	/* The condition's clock is CLOCK_MONOTONIC, ours also counts suspension: so give the difference. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&t->changed, &t->mutex, &until);
}

static void *run(void *argument)
{
	struct ticker *t = argument;

	pthread_mutex_lock(&t->mutex);
	while (!t->stop) {
		struct job *next = NULL;

		for (int i = 0; i < t->count; i++)
			if (!next || t->jobs[i].due_ms < next->due_ms)
				next = &t->jobs[i];
		if (!next) {
			pthread_cond_wait(&t->changed, &t->mutex);
		} else if (next->due_ms > clock_monotonic_ms()) {
			sleep_until(t, next->due_ms);
		} else {
			next->due_ms = clock_monotonic_ms() + next->period_ms;
			pthread_mutex_unlock(&t->mutex);
			next->run(next->context); /* jobs are only ever added, so next stays */
			pthread_mutex_lock(&t->mutex);
		}
	}
	pthread_mutex_unlock(&t->mutex);
	return NULL;
}

int ticker_start(struct ticker **out, struct error *e)
{
	struct ticker *t = calloc(1, sizeof(*t));
	pthread_condattr_t attributes;

	if (!t)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	pthread_mutex_init(&t->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&t->thread, NULL, run, t)) {
		free(t);
		return error_set(e, ERROR_INTERNAL, "Cannot start a thread.");
	}
	*out = t;
	return 0;
}

void ticker_add(struct ticker *t, unsigned period_s, void (*job)(void *context), void *context)
{
	pthread_mutex_lock(&t->mutex);
	if (t->count == JOBS_MAX)
		abort();
	t->jobs[t->count++] = (struct job){job, context, (int64_t)period_s * 1000,
					   clock_monotonic_ms() + (int64_t)period_s * 1000};
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->mutex);
}

void ticker_stop(struct ticker *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->mutex);
	t->stop = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->mutex);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}
