#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "keeper/machine.h"

#define HANG_MS 30000 /* only so that a hang becomes a failure */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct verbs_event events[4096];
	unsigned count;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void on_event(void *context, const struct verbs_event *event)
{
	(void)context;
	pthread_mutex_lock(&seen.lock);
	seen.events[seen.count++] = *event;
	pthread_cond_broadcast(&seen.changed);
	pthread_mutex_unlock(&seen.lock);
}

static struct machine *board(const char *options)
{
	struct machine *m = NULL;
	struct error e = {0};

	seen.count = 0;
	assert_int_equal(machine_open(options, on_event, NULL, &m, &e), 0);
	return m;
}

/* Waits for an event with that state about the domain. */
static struct verbs_event event_wait(const struct verbs_domain *d, enum verbs_state state_wanted)
{
	struct verbs_event found = {0};

	pthread_mutex_lock(&seen.lock);
	for (unsigned i = 0; found.header.verb == 0;) {
		while (i == seen.count)
			pthread_cond_wait(&seen.changed, &seen.lock);
		if (memcmp(&seen.events[i].domain, d, sizeof(*d)) == 0 &&
		    seen.events[i].state == state_wanted)
			found = seen.events[i];
		i++;
	}
	pthread_mutex_unlock(&seen.lock);
	return found;
}

static struct verbs_create_request request(const char *name, uint64_t memory_mib,
					   const char *cmdline)
{
	struct verbs_create_request r;

	verbs_start(&r, sizeof(r), VERB_DOMAIN_CREATE, 1);
	snprintf(r.domain.name, sizeof(r.domain.name), "%s", name);
	snprintf((char *)r.domain.uuid, sizeof(r.domain.uuid), "%.15s", name);
	r.memory_mib = memory_mib;
	r.vcpus = 1;
	snprintf(r.cmdline, sizeof(r.cmdline), "%s", cmdline);
	return r;
}

static int create(struct machine *m, const struct verbs_create_request *r, struct error *e)
{
	static const struct machine_files none = {.kernel = -1, .initrd = -1};
	uint32_t domid;

	return machine_create(m, r, &none, &domid, e);
}

static uint64_t free_mib(struct machine *m)
{
	struct verbs_board_response r;
	struct error e;

	verbs_start(&r, sizeof(r), VERB_BOARD_INFO, 1);
	assert_int_equal(machine_board(m, &r, &e), 0);
	assert_int_equal(verbs_check_answer(&r, sizeof(r), &e), 0);
	assert_true(r.simulated);
	return r.free_mib;
}

/* What was read of the console and not expected yet. */
static char unread[1 << 20];
static size_t unread_length;

static int console_open(struct machine *m, const struct verbs_domain *d)
{
	struct error e = {0};
	int fd = machine_console(m, d, &e);

	assert_true(fd >= 0);
	unread_length = 0;
	return fd;
}

/* Reads the console up to and including text. */
static void console_expect(int fd, const char *text)
{
	char *found;

	while (!(found = memmem(unread, unread_length, text, strlen(text)))) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		assert_int_equal(poll(&p, 1, HANG_MS), 1);
		got = read(fd, unread + unread_length, sizeof(unread) - unread_length);
		assert_true(got > 0);
		unread_length += (size_t)got;
	}
	found += strlen(text);
	unread_length -= (size_t)(found - unread);
	memmove(unread, found, unread_length);
}

static void console_type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void guest_boots_answers_and_powers_off(void **state)
{
	struct machine *m = board("boot_ms=10,stop_ms=1,create_ms=0");
	struct verbs_create_request r = request("demo", 128, "");
	struct error e = {0};
	int console;

	(void)state;
	assert_int_equal(create(m, &r, &e), 0);
	event_wait(&r.domain, VERBS_RUNNING);
	console = console_open(m, &r.domain);
	console_expect(console, "GUEST-READY");
	console_expect(console, "~ # ");
	console_type(console, "echo hx\x7f"
			      "i there\r");
	console_expect(console, "\r\nhi there\r\n");
	console_type(console, "poweroff\r");
	console_expect(console, "Power down");
	assert_int_equal(event_wait(&r.domain, VERBS_SHUTDOWN).reason, VERBS_REASON_POWEROFF);
	assert_int_equal(machine_pause(m, &r.domain, &e), -1);
	assert_int_equal(e.code, ERROR_DOMAIN_NOT_RUNNING);
	assert_int_equal(machine_kill(m, &r.domain, &e), 0);
	assert_int_equal(event_wait(&r.domain, VERBS_GONE).reason, VERBS_REASON_KILLED);
	close(console);
	machine_close(m);
}

