#ifndef DOMUS_KEEPER_EXECUTE_H
#define DOMUS_KEEPER_EXECUTE_H

/* Carries out one request on the machine. A jobs_run_fn whose context is a struct execute; runs on
 * a worker thread. */
#include <stdatomic.h>

#include "keeper/files.h"
#include "keeper/machine.h"
#include "keeper/rails.h"

struct execute {
	struct machine *machine;
	struct files files;
	_Atomic(struct rails *) rails; /* set once; events may come before */
};

/* Starts the rails on the machine's hardware: what no live domain holds is off when this is back. */
int execute_rails(struct execute *x, const char *record, rails_event_fn *event, void *context,
		  struct error *e);
/* Of the machine's events: a domain that ended loses its devices. Any thread, does not block. */
void execute_domain_event(struct execute *x, const struct verbs_event *event);

int execute(void *context, const union verbs_message *request, union verbs_message *answer, int *fd,
	    struct error *e);

#endif
