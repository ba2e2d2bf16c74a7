/* The real machine: contexts, and everything that is one call of libxl. */
#include "keeper/machine_libxl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xencall.h>

#define OURS "-domus-" /* begins the extra version of our own hypervisor */

/* What a user may read of "libxl_create.c:1727:domcreate_launch_dm: Domain 1:unable to add disk devices". */
static const char *message_core(const char *text)
{
	const char *core = strstr(text, ": ");
	unsigned domid;
	int skip = 0;

	core = strncmp(text, "libxl_", 6) == 0 && core ? core + 2 : text;
	if (sscanf(core, "Domain %u:%n", &domid, &skip) == 1)
		core += skip;
	return core;
}

/* Warnings and worse go to the log; the first error since context_take() is kept for the user. */
static void log_message(struct xentoollog_logger *logger, xentoollog_level level, int errnoval,
			const char *origin, const char *format, va_list arguments)
{
	struct context *c = (struct context *)logger;
	char text[256];

	if (level < XTL_WARN)
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	fprintf(stderr, "keeper: %s: %s%s%s\n", origin ? origin : "libxl", text,
		errnoval > 0 ? ": " : "", errnoval > 0 ? strerror(errnoval) : "");
	if (level >= XTL_ERROR && !c->error[0])
		snprintf(c->error, sizeof(c->error), "%.*s", (int)sizeof(c->error) - 1,
			 message_core(text));
}

static void log_progress(struct xentoollog_logger *logger, const char *origin, const char *doing,
			 int percent, unsigned long done, unsigned long total)
{
	(void)logger, (void)origin, (void)doing, (void)percent, (void)done, (void)total;
}

static void log_destroy(struct xentoollog_logger *logger)
{
	(void)logger;
}

static const libxl_childproc_hooks children = {
	.chldowner = libxl_sigchld_owner_libxl_always_selective_reap,
	.fork_replacement = fork_quietly,
};

struct context *context_new(struct error *e)
{
	struct context *c = calloc(1, sizeof(*c));
	int failed;

	if (!c) {
		error_set(e, ERROR_INTERNAL, "Out of memory.");
		return NULL;
	}
	c->logger = (struct xentoollog_logger){
		.vmessage = log_message, .progress = log_progress, .destroy = log_destroy};
	quiet_begin();
	failed = libxl_ctx_alloc(&c->ctx, LIBXL_VERSION, 0, &c->logger);
	quiet_end();
	if (failed) {
		error_set(e, ERROR_HYPERVISOR, "The hypervisor cannot be reached: %s",
			  c->error[0] ? c->error : "is this Dom0, and does xenstored run?");
		free(c);
		return NULL;
	}
	libxl_childproc_setmode(c->ctx, &children, NULL);
	return c;
}

struct xs_handle *store_open(void)
{
	struct xs_handle *xs;

	quiet_begin();
	xs = xs_open(0);
	quiet_end();
	return xs;
}

void store_close(struct xs_handle *xs)
{
	quiet_begin();
	xs_close(xs);
	quiet_end();
}

struct xencall_handle *call_open(void)
{
	xencall_handle *call;

	quiet_begin();
	call = xencall_open(NULL, 0);
	quiet_end();
	return call;
}

void context_free(struct context *c)
{
	quiet_begin();
	libxl_ctx_free(c->ctx);
	quiet_end();
	free(c);
}

struct context *context_take(struct machine *m, struct error *e)
{
	struct context *c;

	pthread_mutex_lock(&m->pool_lock);
	c = m->pool;
	if (c)
		m->pool = c->next;
	pthread_mutex_unlock(&m->pool_lock);
	if (!c)
		c = context_new(e);
	if (c)
		c->error[0] = '\0';
	return c;
}

void context_give(struct machine *m, struct context *c)
{
	pthread_mutex_lock(&m->pool_lock);
	c->next = m->pool;
	m->pool = c;
	pthread_mutex_unlock(&m->pool_lock);
}

int context_fail(const struct context *c, int rc, struct error *e, const char *what,
		 const char *name)
{
	enum error_code code = ERROR_HYPERVISOR;
	const char *why = c->error[0] ? c->error : "libxl gives no reason";

	switch (rc) {
	case ERROR_NOMEM:
		code = ERROR_MEMORY;
		why = "the hypervisor has not enough free memory";
		break;
	case ERROR_DOMAIN_NOTFOUND:
	case ERROR_DOMAIN_DESTROYED:
		code = ERROR_DOMAIN_NOT_RUNNING;
		why = "it does not run any more";
		break;
	case ERROR_ABORTED:
		code = ERROR_CANCELLED;
		why = "it was interrupted";
		break;
	case ERROR_NOPARAVIRT:
		why = "the guest does not listen to requests";
		break;
	default:
		break;
	}
	return error_set(e, code, "%s (%s): %s.", what, name, why);
}

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

static void text_set(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++) {
		if (*to < ' ' || *to > '~')
			*to = '?';
	}
}

