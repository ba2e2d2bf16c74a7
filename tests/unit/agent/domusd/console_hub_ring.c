#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/console_hub_log.h"
#include "domusd/console_hub_ring.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void ring_keeps_the_newest_bytes(void **state)
{
	struct console_ring ring;
	static unsigned char data[CONSOLE_RING_SIZE * 2 + 10], out[16];

	(void)state;
	assert_int_equal(console_ring_init(&ring), 0);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i % 251);
	for (size_t at = 0; at < sizeof(data); at += 1000)
		console_ring_write(&ring, data + at,
				   sizeof(data) - at < 1000 ? sizeof(data) - at : 1000);
	assert_int_equal(ring.end, sizeof(data));
	assert_int_equal(console_ring_read(&ring, 0, out, sizeof(out)), -1);
	assert_int_equal(console_ring_oldest(&ring), sizeof(data) - CONSOLE_RING_SIZE);
	assert_int_equal(console_ring_read(&ring, console_ring_oldest(&ring), out, 16), 16);
	assert_memory_equal(out, data + sizeof(data) - CONSOLE_RING_SIZE, 16);
	assert_int_equal(console_ring_read(&ring, ring.end - 3, out, 16), 3);
	assert_int_equal(console_ring_read(&ring, ring.end, out, 16), 0);
	assert_int_equal(console_ring_read(&ring, ring.end + 1, out, 16), -1);
	console_ring_free(&ring);
}

static void ring_takes_more_than_it_holds(void **state)
{
	struct console_ring ring;
	static unsigned char data[CONSOLE_RING_SIZE + 5], out[4];

	(void)state;
	assert_int_equal(console_ring_init(&ring), 0);
	memcpy(data + 5, "head", 4);
	console_ring_write(&ring, data, sizeof(data));
	assert_int_equal(console_ring_read(&ring, 5, out, 4), 4);
	assert_memory_equal(out, "head", 4);
	console_ring_free(&ring);
}

static void log_never_grows_beyond_its_limit_and_says_what_is_missing(void **state)
{
	char path[] = "/tmp/domus-log-XXXXXX", line[1000], found[CONSOLE_LOG_MAX];
	struct console_log log;
	struct stat st;
	int dir, fd;
	ssize_t got;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(console_log_open(&log, dir, "x.log", NULL), 0);
	memset(line, 'x', sizeof(line));
	line[999] = '\n';
	for (int i = 0; i < 5000; i++) {
		console_log_write(&log, line, sizeof(line));
		if (i % 20 == 0)
			console_log_tick(&log);
		assert_true(log.size <= CONSOLE_LOG_MAX);
	}
	assert_int_equal(fstatat(dir, "x.log", &st, 0), 0);
	assert_int_equal(st.st_size, log.size);
	log.allowance = 0;
	console_log_write(&log, "lost", 4);
	console_log_tick(&log);
	console_log_write(&log, "kept", 4);
	fd = openat(dir, "x.log", O_RDONLY);
	got = pread(fd, found, sizeof(found) - 1, 0);
	assert_true(got > 0);
	found[got] = '\0';
	assert_non_null(strstr(found, "[domus: "));
	assert_string_equal(found + got - 4, "kept");
	close(fd);
	console_log_close(&log);
	unlinkat(dir, "x.log", 0);
	close(dir);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_keeps_the_newest_bytes),
		cmocka_unit_test(ring_takes_more_than_it_holds),
		cmocka_unit_test(log_never_grows_beyond_its_limit_and_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
