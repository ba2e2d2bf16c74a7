/* The real machine: it opens here, and everything that is asked of a domain that is there. */
#include "keeper/machine_libxl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int machine_open(const char *options, machine_event_fn *event, void *context,
		 struct machine **machine, struct error *e)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	*machine = m;
	if (*options)
		return error_set(e, ERROR_INTERNAL, "Only a simulated board has machine options.");
	m->event = event;
	m->event_context = context;
	pthread_mutex_init(&m->pool_lock, NULL);
	pthread_mutex_init(&m->own_lock, NULL);
	pthread_mutex_init(&m->claim_lock, NULL);
	pthread_cond_init(&m->claim_changed, NULL);
	if (readlink("/proc/self/exe", m->program, sizeof(m->program) - 1) < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Where is keeper's program?");
	m->xs = store_open();
	if (!m->xs)
		return error_set_errno(e, ERROR_HYPERVISOR, errno, "Xenstore does not answer.");
	m->events = context_new(e);
	if (!m->events)
		return -1;
	return own_start(m, e);
}

/* The event thread sleeps inside libxl and cannot be called back, so everything it uses stays until the process ends. */
void machine_close(struct machine *m)
{
	while (m->pool) {
		struct context *c = m->pool;

		m->pool = c->next;
		context_free(c);
	}
}

/* Finds the domain, tells its state, and returns its domid or -1. */
static int64_t domain_get(struct machine *m, struct context *c, const struct verbs_domain *d,
			  enum verbs_state *state, struct error *e)
{
	int64_t domid = own_find(m, c, d, e);
	libxl_dominfo info;
	int rc;

	if (domid < 0)
		return -1;
	libxl_dominfo_init(&info);
	rc = libxl_domain_info(c->ctx, &info, (uint32_t)domid);
	*state = state_of(&info);
	libxl_dominfo_dispose(&info);
	return rc ? context_fail(c, rc, e, "The domain cannot be found", d->name) : domid;
}

static int has_ended(const struct verbs_domain *d, struct error *e)
{
	return error_set(e, ERROR_DOMAIN_NOT_RUNNING, "The domain %s has ended.", d->name);
}

static int guest_ask(struct machine *m, const struct verbs_domain *d, bool reboot, struct error *e)
{
	struct context *c = context_take(m, e);
	enum verbs_state state;
	int64_t domid;
	int rc = -1;

	if (!c)
		return -1;
	domid = domain_get(m, c, d, &state, e);
	if (domid >= 0 && state == VERBS_PAUSED) {
		error_set(e, ERROR_DOMAIN_PAUSED, "The domain %s is paused; resume it first.",
			  d->name);
	} else if (domid >= 0 && state != VERBS_RUNNING) {
		has_ended(d, e);
	} else if (domid >= 0) {
		rc = reboot ? libxl_domain_reboot(c->ctx, (uint32_t)domid, NULL)
			    : libxl_domain_shutdown(c->ctx, (uint32_t)domid, NULL);
		if (rc)
			context_fail(c, rc, e, "The guest could not be asked", d->name);
	}
	context_give(m, c);
	return rc ? -1 : 0;
}

int machine_shutdown(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_ask(m, d, false, e);
}

int machine_reboot(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return guest_ask(m, d, true, e);
}

static int pause_set(struct machine *m, const struct verbs_domain *d, bool pause, struct error *e)
{
	struct context *c = context_take(m, e);
	enum verbs_state state, wanted = pause ? VERBS_PAUSED : VERBS_RUNNING;
	int64_t domid;
	int rc = -1;

	if (!c)
		return -1;
	domid = domain_get(m, c, d, &state, e);
	if (domid >= 0 && state == wanted) {
		rc = 0; /* Xen counts pauses: a second one would need a second resume */
	} else if (domid >= 0 && state != VERBS_RUNNING && state != VERBS_PAUSED) {
		has_ended(d, e);
	} else if (domid >= 0) {
		rc = pause ? libxl_domain_pause(c->ctx, (uint32_t)domid, NULL)
			   : libxl_domain_unpause(c->ctx, (uint32_t)domid, NULL);
		if (rc)
			context_fail(c, rc, e, "The domain could not be paused or resumed",
				     d->name);
		else
			own_report(m, d, (uint32_t)domid, wanted, VERBS_REASON_NONE);
	}
	context_give(m, c);
	return rc ? -1 : 0;
}

int machine_pause(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return pause_set(m, d, true, e);
}

int machine_resume(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	return pause_set(m, d, false, e);
}

/* Gone, or a zombie that only waits for a last page to be let go. */
static bool domain_is_gone(struct context *c, uint32_t domid)
{
	libxl_dominfo info;
	bool gone;

	libxl_dominfo_init(&info);
	gone = libxl_domain_info(c->ctx, &info, domid) != 0 || info.dying;
	libxl_dominfo_dispose(&info);
	return gone;
}

int machine_kill(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	struct context *c = context_take(m, e);
	int64_t domid;
	int rc, result = -1;

	if (!c)
		return -1;
	domid = own_find(m, c, d, e);
	if (domid >= 0 && own_record(m, d, RECORD_KILLING, e) == 0) {
		own_set_busy(m, d, true);
		rc = libxl_domain_destroy(c->ctx, (uint32_t)domid, NULL);
		if (domain_is_gone(c, (uint32_t)domid)) {
			own_remove(m, d);
			own_report(m, d, (uint32_t)domid, VERBS_GONE, VERBS_REASON_KILLED);
			result = 0;
		} else {
			own_set_busy(m, d, false);
			context_fail(c, rc, e, "The domain could not be destroyed", d->name);
		}
	}
	context_give(m, c);
	return result;
}

int machine_log(struct machine *m, struct error *e)
{
	struct context *c = context_take(m, e);
	libxl_xen_console_reader *reader;
	char *line;
	int fd;

	if (!c)
		return -1;
	fd = memfd_create("log", MFD_CLOEXEC);
	reader = fd >= 0 ? libxl_xen_console_read_start(c->ctx, 0) : NULL;
	while (reader && libxl_xen_console_read_line(c->ctx, reader, &line) > 0)
		dprintf(fd, "%s", line); /* the reader keeps the line */
	if (reader) {
		libxl_xen_console_read_finish(c->ctx, reader);
		lseek(fd, 0, SEEK_SET);
	} else {
		error_set(e, ERROR_HYPERVISOR, "The hypervisor's console cannot be read.");
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	context_give(m, c);
	return fd;
}
