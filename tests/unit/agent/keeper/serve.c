#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"
#include "keeper/execute.h"
#include "keeper/serve.h"

/* A whole keeper on the simulated board, in this process. */
static char folder[] = "/tmp/serve-XXXXXX";
static char path[64];
static struct execute work;
static struct serve *served;
static struct jobs *jobs;
static pthread_t loop;
static int stop;

static void *loop_run(void *argument)
{
	struct error e;

	(void)argument;
	return serve_run(served, jobs, stop, &e) == 0 ? NULL : served;
}

static int setup(void **state)
{
	static const char header[64] = {[56] = 'A', 'R', 'M', '\x64'};
	struct error e;
	int fd;

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("images", 0700) < 0 ||
	    mkdir("volumes", 0700) < 0)
		return -1;
	fd = open("images/kernel", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, header, sizeof(header)) != sizeof(header))
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "%s/s", folder);
	stop = eventfd(0, EFD_CLOEXEC);
	served = serve_new(ipc_listen(path, 0600, (gid_t)-1, &e), getuid(), &e);
	if (files_open(&work.files, folder, getuid(), &e) < 0 ||
	    machine_open("create_ms=0,boot_ms=5,stop_ms=1", serve_event, served, &work.machine,
			 &e) < 0 ||
	    execute_rails(&work, NULL, serve_device_event, served, &e) < 0)
		return -1;
	jobs = jobs_start(execute, &work, serve_deliver, served, &e);
	return pthread_create(&loop, NULL, loop_run, NULL);
}

static int teardown(void **state)
{
	char command[64];
	uint64_t one = 1;
	void *failed;

	(void)state;
	if (write(stop, &one, sizeof(one)) != sizeof(one))
		return -1;
	pthread_join(loop, &failed);
	jobs_stop(jobs);
	rails_close(work.rails);
	machine_close(work.machine);
	serve_flush(served);
	serve_free(served);
	files_close(&work.files);
	close(stop);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return failed != NULL || chdir("/") < 0 || system(command) != 0;
}

static void send_message(int sock, const union verbs_message *m)
{
	struct error e;

	assert_int_equal(ipc_send(sock, m, m->header.length, -1, &e), 1);
}

static union verbs_message receive(int sock, int *fd)
{
	union verbs_message m;
	struct error e = {0};
	int received = -1;
	ssize_t length = ipc_receive(sock, &m, sizeof(m), &received, &e);

	assert_true(length > 0);
	assert_int_equal(verbs_check_answer(&m, (size_t)length, &e), 0);
	if (fd)
		*fd = received;
	else
		assert_int_equal(received, -1);
	return m;
}

static void hello_send(int sock, const char *version, bool events)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.hello_request), VERB_HELLO, 1);
	snprintf(m.hello_request.version, sizeof(m.hello_request.version), "%s", version);
	m.hello_request.events = events;
	send_message(sock, &m);
}

static int client(bool events)
{
	struct error e;
	int sock = ipc_connect(path, &e);
	union verbs_message m;

	assert_true(sock >= 0);
	hello_send(sock, DOMUS_VERSION, events);
	m = receive(sock, NULL);
	assert_int_equal(m.header.verb, VERB_HELLO);
	assert_int_equal(m.header.status, ERROR_NONE);
	assert_string_equal(m.hello_response.version, DOMUS_VERSION);
	assert_true(m.hello_response.started_ns > 0);
	return sock;
}

static void domain_set(struct verbs_domain *d, const char *name)
{
	snprintf(d->name, sizeof(d->name), "%s", name);
	snprintf((char *)d->uuid, sizeof(d->uuid), "%s", name);
}

static void create_send(int sock, const char *name, uint64_t id, const char *cmdline)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.create_request), VERB_DOMAIN_CREATE, id);
	domain_set(&m.create_request.domain, name);
	m.create_request.memory_mib = 64;
	m.create_request.vcpus = 1;
	m.create_request.weight = 256;
	strcpy(m.create_request.kernel, "kernel");
	strcpy(m.create_request.cmdline, cmdline);
	send_message(sock, &m);
}

static void domain_send(int sock, enum verb verb, const char *name, uint64_t id)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.domain_request), verb, id);
	domain_set(&m.domain_request.domain, name);
	send_message(sock, &m);
}

static void list_send(int sock, uint64_t id)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.list_request), VERB_DOMAIN_LIST, id);
	send_message(sock, &m);
}

static void assert_closed(int sock)
{
	union verbs_message m;
	struct error e;
	int fd;

	assert_int_equal(ipc_receive(sock, &m, sizeof(m), &fd, &e), 0);
	close(sock);
}

static void client_of_another_version_is_refused(void **state)
{
	struct error e;
	union verbs_message m;
	int sock = ipc_connect(path, &e);

	(void)state;
	hello_send(sock, "0.0.0-other", false);
	m = receive(sock, NULL);
	assert_int_equal(m.header.status, ERROR_STATE);
	assert_non_null(strstr(m.failure.detail, "0.0.0-other"));
	list_send(sock, 2);
	assert_int_equal(receive(sock, NULL).header.status, ERROR_REQUEST_MALFORMED);
	close(sock);
}

static void bad_request_is_answered_and_the_rest_goes_on(void **state)
{
	int sock = client(false);
	union verbs_message m;

	(void)state;
	create_send(sock, "../x", 5, "");
	m = receive(sock, NULL);
	assert_int_equal(m.header.id, 5);
	assert_int_equal(m.header.status, ERROR_REQUEST_MALFORMED);
	list_send(sock, 6);
	assert_int_equal(receive(sock, NULL).header.id, 6);
	close(sock);
}

