/*
 * Consoles: xenconsoled makes a pseudo-terminal for each domain and writes its path to xenstore, soon after the domain is
 * made and again when xenconsoled itself is restarted. We wait for it with a watch, never by asking again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "keeper/machine_libxl.h"

#define WAIT_S 10

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The terminal that xenstore names now, or -1: it is not there (yet), or its xenconsoled is gone. */
static int tty_open(struct xs_handle *xs, const char *path)
{
	unsigned length;
	char *tty = xs_read(xs, XBT_NULL, path, &length);
	struct termios t;
	int fd = -1;

	if (tty && strncmp(tty, "/dev/pts/", 9) == 0)
		fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(tty);
	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		if (tcsetattr(fd, TCSANOW, &t) == 0)
			return fd;
	}
	close(fd);
	return -1;
}

/* Waits for the next change of what xs watches. False at the deadline. */
static bool change_wait(struct xs_handle *xs, int64_t deadline)
{
	struct pollfd p = {.fd = xs_fileno(xs), .events = POLLIN};
	int64_t left = deadline - now_ms();
	unsigned count;
	char **event;

	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return false;
	event = xs_read_watch(xs, &count);
	free(event);
	return event != NULL;
}

/* Until there is a terminal, the domain is gone, or time is up. */
static int console_wait(struct machine *m, struct context *c, const struct verbs_domain *d,
			uint32_t domid, struct error *e)
{
	int64_t deadline = now_ms() + (int64_t)WAIT_S * 1000;
	struct xs_handle *xs = store_open();
	char path[64];
	int fd;

	if (!xs)
		return error_set_errno(e, ERROR_HYPERVISOR, errno, "Xenstore does not answer.");
	snprintf(path, sizeof(path), "/local/domain/%u/console/tty", domid);
	xs_watch(xs, path, "tty");
	xs_watch(xs, "@releaseDomain", "end");
	for (;;) {
		fd = tty_open(xs, path);
		/* after opening: a terminal of a later domain with this domid is not handed out */
		if (own_find(m, c, d, e) != domid) {
			if (fd >= 0)
				close(fd);
			fd = -1;
			break;
		}
		if (fd >= 0)
			break;
		if (!change_wait(xs, deadline)) {
			error_set(e, ERROR_UNAVAILABLE, "The console of %s is not there yet.",
				  d->name);
			break;
		}
	}
	store_close(xs);
	return fd;
}

int machine_console(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	struct context *c = context_take(m, e);
	int64_t domid;
	int fd = -1;

	if (!c)
		return -1;
	domid = own_find(m, c, d, e);
	if (domid >= 0)
		fd = console_wait(m, c, d, (uint32_t)domid, e);
	context_give(m, c);
	return fd;
}
