#include "keeper/machine_sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int64_t sim_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum verbs_state sim_state(const struct guest *g)
{
	if (g->building)
		return VERBS_BUILDING;
	if (g->phase == SIM_ENDED)
		return g->reason == VERBS_REASON_CRASH ? VERBS_CRASHED : VERBS_SHUTDOWN;
	return g->paused ? VERBS_PAUSED : VERBS_RUNNING;
}

void sim_report(struct machine *m, const struct guest *g, bool gone)
{
	struct verbs_event v;
	struct timespec t;

	if (!g->ours)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	verbs_start(&v, sizeof(v), VERB_EVENT_DOMAIN, 0);
	v.domain = g->domain;
	v.domid = g->domid;
	v.time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	v.state = (uint16_t)(gone ? VERBS_GONE : sim_state(g));
	v.reason = (uint16_t)(gone		      ? VERBS_REASON_KILLED
			      : g->phase == SIM_ENDED ? g->reason
						      : VERBS_REASON_NONE);
	m->event(m->context, &v);
}

/* Adds a guest with its memory and domid; NULL with *e when the board cannot. Locked. */
static struct guest *guest_add(struct machine *m, const char *name, uint64_t memory_mib,
			       struct error *e)
{
	struct guest *g, **at;

	for (at = &m->guests; *at; at = &(*at)->next) {
		if (strcmp((*at)->domain.name, name) == 0) {
			error_set(e, ERROR_DOMAIN_EXISTS, "There is already a domain %s.", name);
			return NULL;
		}
	}
	if (memory_mib > m->free_mib) {
		error_set_at(e, ERROR_MEMORY, "/memory_mib",
			     "The domain asks for %llu MiB of memory, and %llu MiB are free.",
			     (unsigned long long)memory_mib, (unsigned long long)m->free_mib);
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (!g) {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	snprintf(g->domain.name, sizeof(g->domain.name), "%s", name);
	g->master = g->slave = -1;
	g->domid = m->next_domid++;
	g->memory_mib = memory_mib;
	m->free_mib -= memory_mib;
	*at = g; /* domids only grow: the list stays sorted */
	return g;
}

static void guest_remove(struct machine *m, struct guest *g)
{
	struct guest **at;

	for (at = &m->guests; *at != g; at = &(*at)->next)
		;
	*at = g->next;
	m->free_mib += g->memory_mib;
	guest_free(m, g);
}

/* The domains that are there before Domus: Dom0, and a foreign one when asked for. */
static int residents_add(struct machine *m, struct error *e)
{
	struct guest *g = guest_add(m, "domain-0", m->options.dom0_mib, e);

	if (!g)
		return -1;
	snprintf(g->domain.name, sizeof(g->domain.name), "Domain-0");
	g->vcpus = m->options.cpus;
	if (!m->options.foreign[0])
		return 0;
	g = guest_add(m, m->options.foreign, 64, e);
	if (!g || guest_console(m, g, e) < 0)
		return -1;
	memset(g->domain.uuid, 0xf0, sizeof(g->domain.uuid));
	g->vcpus = 1;
	return 0;
}

int machine_helper(int argc, char **argv)
{
	(void)argc, (void)argv;
	return -1;
}

int machine_open(const char *options, machine_event_fn *event, void *context,
		 struct machine **machine, struct error *e)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct epoll_event ev = {.events = EPOLLIN};
	int failed;

	if (!m || sim_options_read(&m->options, options, e) < 0) {
		free(m);
		return -1;
	}
	pthread_mutex_init(&m->lock, NULL);
	m->event = event;
	m->context = context;
	m->free_mib = m->options.memory_mib;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->epoll < 0 || m->wake < 0 || epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->wake, &ev) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot simulate a board.");
	m->board = board_new(m, e);
	if (!m->board || residents_add(m, e) < 0)
		return -1;
	failed = pthread_create(&m->thread, NULL, guests_run, m);
	if (failed)
		return error_set_errno(e, ERROR_INTERNAL, failed, "Cannot start a thread.");
	*machine = m;
	return 0;
}

