#include "keeper/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* rails_alive_fn */
static int domain_alive(void *context, const struct verbs_domain *d)
{
	struct execute *x = context;
	struct verbs_list_response *list = malloc(sizeof(*list));
	uint32_t first = 0;
	int alive = list ? 0 : -1;

	while (alive == 0) {
		struct error e = {0};

		verbs_start(list, sizeof(*list), VERB_DOMAIN_LIST, 0);
		if (machine_list(x->machine, first, list, &e) < 0)
			alive = -1;
		for (uint32_t i = 0; i < list->count && alive == 0; i++) {
			const struct verbs_list_entry *entry = &list->entries[i];

			if (entry->ours && entry->state != VERBS_SHUTDOWN &&
			    entry->state != VERBS_CRASHED &&
			    memcmp(entry->domain.uuid, d->uuid, sizeof(d->uuid)) == 0)
				alive = 1;
		}
		first = list->next;
		if (!first)
			break;
	}
	free(list);
	return alive;
}

int execute_rails(struct execute *x, const char *record, rails_event_fn *event, void *context,
		  struct error *e)
{
	const struct rails_user user = {.event = event,
					.alive = domain_alive,
					.event_context = context,
					.alive_context = x};
	struct rails *rails;

	if (rails_open(machine_hardware(x->machine), record, &user, &rails, e) < 0)
		return -1;
	atomic_store(&x->rails, rails);
	return 0;
}

void execute_domain_event(struct execute *x, const struct verbs_event *event)
{
	struct rails *rails = atomic_load(&x->rails);

	if (rails && (event->state == VERBS_SHUTDOWN || event->state == VERBS_CRASHED ||
		      event->state == VERBS_GONE))
		rails_ended(rails, &event->domain);
}

/* Disks and uplinks that are what is plugged into the domain's devices, which are on by now. */
static int sources_open(struct execute *x, struct verbs_create_request *r,
			struct machine_files *files, struct error *e)
{
	char pointer[48];

	for (uint32_t i = 0; i < r->disk_count; i++) {
		snprintf(pointer, sizeof(pointer), "/disks/%u/source/device", i);
		if (!r->disks[i].device[0])
			continue;
		files->disks[i] =
			rails_disk(x->rails, r->disks[i].device, r->disks[i].readonly, pointer, e);
		if (files->disks[i] < 0)
			return -1;
	}
	for (uint32_t i = 0; i < r->nic_count; i++) {
		snprintf(pointer, sizeof(pointer), "/nics/%u/device", i);
		if (r->nics[i].device[0] &&
		    rails_uplink(x->rails, r->nics[i].device, r->nics[i].bridge, pointer, e) < 0)
			return -1;
	}
	return 0;
}

/* On before it runs; off again when it does not come to run. */
static int create_powered(struct execute *x, const struct verbs_create_request *request,
			  struct machine_files *files, uint32_t *domid, struct error *e)
{
	struct verbs_create_request r = *request; /* the bridges of uplinks are filled in */
	int result;

	if (rails_claim(x->rails, request, e) < 0)
		return -1;
	result = sources_open(x, &r, files, e);
	if (result == 0)
		result = machine_create(x->machine, &r, files, domid, e);
	if (request->device_count && result == 0)
		rails_settle(x->rails, &request->domain);
	else if (request->device_count)
		rails_release(x->rails, &request->domain);
	return result;
}

static int create(struct execute *x, const struct verbs_create_request *r, uint32_t *domid,
		  struct error *e)
{
	struct machine_files files;
	int result;

	if (files_acquire(&x->files, r, &files, e) < 0)
		return -1;
	result = create_powered(x, r, &files, domid, e);
	files_release(&files);
	return result;
}

/* Its devices are off, or told of as faults, when the answer goes out. */
static int domain_kill(struct execute *x, const struct verbs_domain *d, struct error *e)
{
	if (machine_kill(x->machine, d, e) < 0)
		return -1;
	rails_release(x->rails, d);
	return 0;
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
		return domain_kill(x, d, e);
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
	case VERB_DEVICE_LIST:
		return rails_list(x->rails, request->devices_request.after,
				  &answer->devices_response, e);
	case VERB_DEVICE_READ:
		return rails_read(x->rails, request->rail_request.id,
				  &answer->device_response.device, e);
	case VERB_RAIL_SET:
		return rails_set(x->rails, request->rail_request.id, request->rail_request.on,
				 &answer->device_response.device, e);
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