static void guest_ends_as_it_is_told(void **state)
{
	struct machine *m = board("boot_ms=1,stop_ms=1,create_ms=0");
	struct verbs_create_request r = request("demo", 128, "");
	struct verbs_create_request crash = request("crash", 128, "quiet sim.crash_ms=1");
	struct verbs_create_request deaf = request("deaf", 128, "sim.deaf");
	struct error e = {0};

	(void)state;
	assert_int_equal(create(m, &r, &e), 0);
	assert_int_equal(machine_reboot(m, &r.domain, &e), 0);
	assert_int_equal(event_wait(&r.domain, VERBS_SHUTDOWN).reason, VERBS_REASON_REBOOT);
	assert_int_equal(create(m, &crash, &e), 0);
	assert_int_equal(event_wait(&crash.domain, VERBS_CRASHED).reason, VERBS_REASON_CRASH);
	assert_int_equal(create(m, &deaf, &e), 0);
	assert_int_equal(machine_shutdown(m, &deaf.domain, &e), 0);
	assert_int_equal(machine_pause(m, &deaf.domain, &e), 0); /* so it still runs */
	machine_close(m);
}

static void paused_guest_stands_still_until_it_is_resumed(void **state)
{
	struct machine *m = board("boot_ms=1,stop_ms=1,create_ms=0");
	struct verbs_create_request r = request("demo", 128, "");
	struct error e = {0};
	int console;

	(void)state;
	r.paused = 1;
	assert_int_equal(create(m, &r, &e), 0);
	event_wait(&r.domain, VERBS_PAUSED);
	assert_int_equal(machine_shutdown(m, &r.domain, &e), -1);
	assert_int_equal(e.code, ERROR_DOMAIN_PAUSED);
	assert_int_equal(machine_pause(m, &r.domain, &e), 0);
	console = console_open(m, &r.domain);
	assert_int_equal(machine_resume(m, &r.domain, &e), 0);
	console_expect(console, "GUEST-READY");
	close(console);
	machine_close(m);
}

static void memory_is_accounted_for(void **state)
{
	struct machine *m = board("memory_mib=2048,dom0_mib=1024,create_ms=0");
	struct verbs_create_request big = request("big", 1025, ""),
				    half = request("half", 1024, "");
	struct error e = {0};

	(void)state;
	assert_int_equal(free_mib(m), 1024);
	assert_int_equal(create(m, &big, &e), -1);
	assert_int_equal(e.code, ERROR_MEMORY);
	assert_int_equal(create(m, &half, &e), 0);
	assert_int_equal(free_mib(m), 0);
	assert_int_equal(machine_kill(m, &half.domain, &e), 0);
	assert_int_equal(free_mib(m), 1024);
	machine_close(m);
}

static void failed_create_leaves_nothing(void **state)
{
	struct machine *m = board("create_ms=0");
	struct verbs_create_request r = request("demo", 128, "sim.fail");
	uint64_t before = free_mib(m);
	struct error e = {0};

	(void)state;
	assert_int_equal(create(m, &r, &e), -1);
	assert_int_equal(e.code, ERROR_HYPERVISOR);
	assert_int_equal(free_mib(m), before);
	assert_int_equal(machine_kill(m, &r.domain, &e), -1);
	r = request("demo", 128, "");
	assert_int_equal(create(m, &r, &e), 0);
	machine_close(m);
}

static void only_domains_of_ours_can_be_touched(void **state)
{
	struct machine *m = board("foreign=alien");
	struct verbs_domain alien = {.name = "alien"}, late = {.name = "demo", .uuid = {9}};
	struct verbs_create_request r = request("demo", 128, "");
	struct error e = {0};

	(void)state;
	memset(alien.uuid, 0xf0, sizeof(alien.uuid));
	assert_int_equal(machine_kill(m, &alien, &e), -1);
	assert_int_equal(e.code, ERROR_DOMAIN_NOT_RUNNING);
	assert_int_equal(create(m, &r, &e), 0);
	assert_int_equal(machine_kill(m, &late, &e), -1); /* same name, other uuid */
	assert_int_equal(create(m, &r, &e), -1);
	assert_int_equal(e.code, ERROR_DOMAIN_EXISTS);
	machine_close(m);
}

