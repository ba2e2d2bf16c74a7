/* Which domains are ours, and what happens to them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keeper/machine_libxl.h"

#define RECORDS "/tool/domus"

static const char *const record_names[] = {"", "building", "ready", "killing"};

static void record_path(char path[64], const uint8_t uuid[16])
{
	int at = sprintf(path, RECORDS "/");

	for (int i = 0; i < 16; i++)
		at += sprintf(path + at, "%02x", uuid[i]);
}

int own_record(struct machine *m, const struct verbs_domain *d, enum record r, struct error *e)
{
	char path[64], value[64];
	bool done;

	record_path(path, d->uuid);
	snprintf(value, sizeof(value), "%s %s", record_names[r], d->name);
	done = r == RECORD_NONE ? xs_rm(m->xs, XBT_NULL, path)
				: xs_write(m->xs, XBT_NULL, path, value, (unsigned)strlen(value));
	return done ? 0 : error_set_errno(e, ERROR_HYPERVISOR, errno, "Xenstore does not answer.");
}

/* Reads the record of d->uuid and fills d->name. */
static enum record record_read(struct machine *m, struct verbs_domain *d)
{
	char path[64], state[16] = "", name[VERBS_NAME_MAX + 1] = "";
	unsigned length;
	char *value;

	record_path(path, d->uuid);
	value = xs_read(m->xs, XBT_NULL, path, &length);
	if (!value)
		return RECORD_NONE;
	sscanf(value, "%15s %40s", state, name);
	free(value);
	if (!verbs_name_valid(name))
		return RECORD_NONE;
	snprintf(d->name, sizeof(d->name), "%s", name);
	for (enum record r = RECORD_BUILDING; r <= RECORD_KILLING; r++) {
		if (strcmp(state, record_names[r]) == 0)
			return r;
	}
	return RECORD_NONE;
}

enum verbs_reason reason_of(int shutdown_reason)
{
	switch (shutdown_reason) {
	case LIBXL_SHUTDOWN_REASON_POWEROFF:
		return VERBS_REASON_POWEROFF;
	case LIBXL_SHUTDOWN_REASON_REBOOT:
		return VERBS_REASON_REBOOT;
	case LIBXL_SHUTDOWN_REASON_SUSPEND:
		return VERBS_REASON_SUSPEND;
	case LIBXL_SHUTDOWN_REASON_CRASH:
		return VERBS_REASON_CRASH;
	case LIBXL_SHUTDOWN_REASON_WATCHDOG:
		return VERBS_REASON_WATCHDOG;
	default:
		return VERBS_REASON_UNKNOWN;
	}
}

static enum verbs_state ended_state(int shutdown_reason)
{
	return shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH ||
			       shutdown_reason == LIBXL_SHUTDOWN_REASON_WATCHDOG
		       ? VERBS_CRASHED
		       : VERBS_SHUTDOWN;
}

enum verbs_state state_of(const libxl_dominfo *info)
{
	if (info->dying)
		return VERBS_BUILDING;
	if (info->shutdown)
		return ended_state((int)info->shutdown_reason);
	return info->paused ? VERBS_PAUSED : VERBS_RUNNING;
}

void own_report(struct machine *m, const struct verbs_domain *d, uint32_t domid,
		enum verbs_state state, enum verbs_reason reason)
{
	struct verbs_event v;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	verbs_start(&v, sizeof(v), VERB_EVENT_DOMAIN, 0);
	v.domain = *d;
	v.domid = domid;
	v.time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	v.state = (uint16_t)state;
	v.reason = (uint16_t)reason;
	m->event(m->event_context, &v);
}

/* Locked. */
static struct own *own_by_uuid(struct machine *m, const uint8_t uuid[16])
{
	struct own *o = m->owns;

	while (o && memcmp(o->domain.uuid, uuid, 16) != 0)
		o = o->next;
	return o;
}

int64_t own_find(struct machine *m, struct context *c, const struct verbs_domain *d,
		 struct error *e)
{
	int64_t domid = -1;
	libxl_dominfo info;
	struct own *o;