void machine_close(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	guests_wake(m);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->thread, NULL);
	while (m->guests)
		guest_remove(m, m->guests);
	board_free(m->board);
	close(m->epoll);
	close(m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct hardware *machine_hardware(struct machine *m)
{
	return board_hardware(m->board);
}

bool sim_guest_lives(struct machine *m)
{
	bool lives = false;

	pthread_mutex_lock(&m->lock);
	for (const struct guest *g = m->guests; g; g = g->next)
		lives |= g->ours && g->phase != SIM_ENDED;
	pthread_mutex_unlock(&m->lock);
	return lives;
}

/* Like the reference board: four Cortex-A53 r0p4, then Cortex-A72 r0p2. */
int machine_board(struct machine *m, struct verbs_board_response *r, struct error *e)
{
	(void)e;
	snprintf(r->hypervisor, sizeof(r->hypervisor), "simulator");
	snprintf(r->version, sizeof(r->version), "%s", DOMUS_VERSION);
	snprintf(r->abi, sizeof(r->abi), "none");
	snprintf(r->board, sizeof(r->board), "Simulated board (no hypervisor, no guests)");
	r->simulated = 1;
	r->total_mib = m->options.memory_mib;
	r->cpu_count = r->cpus_online = m->options.cpus;
	for (uint32_t i = 0; i < r->cpu_count; i++)
		r->cpus[i] = (struct verbs_cpu){
			.midr = i < 4 ? 0x410fd034 : 0x410fd082, .cluster = i / 4, .online = 1};
	pthread_mutex_lock(&m->lock);
	r->free_mib = m->free_mib;
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static struct verbs_list_entry entry_make(const struct guest *g)
{
	int64_t age = g->started_ms ? sim_now_ms() - g->started_ms : 0;

	return (struct verbs_list_entry){
		.domain = g->domain,
		.memory_mib = g->memory_mib,
		.cpu_time_ns = (uint64_t)age * 20000u, /* two percent of a CPU */
		.domid = g->domid,
		.vcpus = g->vcpus,
		.state = (uint16_t)sim_state(g),
		.reason = (uint16_t)(g->phase == SIM_ENDED ? g->reason : VERBS_REASON_NONE),
		.ours = g->ours,
	};
}

int machine_list(struct machine *m, uint32_t first, struct verbs_list_response *r, struct error *e)
{
	(void)e;
	pthread_mutex_lock(&m->lock);
	for (const struct guest *g = m->guests; g; g = g->next) {
		if (g->domid < first)
			continue;
		if (r->count == VERBS_PAGE) {
			r->next = g->domid;
			break;
		}
		r->entries[r->count++] = entry_make(g);
	}
	pthread_mutex_unlock(&m->lock);
	return 0;
}

int machine_create(struct machine *m, const struct verbs_create_request *r,
		   const struct machine_files *files, uint32_t *domid, struct error *e)
{
	struct timespec wait;
	struct guest *g;
	int result = 0;

	pthread_mutex_lock(&m->lock);
	g = guest_add(m, r->domain.name, r->memory_mib, e);
	if (!g) {
		pthread_mutex_unlock(&m->lock);
		return -1;
	}
	g->domain = r->domain;
	g->ours = g->building = true;
	g->vcpus = r->vcpus;
	g->disk_count = r->disk_count;
	for (unsigned i = 0; i < g->disk_count; i++)
		g->disks[i] = fcntl(files->disks[i], F_DUPFD_CLOEXEC, 0);
	g->options = m->options;
	sim_options_override(&g->options, r->cmdline);
	pthread_mutex_unlock(&m->lock);

	/* nothing else touches a domain that is being built: see machine.h */
	wait = (struct timespec){.tv_sec = g->options.create_ms / 1000,
				 .tv_nsec = (long)(g->options.create_ms % 1000) * 1000000};
	while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
		;

	pthread_mutex_lock(&m->lock);
	if (g->options.fail)
		result = error_set(e, ERROR_HYPERVISOR,
				   "The simulated hypervisor refused to create the domain.");
	if (result == 0)
		result = guest_console(m, g, e);
	if (result == 0) {
		*domid = g->domid;
		g->building = false;
		guest_start(m, g);
		if (r->paused)
			guest_pause(m, g, true);
		sim_report(m, g, false);
	} else {
		guest_remove(m, g);
	}
	guests_wake(m);
	pthread_mutex_unlock(&m->lock);
	return result;
}

/* Finds a domain of ours by name and uuid. Locked. */
static struct guest *guest_find(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	for (struct guest *g = m->guests; g; g = g->next) {
		if (g->ours && !g->building && strcmp(g->domain.name, d->name) == 0 &&
		    memcmp(g->domain.uuid, d->uuid, sizeof(d->uuid)) == 0)
			return g;
	}
	error_set(e, ERROR_DOMAIN_NOT_RUNNING, "The domain %s does not run.", d->name);
	return NULL;
}

/* The same, locking; the caller unlocks with guest_done() in any case. */
static struct guest *guest_get(struct machine *m, const struct verbs_domain *d, bool alive,
			       struct error *e)
{
	struct guest *g;

	pthread_mutex_lock(&m->lock);
	g = guest_find(m, d, e);
	if (!g || !alive || g->phase != SIM_ENDED)
		return g;
	error_set(e, ERROR_DOMAIN_NOT_RUNNING, "The domain %s has ended.", d->name);
	return NULL;
}

static int guest_done(struct machine *m, const struct guest *g)
{
	guests_wake(m);
	pthread_mutex_unlock(&m->lock);
	return g ? 0 : -1;
}

static int guest_ask(struct machine *m, const struct verbs_domain *d, enum verbs_reason reason,
		     struct error *e)
{
	struct guest *g = guest_get(m, d, true, e);

	if (g && g->paused) {
		error_set(e, ERROR_DOMAIN_PAUSED, "The domain %s is paused; resume it first.",
			  d->name);
		g = NULL;
	}
	if (g && !g->options.deaf)
		guest_stop(m, g, reason);
	return guest_done(m, g);
}

int machine_shutdown(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_ask(m, d, VERBS_REASON_POWEROFF, e);
}

int machine_reboot(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_ask(m, d, VERBS_REASON_REBOOT, e);
}

int machine_kill(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	struct guest *g = guest_get(m, d, false, e);

	if (g) {
		sim_report(m, g, true);
		guest_remove(m, g);
	}
	return guest_done(m, g);
}

static int guest_set_paused(struct machine *m, const struct verbs_domain *d, bool paused,
			    struct error *e)
{
	struct guest *g = guest_get(m, d, true, e);

	if (g && g->paused != paused) {
		guest_pause(m, g, paused);
		sim_report(m, g, false);
	}
	return guest_done(m, g);
}

int machine_pause(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_set_paused(m, d, true, e);
}

int machine_resume(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_set_paused(m, d, false, e);
}

int machine_console(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	struct guest *g = guest_get(m, d, false, e);
	int fd = -1;

	if (g) {
		fd = open(g->tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			error_set_errno(e, ERROR_UNAVAILABLE, errno,
					"Cannot open the console of %s.", d->name);
	}
	guest_done(m, g);
	return fd;
}

int machine_log(struct machine *m, struct error *e)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	if (fd < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot make the log.");
	pthread_mutex_lock(&m->lock);
	dprintf(fd, "(simulator) %u MiB of memory, %llu MiB free, next domid %u\n",
		m->options.memory_mib, (unsigned long long)m->free_mib, m->next_domid);
	pthread_mutex_unlock(&m->lock);
	lseek(fd, 0, SEEK_SET);
	return fd;
}