static void hundreds_of_domains_boot_and_are_listed(void **state)
{
	struct machine *m = board("memory_mib=1000000,boot_ms=5,create_ms=0,stop_ms=1");
	struct verbs_create_request r[300];
	struct verbs_list_response list;
	struct error e = {0};
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "guest-%u", i);
		r[i] = request(name, 64, "");
		assert_int_equal(create(m, &r[i], &e), 0);
	}
	verbs_start(&list, sizeof(list), VERB_DOMAIN_LIST, 1);
	do {
		uint32_t first = list.next;

		verbs_start(&list, sizeof(list), VERB_DOMAIN_LIST, 1);
		assert_int_equal(machine_list(m, first, &list, &e), 0);
		assert_int_equal(verbs_check_answer(&list, sizeof(list), &e), 0);
		for (uint32_t i = 0; i < list.count; i++)
			found += list.entries[i].ours;
	} while (list.next);
	assert_int_equal(found, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(machine_shutdown(m, &r[i].domain, &e), 0);
	for (unsigned i = 0; i < 300; i++)
		event_wait(&r[i].domain, VERBS_SHUTDOWN);
	machine_close(m);
}

static void flood_on_the_console_comes_through_whole(void **state)
{
	struct machine *m = board("boot_ms=1,create_ms=0");
	struct verbs_create_request r = request("demo", 128, "");
	struct error e = {0};
	int console;

	(void)state;
	assert_int_equal(create(m, &r, &e), 0);
	console = console_open(m, &r.domain);
	console_expect(console, "~ # ");
	console_type(console, "flood 256\r");
	console_expect(console, "\r\n~ # ");
	close(console);
	machine_close(m);
}

/* Its answers are more than terminal and guest hold: it stops reading until they are taken. */
static void slow_reader_of_the_console_loses_nothing(void **state)
{
	enum { LINES = 8000 };
	static char asked[LINES * 8];
	struct machine *m = board("boot_ms=1,create_ms=0");
	struct verbs_create_request r = request("demo", 128, "");
	struct error e = {0};
	size_t length = 0, taken = 0;
	int console;

	(void)state;
	assert_int_equal(create(m, &r, &e), 0);
	console = console_open(m, &r.domain);
	console_expect(console, "~ # ");
	for (unsigned i = 0; i < LINES; i++)
		length += (size_t)sprintf(asked + length, "%u\r", i);
	assert_int_equal(fcntl(console, F_SETFL, O_NONBLOCK), 0);
	for (unsigned refused = 0; taken < length && refused < 200; refused++) {
		ssize_t put = write(console, asked + taken, length - taken);

		if (put > 0)
			taken += (size_t)put, refused = 0;
		usleep(1000);
	}
	asked[taken] = '\0';
	for (char *line = asked, *end; (end = strchr(line, '\r')); line = end + 1) {
		char answer[64];

		snprintf(answer, sizeof(answer), "sh: %.*s: not found\r\n~ # ", (int)(end - line),
			 line);
		console_expect(console, answer);
	}
	close(console);
	machine_close(m);
}

static void bad_options_are_refused(void **state)
{
	struct machine *m;
	struct error e = {0};

	(void)state;
	assert_int_equal(machine_open("memory_mib=x", on_event, NULL, &m, &e), -1);
	assert_int_equal(machine_open("nonsense", on_event, NULL, &m, &e), -1);
	assert_int_equal(machine_open("cpus=0", on_event, NULL, &m, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_boots_answers_and_powers_off),
		cmocka_unit_test(guest_ends_as_it_is_told),
		cmocka_unit_test(paused_guest_stands_still_until_it_is_resumed),
		cmocka_unit_test(memory_is_accounted_for),
		cmocka_unit_test(failed_create_leaves_nothing),
		cmocka_unit_test(only_domains_of_ours_can_be_touched),
		cmocka_unit_test(hundreds_of_domains_boot_and_are_listed),
		cmocka_unit_test(flood_on_the_console_comes_through_whole),
		cmocka_unit_test(slow_reader_of_the_console_loses_nothing),
		cmocka_unit_test(bad_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
