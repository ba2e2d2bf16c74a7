/*
 * keeper: the privileged half of the agent, the only process that talks to the hypervisor. See
 * docs/keeper.md. Order of start: files, socket, machine (it undoes what was left half-made), rails
 * (what no domain holds goes off), workers, ready. Order of end: no more requests, running ones finish, answers go out. Domains run
 * on.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"
#include "keeper/execute.h"
#include "keeper/notify.h"
#include "keeper/serve.h"

static const char usage[] =
	"usage: keeper --socket PATH --state DIR --client-user NAME [--rails PATH]\n"
	"              [--machine-options KEY=VALUE,...]\n"
	"  --socket           where domusd connects (mode 0660, group of the client user)\n"
	"  --state            the folder with images/ and volumes/\n"
	"  --client-user      the one user, beside root, who may connect and who owns those files\n"
	"  --rails            the record of who holds which device, a file in memory (none: no "
	"record)\n"
	"  --machine-options  for a simulated board only; see docs/keeper.md\n";

struct arguments {
	const char *socket, *state, *user, *rails, *machine;
};

static void arguments_read(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"state", required_argument, NULL, 'd'},
		{"client-user", required_argument, NULL, 'u'},
		{"rails", required_argument, NULL, 'r'},
		{"machine-options", required_argument, NULL, 'm'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	*a = (struct arguments){.machine = ""};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			a->socket = optarg;
			break;
		case 'd':
			a->state = optarg;
			break;
		case 'u':
			a->user = optarg;
			break;
		case 'r':
			a->rails = optarg;
			break;
		case 'm':
			a->machine = optarg;
			break;
		case 'v':
			puts("keeper " DOMUS_VERSION);
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (a->socket && a->state && a->user && optind == argc)
		return;
	fputs(usage, stderr);
	exit(2);
}

/* Blocks the signals that end keeper, in all threads that start later too, and returns the
 * descriptor that reads them. */
static int signals_catch(struct error *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : error_set_errno(e, ERROR_INTERNAL, errno, "Cannot catch signals.");
}

/* From the machine: its devices first, so that they are on their way off when a client reads of it. */
struct events {
	struct execute *execute;
	struct serve *serve;
};

static void domain_event(void *context, const struct verbs_event *event)
{
	struct events *events = context;

	execute_domain_event(events->execute, event);
	serve_event(events->serve, event);
}

static int run(const struct arguments *a, struct error *e)
{
	/* cppcheck-suppress getpwnamCalled ; the only thread there is yet */
	const struct passwd *user = getpwnam(a->user);
	static struct execute x;     /* as events */
	static struct events events; /* libxl's thread may outlive this function */
	struct serve *serve;
	struct jobs *jobs;
	int signals, listener, result;

	if (!user)
		return error_set(e, ERROR_INTERNAL, "There is no user %s.", a->user);
	umask(077);
	signals = signals_catch(e);
	if (signals < 0 || files_open(&x.files, a->state, user->pw_uid, e) < 0)
		return -1;
	listener = ipc_listen(a->socket, 0660, user->pw_gid, e);
	if (listener < 0)
		return -1;
	serve = serve_new(listener, user->pw_uid, e);
	events = (struct events){.execute = &x, .serve = serve};
	if (!serve || machine_open(a->machine, domain_event, &events, &x.machine, e) < 0 ||
	    execute_rails(&x, a->rails, serve_device_event, serve, e) < 0)
		return -1;
	jobs = jobs_start(execute, &x, serve_deliver, serve, e);
	if (!jobs)
		return -1;
	notify("READY=1\nSTATUS=Serving");
	result = serve_run(serve, jobs, signals, e);
	notify("STOPPING=1");
	unlink(a->socket);
	jobs_stop(jobs);
	rails_close(atomic_exchange(&x.rails, NULL));
	machine_close(x.machine);
	serve_flush(serve);
	serve_free(serve);
	files_close(&x.files);
	close(signals);
	return result;
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct error e = {0};
	int helper = machine_helper(argc, argv);

	if (helper >= 0)
		return helper;
	arguments_read(argc, argv, &a);
	/* libxl allocates 8 MiB for a moment while it builds a domain; left alone, glibc would come to
	   keep that once for each worker */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_ARENA_MAX, 2);
	if (run(&a, &e) == 0)
		return 0;
	fprintf(stderr, "keeper: %s%s%s\n", e.detail, e.errnum ? " " : "",
		e.errnum ? strerror(e.errnum) : "");
	return 1;
}
