/*
 * The guests of the simulated board. A guest is a small state machine: lines of a boot log at
 * intervals, then a shell on its console that knows a handful of commands, then the end. No guest
 * ever blocks: what its terminal does not take waits in out, and while that has no room for the answers
 * it does not read, as a shell whose write() blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "keeper/machine_sim.h"

static const char *const boot_log[] = {
	"[    0.000000] Booting on a simulated CPU (Domus simulator)",
	"[    0.000000] Machine model: DOMUSVM-SIM",
	"[    0.012000] xen:grant_table: no grant table, this guest is simulated",
	"[    0.093000] printk: console [hvc0] enabled",
	"[    0.210000] Run /init as init process",
	"initramfs up (simulated)",
	"GUEST-READY",
};
#define BOOT_LINES (sizeof(boot_log) / sizeof(boot_log[0]))
static const char prompt[] = "~ # ";
#define INPUT_MAX 512
/* No key makes more output: "a\r" is answered with 25 bytes: its echo, and that there is no such command. */
#define ANSWER_MAX 16

/* It reads its terminal when it has a shell; until then keys wait there, as they do for a real kernel. So they do while
 * it cannot print. */
static bool guest_reads(const struct guest *g)
{
	return !g->building && !g->paused && g->phase == SIM_SHELL &&
	       sizeof(g->out) - g->out_length >= INPUT_MAX * ANSWER_MAX;
}

/* What its terminal is watched for: nothing while it is paused or over. */
static void guest_watch(struct machine *m, struct guest *g, int operation)
{
	bool lives = !g->building && !g->paused && g->phase != SIM_ENDED;
	uint32_t events = guest_reads(g) ? EPOLLIN : 0;
	struct epoll_event ev = {.data.u64 = g->domid};

	if (g->out_length || (lives && g->flood))
		events |= EPOLLOUT;
	ev.events = events;
	epoll_ctl(m->epoll, operation, g->master, &ev);
}

static void guest_print(struct guest *g, const char *text, size_t length)
{
	if (length > sizeof(g->out) - g->out_length)
		return;
	memcpy(g->out + g->out_length, text, length);
	g->out_length += (unsigned)length;
}

static void guest_say(struct guest *g, const char *text)
{
	guest_print(g, text, strlen(text));
}