	pthread_mutex_lock(&m->own_lock);
	o = own_by_uuid(m, d->uuid);
	if (o && !o->busy && strcmp(o->domain.name, d->name) == 0)
		domid = o->domid;
	pthread_mutex_unlock(&m->own_lock);
	if (domid >= 0) {
		libxl_dominfo_init(&info);
		if (libxl_domain_info(c->ctx, &info, (uint32_t)domid) != 0 ||
		    memcmp(libxl_uuid_bytearray(&info.uuid), d->uuid, 16) != 0)
			domid = -1;
		libxl_dominfo_dispose(&info);
	}
	if (domid < 0)
		error_set(e, ERROR_DOMAIN_NOT_RUNNING, "The domain %s does not run.", d->name);
	return domid;
}

bool own_identify(struct machine *m, struct verbs_domain *d, bool *busy)
{
	struct own *o;

	pthread_mutex_lock(&m->own_lock);
	o = own_by_uuid(m, d->uuid);
	if (o) {
		*d = o->domain;
		*busy = o->busy;
	}
	pthread_mutex_unlock(&m->own_lock);
	return o != NULL;
}

int own_add(struct machine *m, const struct verbs_domain *d, struct error *e)
{
	struct own *o = calloc(1, sizeof(*o)), *other;

	if (!o)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	o->domain = *d;
	o->domid = UINT32_MAX;
	o->busy = true;
	pthread_mutex_lock(&m->own_lock);
	for (other = m->owns; other; other = other->next) {
		if (strcmp(other->domain.name, d->name) == 0 ||
		    memcmp(other->domain.uuid, d->uuid, 16) == 0)
			break;
	}
	if (!other) {
		o->next = m->owns;
		m->owns = o;
	}
	pthread_mutex_unlock(&m->own_lock);
	if (!other)
		return 0;
	free(o);
	return error_set(e, ERROR_DOMAIN_EXISTS, "There is already a domain %s.", d->name);
}

int own_watch(struct machine *m, const struct verbs_domain *d, uint32_t domid, struct error *e)
{
	struct own *o;
	int rc;

	pthread_mutex_lock(&m->own_lock);
	o = own_by_uuid(m, d->uuid);
	o->domid = domid;
	o->busy = false;
	rc = libxl_evenable_domain_death(m->events->ctx, domid, 0, &o->death);
	pthread_mutex_unlock(&m->own_lock);
	if (rc == 0)
		return 0;
	return error_set(e, ERROR_HYPERVISOR, "The domain %s cannot be watched.", d->name);
}

void own_set_busy(struct machine *m, const struct verbs_domain *d, bool busy)
{
	struct own *o;

	pthread_mutex_lock(&m->own_lock);
	o = own_by_uuid(m, d->uuid);
	if (o)
		o->busy = busy;
	pthread_mutex_unlock(&m->own_lock);
}

void own_remove(struct machine *m, const struct verbs_domain *d)
{
	struct own **at, *o;

	pthread_mutex_lock(&m->own_lock);
	for (at = &m->owns; (o = *at) && memcmp(o->domain.uuid, d->uuid, 16) != 0; at = &o->next)
		;
	if (o) {
		*at = o->next;
		if (o->death)
			libxl_evdisable_domain_death(m->events->ctx, o->death);
		free(o);
	}
	pthread_mutex_unlock(&m->own_lock);
	own_record(m, d, RECORD_NONE, NULL); /* a record that stays is dropped at the next start */
}

static void event_handle(struct machine *m, const libxl_event *v)
{
	struct verbs_domain d = {0};
	struct own *o;
	bool ours;

	memcpy(d.uuid, libxl_uuid_bytearray_const(&v->domuuid), 16);
	pthread_mutex_lock(&m->own_lock);
	for (o = m->owns; o && o->domid != v->domid; o = o->next)
		;
	ours = o && !o->busy;
	if (ours)
		d = o->domain;
	pthread_mutex_unlock(&m->own_lock);
	if (!ours)
		return;
	if (v->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN) {
		int reason = v->u.domain_shutdown.shutdown_reason;

		own_report(m, &d, v->domid, ended_state(reason), reason_of(reason));
	} else if (v->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH) {
		/* not by us: somebody used another tool */
		own_remove(m, &d);
		own_report(m, &d, v->domid, VERBS_GONE, VERBS_REASON_UNKNOWN);
	}
}