static void file_read(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t length = f ? fread(to, 1, size - 1, f) : 0;

	to[length] = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* Stock Xen runs on cores of one kind only (it parks the others), so the MIDR that Dom0 sees is that of all. */
static uint64_t midr_read(void)
{
	char text[32];

	file_read("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", text, sizeof(text));
	return strtoull(text, NULL, 16);
}

static void cpus_fill(struct context *c, const libxl_physinfo *info, struct verbs_board_response *r)
{
	int count = 0;
	libxl_cputopology *topology = libxl_get_cpu_topology(c->ctx, &count);
	uint64_t midr = midr_read();

	r->cpus_online = info->nr_cpus;
	r->cpu_count = info->max_cpu_id + 1;
	if (r->cpu_count > VERBS_CPUS_MAX)
		r->cpu_count = VERBS_CPUS_MAX;
	if (r->cpus_online > r->cpu_count)
		r->cpus_online = r->cpu_count;
	for (uint32_t i = 0; i < r->cpu_count; i++) {
		bool online = topology && (int)i < count &&
			      topology[i].core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY;

		r->cpus[i] = (struct verbs_cpu){
			.midr = online ? midr : 0, .cluster = UINT32_MAX, .online = online};
	}
	libxl_cputopology_list_free(topology, count);
}

int machine_board(struct machine *m, struct verbs_board_response *r, struct error *e)
{
	struct context *c = context_take(m, e);
	const libxl_version_info *version;
	libxl_physinfo info;
	char model[128];
	int rc;

	if (!c)
		return -1;
	libxl_physinfo_init(&info);
	rc = libxl_get_physinfo(c->ctx, &info);
	version = libxl_get_version_info(c->ctx);
	if (rc == 0 && version) {
		/* Our own hypervisor reports the ABI's version, and its own in the extra version. */
		if (strncmp(version->xen_version_extra, OURS, sizeof(OURS) - 1) == 0) {
			text_set(r->hypervisor, sizeof(r->hypervisor), "domus");
			text_set(r->version, sizeof(r->version),
				 version->xen_version_extra + sizeof(OURS) - 1);
		} else {
			text_set(r->hypervisor, sizeof(r->hypervisor), "Xen");
			snprintf(r->version, sizeof(r->version), "%d.%d",
				 version->xen_version_major, version->xen_version_minor);
		}
		text_set(r->extra, sizeof(r->extra), version->xen_version_extra);
		text_set(r->abi, sizeof(r->abi), version->capabilities);
		file_read("/proc/device-tree/model", model, sizeof(model));
		text_set(r->board, sizeof(r->board), model);
		r->total_mib = info.total_pages * 4 / 1024;
		r->free_mib = info.free_pages * 4 / 1024;
		cpus_fill(c, &info, r);
	} else {
		rc = context_fail(c, rc, e, "The hypervisor does not describe itself", "board");
	}
	libxl_physinfo_dispose(&info);
	context_give(m, c);
	return rc;
}

static void entry_fill(struct machine *m, struct context *c, const libxl_dominfo *info,
		       struct verbs_list_entry *d)
{
	bool busy = false;

	memcpy(d->domain.uuid, libxl_uuid_bytearray_const(&info->uuid), 16);
	d->ours = own_identify(m, &d->domain, &busy);
	if (!d->ours) {
		char *name = libxl_domid_to_name(c->ctx, info->domid);

		text_set(d->domain.name, sizeof(d->domain.name), name);
		free(name);
	}
	d->domid = info->domid;
	d->vcpus = info->vcpu_max_id + 1;
	d->memory_mib = (info->current_memkb + 512) / 1024;
	d->cpu_time_ns = info->cpu_time;
	d->state = (uint16_t)(busy ? VERBS_BUILDING : state_of(info));
	if (d->state == VERBS_SHUTDOWN || d->state == VERBS_CRASHED)
		d->reason = (uint16_t)reason_of((int)info->shutdown_reason);
}

int machine_list(struct machine *m, uint32_t first, struct verbs_list_response *r, struct error *e)
{
	struct context *c = context_take(m, e);
	libxl_dominfo *domains;
	int count;

	if (!c)
		return -1;
	domains = libxl_list_domain(c->ctx, &count); /* sorted by domid */
	if (!domains) {
		context_give(m, c);
		return error_set(e, ERROR_HYPERVISOR, "The hypervisor does not list its domains.");
	}
	for (int i = 0; i < count; i++) {
		if (domains[i].domid < first)
			continue;
		if (r->count == VERBS_PAGE) {
			r->next = domains[i].domid;
			break;
		}
		entry_fill(m, c, &domains[i], &r->entries[r->count]);
		/* not ours and dying: killed, and not yet let go of by the last backend */
		if (domains[i].dying && !r->entries[r->count].ours)
			memset(&r->entries[r->count], 0, sizeof(r->entries[0]));
		else
			r->count++;
	}
	libxl_dominfo_list_free(domains, count);
	context_give(m, c);
	return 0;
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