/* Moves what is printed to the terminal, as far as it takes it. */
static void guest_flush(struct machine *m, struct guest *g)
{
	static const char line[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n";

	for (;;) {
		ssize_t written;

		while (g->flood && !g->paused && g->out_length + sizeof(line) < sizeof(g->out)) {
			guest_say(g, line);
			g->flood -=
				g->flood < sizeof(line) - 1 ? g->flood : (unsigned)sizeof(line) - 1;
			if (g->flood == 0)
				guest_say(g, prompt);
		}
		if (g->out_length == 0)
			break;
		written = write(g->master, g->out, g->out_length);
		if (written <= 0)
			break;
		g->out_length -= (unsigned)written;
		memmove(g->out, g->out + written, g->out_length);
	}
	guest_watch(m, g, EPOLL_CTL_MOD);
}

int guest_console(struct machine *m, struct guest *g, struct error *e)
{
	struct termios t;

	g->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (g->master < 0 || grantpt(g->master) < 0 || unlockpt(g->master) < 0 ||
	    ptsname_r(g->master, g->tty, sizeof(g->tty)) != 0)
		return error_set_errno(e, ERROR_HYPERVISOR, errno, "Cannot make a console.");
	g->slave = open(g->tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (g->slave < 0 || tcgetattr(g->slave, &t) < 0)
		return error_set_errno(e, ERROR_HYPERVISOR, errno, "Cannot make a console.");
	cfmakeraw(&t);
	tcsetattr(g->slave, TCSANOW, &t);
	guest_watch(m, g, EPOLL_CTL_ADD);
	return 0;
}

void guest_start(struct machine *m, struct guest *g)
{
	g->started_ms = sim_now_ms();
	g->phase = SIM_BOOT;
	g->due_ms = g->started_ms + 1;
	g->crash_ms = g->options.crash_ms ? g->started_ms + g->options.crash_ms : 0;
	guest_watch(m, g, EPOLL_CTL_MOD);
}

void guest_free(struct machine *m, struct guest *g)
{
	(void)m;
	for (unsigned i = 0; i < g->disk_count; i++) {
		if (g->disks[i] >= 0)
			close(g->disks[i]);
	}
	if (g->slave >= 0)
		close(g->slave);
	if (g->master >= 0)
		close(g->master); /* which takes it out of epoll */
	free(g);
}

void guest_pause(struct machine *m, struct guest *g, bool paused)
{
	int64_t now = sim_now_ms();

	/* a guest's clock stands still while it is paused */
	if (paused) {
		g->paused_ms = now;
	} else {
		if (g->due_ms)
			g->due_ms += now - g->paused_ms;
		if (g->crash_ms)
			g->crash_ms += now - g->paused_ms;
	}
	g->paused = paused;
	guest_flush(m, g);
}

static void guest_end(struct machine *m, struct guest *g, enum verbs_reason reason)
{
	g->phase = SIM_ENDED;
	g->reason = reason;
	g->due_ms = g->crash_ms = 0;
	g->flood = 0;
	if (reason == VERBS_REASON_CRASH)
		guest_say(g, "\r\nKernel panic - not syncing: simulated crash\r\n");
	guest_flush(m, g);
	sim_report(m, g, false);
}

void guest_stop(struct machine *m, struct guest *g, enum verbs_reason reason)
{
	if (g->phase >= SIM_STOPPING)
		return;
	g->phase = SIM_STOPPING;
	g->reason = reason;
	g->due_ms = sim_now_ms() + 1 + g->options.stop_ms;
	guest_say(g, reason == VERBS_REASON_REBOOT ? "\r\nreboot: Restarting system\r\n"
						   : "\r\nreboot: Power down\r\n");
	guest_flush(m, g);
}

static void command_uptime(struct guest *g)
{
	char text[64];

	snprintf(text, sizeof(text), "up %lld seconds\r\n",
		 (long long)((sim_now_ms() - g->started_ms) / 1000));
	guest_say(g, text);
}

static void guest_command(struct machine *m, struct guest *g, const char *command)
{
	unsigned kib;
	char end;

	if (strcmp(command, "poweroff") == 0) {
		guest_stop(m, g, VERBS_REASON_POWEROFF);
		return;
	}
	if (strcmp(command, "reboot") == 0) {
		guest_stop(m, g, VERBS_REASON_REBOOT);
		return;
	}
	if (strcmp(command, "crash") == 0) {
		guest_end(m, g, VERBS_REASON_CRASH);
		return;
	}
	if (sscanf(command, "flood %7u%c", &kib, &end) == 1 && kib > 0 && kib <= 1u << 20) {
		g->flood = kib * 1024; /* guest_flush() prints the prompt after it */
		return;
	}
	if (strncmp(command, "echo ", 5) == 0) {
		guest_say(g, command + 5);
		guest_say(g, "\r\n");
	} else if (strcmp(command, "uptime") == 0) {
		command_uptime(g);
	} else if (strcmp(command, "help") == 0) {
		guest_say(g, "crash echo flood help poweroff reboot uptime\r\n");
	} else if (*command) {
		guest_say(g, "sh: ");
		guest_say(g, command);
		guest_say(g, ": not found\r\n");
	}
	guest_say(g, prompt);
}

static void guest_type(struct machine *m, struct guest *g, char c)
{
	if (g->phase != SIM_SHELL || g->flood)
		return;
	if (c == '\r' || c == '\n') {
		g->line[g->line_length] = '\0';
		g->line_length = 0;
		guest_say(g, "\r\n");
		guest_command(m, g, g->line);
	} else if (c == 0x7f || c == '\b') {
		if (g->line_length) {
			g->line_length--;
			guest_say(g, "\b \b");
		}
	} else if (c == 0x03) {
		g->line_length = 0;
		guest_say(g, "^C\r\n");
		guest_say(g, prompt);
	} else if ((unsigned char)c >= ' ' && g->line_length < sizeof(g->line) - 1) {
		g->line[g->line_length++] = c;
		guest_print(g, &c, 1);
	}
}

static void guest_read(struct machine *m, struct guest *g)
{
	char input[INPUT_MAX];
	ssize_t length = read(g->master, input, sizeof(input));

	for (ssize_t i = 0; i < length; i++)
		guest_type(m, g, input[i]);
}

/* Its time has come: the next boot line, or the end. */
static void guest_due(struct machine *m, struct guest *g, int64_t now)
{
	if (g->phase == SIM_STOPPING) {
		guest_end(m, g, g->reason);
		return;
	}
	guest_say(g, boot_log[g->boot_line]);
	guest_say(g, "\r\n");
	if (++g->boot_line < BOOT_LINES) {
		g->due_ms = now + g->options.boot_ms / (unsigned)BOOT_LINES;
	} else {
		g->due_ms = 0;
		g->phase = SIM_SHELL;
		guest_say(g, prompt);
	}
	guest_flush(m, g);
}

/* Runs what is due and tells how long to sleep, ms; -1: until something happens. Locked. */
static int guests_advance(struct machine *m)
{
	int64_t now = sim_now_ms(), next = INT64_MAX;

	for (struct guest *g = m->guests; g; g = g->next) {
		if (g->building || g->paused)
			continue;
		if (g->crash_ms && g->crash_ms <= now)
			guest_end(m, g, VERBS_REASON_CRASH);
		if (g->due_ms && g->due_ms <= now)
			guest_due(m, g, now);
		if (g->due_ms && g->due_ms < next)
			next = g->due_ms;
		if (g->crash_ms && g->crash_ms < next)
			next = g->crash_ms;
	}
	if (next == INT64_MAX)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

static void guest_ready(struct machine *m, uint64_t domid, uint32_t events)
{
	for (struct guest *g = m->guests; g; g = g->next) {
		if (g->domid != domid)
			continue;
		if ((events & EPOLLIN) && guest_reads(g))
			guest_read(m, g);
		guest_flush(m, g);
		return;
	}
}

void guests_wake(struct machine *m)
{
	uint64_t one = 1;

	/* fails only when it is set already */
	if (write(m->wake, &one, sizeof(one)) < 0)
		return;
}

void *guests_run(void *machine)
{
	struct machine *m = machine;

	pthread_mutex_lock(&m->lock);
	while (!m->stopping) {
		struct epoll_event ready[64];
		int count, sleep_ms = guests_advance(m);
		uint64_t wakes;

		pthread_mutex_unlock(&m->lock);
		count = epoll_wait(m->epoll, ready, 64, sleep_ms);
		pthread_mutex_lock(&m->lock);
		for (int i = 0; i < count; i++) {
			if (ready[i].data.u64)
				guest_ready(m, ready[i].data.u64, ready[i].events);
			else if (read(m->wake, &wakes, sizeof(wakes)) < 0)
				continue;
		}
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}
