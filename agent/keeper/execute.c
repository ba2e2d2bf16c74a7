#include "keeper/execute.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int create(struct execute *x, const struct verbs_create_request *r, uint32_t *domid,
		  struct error *e)
{
	struct machine_files files;
	int result;

	if (files_acquire(&x->files, r, &files, e) < 0)
		return -1;
	result = machine_create(x->machine, r, &files, domid, e);
	files_release(&files);
	return result;
}

/* The verbs that change a domain's life: worth a line in the log. */
static int change(struct execute *x, const union verbs_message *request,
		  union verbs_message *answer, struct error *e)
{
	const struct verbs_domain *d = &request->domain_request.domain;

	switch (request->header.verb) {
	case VERB_DOMAIN_CREATE:
		return create(x, &request->create_request, &answer->create_response.domid, e);
	case VERB_DOMAIN_SHUTDOWN:
		return machine_shutdown(x->machine, d, e);
	case VERB_DOMAIN_REBOOT:
		return machine_reboot(x->machine, d, e);
	case VERB_DOMAIN_KILL:
		return machine_kill(x->machine, d, e);
	case VERB_DOMAIN_PAUSE:
		return machine_pause(x->machine, d, e);
	case VERB_DOMAIN_RESUME:
		return machine_resume(x->machine, d, e);
	default:
		return error_set(e, ERROR_INTERNAL, "The keeper does not know this verb.");
	}
}

int execute(void *context, const union verbs_message *request, union verbs_message *answer, int *fd,
	    struct error *e)
{
	struct execute *x = context;
	int64_t began = now_ms();
	int result;

	switch (request->header.verb) {
	case VERB_BOARD_INFO:
		return machine_board(x->machine, &answer->board_response, e);
	case VERB_DOMAIN_LIST:
		return machine_list(x->machine, request->list_request.first, &answer->list_response,
				    e);
	case VERB_CONSOLE_OPEN:
		*fd = machine_console(x->machine, &request->domain_request.domain, e);
		return *fd < 0 ? -1 : 0;
	case VERB_LOG:
		*fd = machine_log(x->machine, e);
		return *fd < 0 ? -1 : 0;
	default:
		break;
	}
	result = change(x, request, answer, e);
	/* create_request and domain_request begin alike */
	fprintf(stderr, "keeper: %s %s: %s (%lld ms)%s%s%s%s\n",
		verbs_verb_name(request->header.verb), request->domain_request.domain.name,
		result < 0 ? error_name(e->code) : "done", (long long)(now_ms() - began),
		result < 0 ? ": " : "", result < 0 ? e->detail : "",
		result < 0 && e->errnum ? " " : "",
		result < 0 && e->errnum ? strerror(e->errnum) : "");
	return result;
}
