#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"

static void pair_make(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void packets_keep_their_borders(void **state)
{
	struct error e;
	char buffer[16];
	int pair[2], fd;

	(void)state;
	pair_make(pair);
	assert_int_equal(ipc_send(pair[0], "one", 3, -1, &e), 1);
	assert_int_equal(ipc_send(pair[0], "three", 5, -1, &e), 1);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), 3);
	assert_int_equal(fd, -1);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), 5);
	close(pair[0]);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), 0);
	close(pair[1]);
}

static void packet_that_is_too_long_is_refused(void **state)
{
	struct error e;
	char buffer[4];
	int pair[2], fd;

	(void)state;
	pair_make(pair);
	assert_int_equal(ipc_send(pair[0], "12345", 5, pair[0], &e), 1);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), -1);
	assert_int_equal(e.code, ERROR_REQUEST_MALFORMED);
	assert_int_equal(fd, -1);
	close(pair[0]);
	close(pair[1]);
}

static void descriptor_goes_across_and_closes_on_exec(void **state)
{
	struct error e;
	char buffer[4];
	int pair[2], fd, ends[2];

	(void)state;
	pair_make(pair);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(ipc_send(pair[0], "x", 1, ends[1], &e), 1);
	close(ends[1]);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "y", 1), 1);
	assert_int_equal(read(ends[0], buffer, 1), 1);
	close(fd);
	close(ends[0]);
	close(pair[0]);
	close(pair[1]);
}

/* Lowest free descriptor: the same before and after means that nothing was left open. */
static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void second_descriptor_is_refused_and_none_leaks(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 'x', buffer[4];
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2], fd, two[2] = {0, 1}, before;
	struct error e;

	(void)state;
	pair_make(pair);
	before = next_descriptor();
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(two));
	memcpy(CMSG_DATA(c), two, sizeof(two));
	assert_int_equal(sendmsg(pair[0], &m, 0), 1);
	assert_int_equal(ipc_receive(pair[1], buffer, sizeof(buffer), &fd, &e), -1);
	assert_int_equal(e.code, ERROR_REQUEST_MALFORMED);
	assert_int_equal(next_descriptor(), before);
	close(pair[0]);
	close(pair[1]);
}

static void full_socket_says_so_instead_of_blocking(void **state)
{
	static char big[32768];
	struct error e;
	int pair[2], sent = 1;

	(void)state;
	pair_make(pair);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 1000 && sent == 1; i++)
		sent = ipc_send(pair[0], big, sizeof(big), -1, &e);
	assert_int_equal(sent, 0);
	close(pair[1]);
	assert_int_equal(ipc_send(pair[0], big, 1, -1, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	close(pair[0]);
}

static void empty_socket_is_no_error(void **state)
{
	struct error e;
	char buffer[4];
	int pair[2], fd;

	(void)state;
	pair_make(pair);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(ipc_receive(pair[0], buffer, sizeof(buffer), &fd, &e), -1);
	assert_int_equal(e.code, ERROR_NONE);
	close(pair[0]);
	close(pair[1]);
}

static void listener_replaces_a_stale_socket_and_names_its_clients(void **state)
{
	char folder[] = "/tmp/ipc-XXXXXX", path[64];
	struct error e;
	struct ucred peer;
	struct stat s;
	int listener, client, served;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(ipc_connect(path, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	close(ipc_listen(path, 0600, (gid_t)-1, &e)); /* leaves its file behind */
	assert_int_equal(ipc_connect(path, &e), -1);
	listener = ipc_listen(path, 0660, (gid_t)-1, &e);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0660);
	assert_int_equal(ipc_accept(listener, &peer), -1);
	assert_int_equal(errno, EAGAIN);
	client = ipc_connect(path, &e);
	assert_true(client >= 0);
	served = ipc_accept(listener, &peer);
	assert_true(served >= 0);
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.pid, getpid());
	close(served);
	close(client);
	close(listener);
	unlink(path);
	rmdir(folder);
}

static void path_that_is_too_long_is_refused(void **state)
{
	char path[200];
	struct error e;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ipc_listen(path, 0600, (gid_t)-1, &e), -1);
	assert_int_equal(ipc_connect(path, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_keep_their_borders),
		cmocka_unit_test(packet_that_is_too_long_is_refused),
		cmocka_unit_test(descriptor_goes_across_and_closes_on_exec),
		cmocka_unit_test(second_descriptor_is_refused_and_none_leaks),
		cmocka_unit_test(full_socket_says_so_instead_of_blocking),
		cmocka_unit_test(empty_socket_is_no_error),
		cmocka_unit_test(listener_replaces_a_stale_socket_and_names_its_clients),
		cmocka_unit_test(path_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
