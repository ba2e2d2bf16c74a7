#include "keeper/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
	struct job *next;
	uint64_t client;
	const struct verbs_domain *domain; /* into request; NULL: it touches no domain's life */
	union verbs_message request;
};

struct jobs {
	jobs_run_fn *run;
	jobs_deliver_fn *deliver;
	void *deliver_context, *run_context;
	pthread_mutex_t lock; /* of all below; deliver is called without it */
	pthread_cond_t changed;
	struct job *waiting; /* oldest first */
	struct job *running[JOBS_WORKERS];
	unsigned count, creates; /* waiting and running; running creates */
	unsigned workers;	 /* that were started: each takes the next slot of running */
	bool stopping;
	pthread_t threads[JOBS_WORKERS];
};

/* What may not run beside another job of the same domain. Opening a console is not part of a
 * domain's life. */
static const struct verbs_domain *job_domain(const union verbs_message *request)
{
	switch (request->header.verb) {
	case VERB_DOMAIN_CREATE:
		return &request->create_request.domain;
	case VERB_DOMAIN_SHUTDOWN:
	case VERB_DOMAIN_REBOOT:
	case VERB_DOMAIN_KILL:
	case VERB_DOMAIN_PAUSE:
	case VERB_DOMAIN_RESUME:
		return &request->domain_request.domain;
	default:
		return NULL;
	}
}

static bool job_conflicts(const struct job *a, const struct job *b)
{
	return a->domain && b->domain &&
	       (strcmp(a->domain->name, b->domain->name) == 0 ||
		memcmp(a->domain->uuid, b->domain->uuid, sizeof(a->domain->uuid)) == 0);
}

static bool job_ready(const struct jobs *j, const struct job *job)
{
	if (job->request.header.verb == VERB_DOMAIN_CREATE && j->creates >= JOBS_CREATES)
		return false;
	for (unsigned i = 0; i < JOBS_WORKERS; i++) {
		if (j->running[i] && job_conflicts(j->running[i], job))
			return false;
	}
	for (const struct job *older = j->waiting; older != job; older = older->next) {
		if (job_conflicts(older, job))
			return false;
	}
	return true;
}

/* Takes the oldest job that may run off the list; NULL: none. Locked. */
static struct job *job_take(struct jobs *j)
{
	for (struct job **at = &j->waiting; *at; at = &(*at)->next) {
		struct job *job = *at;

		if (job_ready(j, job)) {
			*at = job->next;
			return job;
		}
	}
	return NULL;
}

static void job_fail(struct jobs *j, struct job *job, const struct error *e)
{
	struct packet *p = packet_new(job->client);

	verbs_fail(&p->message.failure, job->request.header.verb, job->request.header.id, e);
	j->deliver(j->deliver_context, p);
	free(job);
}

/* The answer starts as large as its verb's is; run fills it. */
static void job_run(struct jobs *j, const struct job *job)
{
	const struct verbs_header *h = &job->request.header;
	struct packet *p = packet_new(job->client);
	struct error e = {0};

	verbs_start(&p->message, verbs_answer_size(h->verb), h->verb, h->id);
	if (j->run(j->run_context, &job->request, &p->message, &p->fd, &e) < 0)
		verbs_fail(&p->message.failure, h->verb, h->id, &e);
	j->deliver(j->deliver_context, p);
}

static void *worker(void *argument)
{
	struct jobs *j = argument;
	unsigned slot;

	pthread_mutex_lock(&j->lock);
	slot = j->workers++;
	for (;;) {
		struct job *job = job_take(j);

		if (!job) {
			if (j->stopping)
				break;
			pthread_cond_wait(&j->changed, &j->lock);
			continue;
		}
		j->running[slot] = job;
		j->creates += job->request.header.verb == VERB_DOMAIN_CREATE;
		pthread_mutex_unlock(&j->lock);
		job_run(j, job);
		pthread_mutex_lock(&j->lock);
		j->running[slot] = NULL;
		j->creates -= job->request.header.verb == VERB_DOMAIN_CREATE;
		j->count--;
		free(job);
		pthread_cond_broadcast(&j->changed);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

struct jobs *jobs_start(jobs_run_fn *run, void *run_context, jobs_deliver_fn *deliver,
			void *deliver_context, struct error *e)
{
	struct jobs *j = calloc(1, sizeof(*j));

	if (!j) {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	j->run = run;
	j->deliver = deliver;
	j->deliver_context = deliver_context;
	j->run_context = run_context;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->changed, NULL);
	for (unsigned i = 0; i < JOBS_WORKERS; i++) {
		int failed = pthread_create(&j->threads[i], NULL, worker, j);

		if (failed) {
			/* the caller gives up and exits; those already started sleep until then */
			error_set_errno(e, ERROR_INTERNAL, failed, "Cannot start a worker thread.");
			return NULL;
		}
	}
	return j;
}

/* Takes jobs out of the waiting list: those of one client, or what a kill overtakes, or all.
 * Locked. */
static struct job *jobs_withdraw(struct jobs *j, uint64_t client, const struct job *kill)
{
	struct job *out = NULL, **tail = &out;

	for (struct job **at = &j->waiting; *at;) {
		struct job *job = *at;

		if ((client && job->client != client) ||
		    (kill &&
		     (!job_conflicts(job, kill) || job->request.header.verb == VERB_DOMAIN_KILL))) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job->next = NULL;
		*tail = job;
		tail = &job->next;
		j->count--;
	}
	return out;
}

static void jobs_fail(struct jobs *j, struct job *list, enum error_code code, const char *why)
{
	struct error e = {0};

	error_set(&e, code, "%s", why);
	while (list) {
		struct job *next = list->next;

		job_fail(j, list, &e);
		list = next;
	}
}

void jobs_stop(struct jobs *j)
{
	struct job *list;

	pthread_mutex_lock(&j->lock);
	j->stopping = true;
	list = jobs_withdraw(j, 0, NULL);
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	jobs_fail(j, list, ERROR_INTERRUPTED, "The keeper was stopped before it began with this.");
	for (unsigned i = 0; i < JOBS_WORKERS; i++)
		pthread_join(j->threads[i], NULL);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

int jobs_submit(struct jobs *j, uint64_t client, const union verbs_message *request,
		struct error *e)
{
	struct job *job = calloc(1, sizeof(*job)), *overtaken = NULL, **at;
	bool full;

	if (!job)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	job->client = client;
	memcpy(&job->request, request, request->header.length);
	job->domain = job_domain(&job->request);

	pthread_mutex_lock(&j->lock);
	if (request->header.verb == VERB_DOMAIN_KILL)
		overtaken = jobs_withdraw(j, 0, job);
	full = j->stopping || j->count >= JOBS_MAX;
	if (!full) {
		for (at = &j->waiting; *at; at = &(*at)->next)
			;
		*at = job;
		j->count++;
		pthread_cond_broadcast(&j->changed);
	}
	pthread_mutex_unlock(&j->lock);
	jobs_fail(j, overtaken, ERROR_CANCELLED, "The domain was killed before this could begin.");
	if (!full)
		return 0;
	free(job);
	error_set(e, ERROR_UNAVAILABLE, "The keeper has too much to do; try again in a second.");
	if (e)
		e->retry_after = 1;
	return -1;
}

void jobs_forget(struct jobs *j, uint64_t client)
{
	struct job *list;

	pthread_mutex_lock(&j->lock);
	list = jobs_withdraw(j, client, NULL);
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	while (list) {
		struct job *next = list->next;

		free(list);
		list = next;
	}
}
