/* Contexts of libxl, what it logs while one is in use, and handles of Xen of our own. */
#include "keeper/machine_libxl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>

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
