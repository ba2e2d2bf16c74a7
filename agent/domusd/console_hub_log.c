#include "domusd/console_hub_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int console_log_open(struct console_log *log, int dir, const char *name, struct error *e)
{
	struct stat st;

	memset(log, 0, sizeof(*log));
	log->dir = dir;
	log->allowance = CONSOLE_LOG_BURST;
	snprintf(log->name, sizeof(log->name), "%s", name);
	log->fd =
		openat(dir, log->name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (log->fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot open the console log %s",
				       name);
	log->size = fstat(log->fd, &st) == 0 ? (size_t)st.st_size : 0;
	return 0;
}

void console_log_close(struct console_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

/* Copies the newer half, from a line's beginning, into a new file and puts that in the old one's place, so a reader
 * that has the old file open reads on undisturbed. */
static int log_halve(struct console_log *log)
{
	char part[sizeof(log->name) + 8], *half, *from;
	ssize_t got = -1;
	int fd;

	half = malloc(CONSOLE_LOG_MAX / 2);
	if (!half)
		return -1;
	snprintf(part, sizeof(part), "%s.part", log->name);
	fd = openat(log->dir, part, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0640);
	if (fd >= 0)
		got = pread(log->fd, half, CONSOLE_LOG_MAX / 2,
			    (off_t)log->size - CONSOLE_LOG_MAX / 2);
	from = got > 0 ? memchr(half, '\n', (size_t)got) : NULL;
	from = from ? from + 1 : half;
	if (got > 0)
		got -= from - half;
	if (got >= 0 && write(fd, from, (size_t)got) == got &&
	    renameat(log->dir, part, log->dir, log->name) == 0) {
		close(log->fd);
		log->fd = fd;
		log->size = (size_t)got;
		free(half);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	unlinkat(log->dir, part, 0);
	free(half);
	return -1;
}

static void log_append(struct console_log *log, const void *data, size_t size)
{
	ssize_t put;

	if (log->size + size > CONSOLE_LOG_MAX && log_halve(log) != 0) {
		log->dropped += size;
		return;
	}
	put = write(log->fd, data, size);
	if (put > 0)
		log->size += (size_t)put;
	if (put < (ssize_t)size)
		log->dropped += size - (put > 0 ? (size_t)put : 0);
}

void console_log_write(struct console_log *log, const void *data, size_t size)
{
	char note[80];
	int length;

	if (log->fd < 0)
		return;
	if (size > log->allowance) {
		log->dropped += size;
		return;
	}
	log->allowance -= size;
	if (log->dropped) {
		length = snprintf(note, sizeof(note),
				  "\r\n[domus: %llu bytes of output were not kept]\r\n",
				  (unsigned long long)log->dropped);
		log->dropped = 0;
		log_append(log, note, (size_t)length);
	}
	log_append(log, data, size);
}

void console_log_tick(struct console_log *log)
{
	log->allowance += CONSOLE_LOG_RATE;
	if (log->allowance > CONSOLE_LOG_BURST)
		log->allowance = CONSOLE_LOG_BURST;
}