static void what_is_not_our_protocol_is_cut_off(void **state)
{
	static char big[sizeof(union verbs_message) + 1];
	int sock = client(false);
	struct error e;

	(void)state;
	assert_int_equal(ipc_send(sock, "GET / HTTP/1.0\r\n\r\n0123456789", 28, -1, &e), 1);
	assert_closed(sock);
	sock = client(false);
	assert_int_equal(ipc_send(sock, "x", 1, -1, &e), 1);
	assert_closed(sock);
	sock = client(false);
	assert_int_equal(ipc_send(sock, big, sizeof(big), -1, &e), 1);
	assert_closed(sock);
	sock = client(false);
	assert_int_equal(ipc_send(sock, "x", 1, 0, &e), 1); /* with a descriptor */
	assert_closed(sock);
}

static void life_of_a_domain_is_told_to_all_who_listen(void **state)
{
	int actor = client(false), listener = client(true), other = client(true);
	union verbs_message m;

	(void)state;
	create_send(actor, "demo", 1, "");
	m = receive(actor, NULL);
	assert_int_equal(m.header.status, ERROR_NONE);
	assert_true(m.create_response.domid > 0);
	domain_send(actor, VERB_DOMAIN_SHUTDOWN, "demo", 2);
	assert_int_equal(receive(actor, NULL).header.id, 2);
	for (int i = 0; i < 2; i++) {
		int sock = i ? other : listener;

		m = receive(sock, NULL);
		assert_int_equal(m.event.state, VERBS_RUNNING);
		m = receive(sock, NULL);
		assert_int_equal(m.event.state, VERBS_SHUTDOWN);
		assert_int_equal(m.event.reason, VERBS_REASON_POWEROFF);
		assert_string_equal(m.event.domain.name, "demo");
	}
	domain_send(actor, VERB_DOMAIN_KILL, "demo", 3);
	assert_int_equal(receive(actor, NULL).header.status, ERROR_NONE);
	assert_int_equal(receive(other, NULL).event.state, VERBS_GONE);
	domain_send(actor, VERB_DOMAIN_KILL, "demo", 4);
	assert_int_equal(receive(actor, NULL).header.status, ERROR_DOMAIN_NOT_RUNNING);
	close(actor);
	close(listener);
	close(other);
}

static void console_comes_as_a_terminal(void **state)
{
	int sock = client(false), fd;

	(void)state;
	create_send(sock, "term", 1, "");
	receive(sock, NULL);
	domain_send(sock, VERB_CONSOLE_OPEN, "term", 2);
	assert_int_equal(receive(sock, &fd).header.status, ERROR_NONE);
	assert_true(isatty(fd));
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	domain_send(sock, VERB_DOMAIN_KILL, "term", 3);
	receive(sock, NULL);
	close(sock);
}

static void slow_create_delays_nobody(void **state)
{
	int sock = client(false);

	(void)state;
	create_send(sock, "slow", 1, "sim.create_ms=500");
	list_send(sock, 2);
	create_send(sock, "fast", 3, "");
	assert_int_equal(receive(sock, NULL).header.id, 2);
	assert_int_equal(receive(sock, NULL).header.id, 3);
	assert_int_equal(receive(sock, NULL).header.id, 1);
	domain_send(sock, VERB_DOMAIN_KILL, "slow", 4);
	receive(sock, NULL);
	domain_send(sock, VERB_DOMAIN_KILL, "fast", 5);
	receive(sock, NULL);
	close(sock);
}

static void client_that_dies_leaves_a_whole_domain_or_none(void **state)
{
	int sock = client(false), listener = client(true);

	(void)state;
	create_send(sock, "orphan", 1, "sim.create_ms=100");
	create_send(sock, "orphan", 2, "");
	list_send(sock, 3);
	assert_int_equal(receive(sock, NULL).header.id, 3); /* so 1 was taken by a worker */
	close(sock);
	assert_int_equal(receive(listener, NULL).event.state, VERBS_RUNNING);
	domain_send(listener, VERB_DOMAIN_KILL, "orphan", 1);
	assert_int_equal(receive(listener, NULL).event.state, VERBS_GONE);
	assert_int_equal(receive(listener, NULL).header.status, ERROR_NONE);
	close(listener);
}

static void client_that_does_not_read_is_dropped(void **state)
{
	int greedy = client(false), other = client(false);
	union verbs_message m;
	struct error e;
	unsigned sent = 0;

	(void)state;
	verbs_start(&m, sizeof(m.empty), VERB_BOARD_INFO, 1);
	while (ipc_send(greedy, &m, m.header.length, -1, &e) == 1)
		sent++;
	assert_true(sent > VERBS_INFLIGHT_MAX);
	list_send(other, 7);
	assert_int_equal(receive(other, NULL).header.id, 7);
	close(greedy);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_of_another_version_is_refused),
		cmocka_unit_test(bad_request_is_answered_and_the_rest_goes_on),
		cmocka_unit_test(what_is_not_our_protocol_is_cut_off),
		cmocka_unit_test(life_of_a_domain_is_told_to_all_who_listen),
		cmocka_unit_test(console_comes_as_a_terminal),
		cmocka_unit_test(slow_create_delays_nobody),
		cmocka_unit_test(client_that_dies_leaves_a_whole_domain_or_none),
		cmocka_unit_test(client_that_does_not_read_is_dropped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
