#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "keeper/jobs.h"

/* A machine whose every job stands still until the test lets it go, so that the order is the test's and not the clock's. */
struct bench {
	struct jobs *jobs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool go[64];	  /* by request id */
	bool running[64]; /* by request id */
	uint64_t answered[64];
	int32_t status[64];
	unsigned answers;
};

static int bench_run(void *context, const union verbs_message *request, union verbs_message *answer,
		     int *fd, struct error *e)
{
	struct bench *b = context;
	uint64_t id = request->header.id;

	(void)answer, (void)fd, (void)e;
	pthread_mutex_lock(&b->lock);
	b->running[id] = true;
	pthread_cond_broadcast(&b->changed);
	while (!b->go[id])
		pthread_cond_wait(&b->changed, &b->lock);
	b->running[id] = false;
	pthread_mutex_unlock(&b->lock);
	return 0;
}

static void bench_deliver(void *context, struct packet *p)
{
	struct bench *b = context;

	pthread_mutex_lock(&b->lock);
	b->answered[b->answers] = p->message.header.id;
	b->status[b->answers++] = p->message.header.status;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	packet_free(p);
}

static void bench_start(struct bench *b)
{
	struct error e;

	memset(b, 0, sizeof(*b));
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	b->jobs = jobs_start(bench_run, b, bench_deliver, b, &e);
	assert_non_null(b->jobs);
}

static void submit(struct bench *b, enum verb verb, const char *name, uint64_t id)
{
	union verbs_message m;
	size_t size =
		verb == VERB_DOMAIN_CREATE ? sizeof(m.create_request) : sizeof(m.domain_request);
	struct error e;

	verbs_start(&m, size, verb, id);
	strcpy(m.domain_request.domain.name, name);
	m.domain_request.domain.uuid[0] = (uint8_t)name[0];
	assert_int_equal(jobs_submit(b->jobs, 1 + id % 2, &m, &e), 0);
}

