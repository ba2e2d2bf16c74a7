#ifndef DOMUS_KEEPER_EXECUTE_H
#define DOMUS_KEEPER_EXECUTE_H

/* Carries out one request on the machine. A jobs_run_fn whose context is a struct execute; runs on
 * a worker thread. */
#include "keeper/files.h"
#include "keeper/machine.h"

struct execute {
	struct machine *machine;
	struct files files;
};

int execute(void *context, const union verbs_message *request, union verbs_message *answer, int *fd,
	    struct error *e);

#endif