static void *events_run(void *argument)
{
	struct machine *m = argument;
	libxl_event *v;

	while (libxl_event_wait(m->events->ctx, &v, LIBXL_EVENTMASK_ALL, NULL, NULL) == 0) {
		event_handle(m, v);
		libxl_event_free(m->events->ctx, v);
	}
	/* without events keeper is blind: systemd starts a new one */
	fprintf(stderr, "keeper: libxl gives no more events\n");
	abort();
}

/* A domain that was there before us: ours to go on with, half-made, or somebody else's. */
static void domain_adopt(struct machine *m, struct context *c, const libxl_dominfo *info)
{
	struct verbs_domain d = {0};
	struct error e = {0};
	enum record r;

	memcpy(d.uuid, libxl_uuid_bytearray_const(&info->uuid), 16);
	r = record_read(m, &d);
	if (r == RECORD_NONE)
		return;
	if (r == RECORD_READY) {
		if (own_add(m, &d, &e) == 0 && own_watch(m, &d, info->domid, &e) == 0)
			fprintf(stderr, "keeper: adopted %s, domid %u\n", d.name, info->domid);
		else
			fprintf(stderr, "keeper: %s\n", e.detail);
		return;
	}
	fprintf(stderr, "keeper: removing %s, domid %u, left half-made\n", d.name, info->domid);
	if (libxl_domain_destroy(c->ctx, info->domid, NULL) == 0)
		own_record(m, &d, RECORD_NONE, NULL);
}

/* Records whose domain is gone: it went while no keeper ran, or was never begun. */
static void records_sweep(struct machine *m, const libxl_dominfo *domains, int count)
{
	unsigned found;
	char **names = xs_directory(m->xs, XBT_NULL, RECORDS, &found);

	for (unsigned i = 0; names && i < found; i++) {
		char path[64], stale[sizeof(RECORDS) + 64];
		bool there = false;

		snprintf(stale, sizeof(stale), RECORDS "/%.40s", names[i]);
		for (int k = 0; k < count && !there; k++) {
			record_path(path, libxl_uuid_bytearray_const(&domains[k].uuid));
			there = strcmp(path, stale) == 0;
		}
		if (!there)
			xs_rm(m->xs, XBT_NULL, stale);
	}
	free(names);
}

int own_start(struct machine *m, struct error *e)
{
	struct context *c = context_take(m, e);
	libxl_evgen_domain_death *dom0;
	libxl_dominfo *domains;
	pthread_t thread;
	int count, failed;

	if (!c)
		return -1;
	domains = libxl_list_domain(c->ctx, &count);
	if (!domains) {
		context_give(m, c);
		return error_set(e, ERROR_HYPERVISOR, "The hypervisor does not list its domains.");
	}
	records_sweep(m, domains, count);
	for (int i = 0; i < count; i++)
		domain_adopt(m, c, &domains[i]);
	libxl_dominfo_list_free(domains, count);
	context_give(m, c);
	/*
	 * libxl does not wake a thread that waits for events when another one registers the first
	 * watch: the thread would sleep on without xenstore's descriptor. Dom0's death, which nobody
	 * will see, keeps the watch registered from before the thread waits.
	 */
	if (libxl_evenable_domain_death(m->events->ctx, 0, 0, &dom0))
		return error_set(e, ERROR_HYPERVISOR, "The domains cannot be watched.");
	failed = pthread_create(&thread, NULL, events_run, m);
	if (failed)
		return error_set_errno(e, ERROR_INTERNAL, failed, "Cannot start a thread.");
	pthread_detach(thread);
	return 0;
}