static void let_go(struct bench *b, uint64_t id)
{
	pthread_mutex_lock(&b->lock);
	b->go[id] = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void wait_running(struct bench *b, uint64_t id)
{
	pthread_mutex_lock(&b->lock);
	while (!b->running[id])
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void wait_answers(struct bench *b, unsigned count)
{
	pthread_mutex_lock(&b->lock);
	while (b->answers < count)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static bool is_running(struct bench *b, uint64_t id)
{
	bool running;

	pthread_mutex_lock(&b->lock);
	running = b->running[id];
	pthread_mutex_unlock(&b->lock);
	return running;
}

static void jobs_of_one_domain_run_one_at_a_time_in_order(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	submit(&b, VERB_DOMAIN_PAUSE, "demo", 1);
	submit(&b, VERB_DOMAIN_RESUME, "demo", 2);
	submit(&b, VERB_DOMAIN_PAUSE, "demo", 3);
	submit(&b, VERB_DOMAIN_PAUSE, "other", 4);
	wait_running(&b, 1);
	wait_running(&b, 4); /* a free worker passed 2 and 3 by */
	assert_false(is_running(&b, 2));
	assert_false(is_running(&b, 3));
	let_go(&b, 1);
	wait_running(&b, 2);
	assert_false(is_running(&b, 3));
	let_go(&b, 2);
	wait_running(&b, 3);
	let_go(&b, 3);
	let_go(&b, 4);
	wait_answers(&b, 4);
	jobs_stop(b.jobs);
}

static void kill_takes_the_place_of_what_waits(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	submit(&b, VERB_DOMAIN_CREATE, "demo", 1);
	wait_running(&b, 1);
	submit(&b, VERB_DOMAIN_SHUTDOWN, "demo", 2);
	submit(&b, VERB_DOMAIN_KILL, "demo", 3);
	wait_answers(&b, 1);
	assert_int_equal(b.answered[0], 2);
	assert_int_equal(b.status[0], ERROR_CANCELLED);
	assert_false(is_running(&b, 3)); /* but not before the create is over */
	let_go(&b, 1);
	wait_running(&b, 3);
	let_go(&b, 3);
	wait_answers(&b, 3);
	assert_int_equal(b.answered[1], 1);
	assert_int_equal(b.answered[2], 3);
	jobs_stop(b.jobs);
}

static void second_kill_waits_for_the_first(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	submit(&b, VERB_DOMAIN_PAUSE, "demo", 1);
	wait_running(&b, 1);
	submit(&b, VERB_DOMAIN_KILL, "demo", 2);
	submit(&b, VERB_DOMAIN_KILL, "demo", 3);
	let_go(&b, 3);
	let_go(&b, 2);
	let_go(&b, 1);
	wait_answers(&b, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(b.answered[i], i + 1);
		assert_int_equal(b.status[i], ERROR_NONE);
	}
	jobs_stop(b.jobs);
}

static void creates_leave_workers_for_the_rest(void **state)
{
	struct bench b;
	char name[8] = "a";

	(void)state;
	bench_start(&b);
	for (uint64_t id = 1; id <= JOBS_CREATES + 2; id++, name[0]++)
		submit(&b, VERB_DOMAIN_CREATE, name, id);
	for (uint64_t id = 1; id <= JOBS_CREATES; id++)
		wait_running(&b, id);
	submit(&b, VERB_DOMAIN_LIST, "list", 20);
	wait_running(&b, 20);
	assert_false(is_running(&b, JOBS_CREATES + 1));
	for (uint64_t id = 1; id <= 20; id++)
		let_go(&b, id);
	wait_answers(&b, JOBS_CREATES + 3);
	jobs_stop(b.jobs);
}

static void jobs_of_a_client_that_is_gone_are_forgotten(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	submit(&b, VERB_DOMAIN_PAUSE, "demo", 2); /* client 1 */
	wait_running(&b, 2);
	submit(&b, VERB_DOMAIN_RESUME, "demo", 4); /* client 1 */
	submit(&b, VERB_DOMAIN_RESUME, "demo", 5); /* client 2 */
	jobs_forget(b.jobs, 1);
	let_go(&b, 2);
	wait_running(&b, 5);
	let_go(&b, 5);
	wait_answers(&b, 2);
	assert_int_equal(b.answered[0], 2);
	assert_int_equal(b.answered[1], 5);
	jobs_stop(b.jobs);
}

static void stopping_ends_what_runs_and_gives_up_the_rest(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	submit(&b, VERB_DOMAIN_PAUSE, "demo", 1);
	wait_running(&b, 1);
	submit(&b, VERB_DOMAIN_RESUME, "demo", 2);
	let_go(&b, 1);
	let_go(&b, 2);
	jobs_stop(b.jobs);
	assert_int_equal(b.answers, 2); /* 2 was done or interrupted, never lost */
}

static void flood_is_refused_and_told_when_to_come_back(void **state)
{
	union verbs_message m;
	struct error e = {0};
	struct bench b;
	unsigned accepted = 0;

	(void)state;
	bench_start(&b);
	verbs_start(&m, sizeof(m.domain_request), VERB_DOMAIN_PAUSE, 1);
	strcpy(m.domain_request.domain.name, "demo");
	while (jobs_submit(b.jobs, 1, &m, &e) == 0)
		accepted++;
	assert_int_equal(accepted, JOBS_MAX);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_true(e.retry_after > 0);
	jobs_forget(b.jobs, 1);
	let_go(&b, 1);
	jobs_stop(b.jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_of_one_domain_run_one_at_a_time_in_order),
		cmocka_unit_test(kill_takes_the_place_of_what_waits),
		cmocka_unit_test(second_kill_waits_for_the_first),
		cmocka_unit_test(creates_leave_workers_for_the_rest),
		cmocka_unit_test(jobs_of_a_client_that_is_gone_are_forgotten),
		cmocka_unit_test(stopping_ends_what_runs_and_gives_up_the_rest),
		cmocka_unit_test(flood_is_refused_and_told_when_to_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
