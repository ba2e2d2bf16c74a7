#ifndef DOMUS_DOMUSD_AUTH_WORKER_H
#define DOMUS_DOMUSD_AUTH_WORKER_H

#include "domusd/auth_login.h"

/* The one thread that hashes passwords, and its queue of claims and log-ins. */
#define AUTH_QUEUE_MAX 16

struct auth_job {
	struct auth_job *next;
	bool claim;
	char username[72];   /* 64 characters at most pass the API, ASCII or they are nobody's */
	char password[1032]; /* 256 characters of up to 4 bytes */
	struct actor actor;
	auth_done done;
	void *context;
};

struct auth_worker;

int auth_worker_start(void (*run)(void *context, struct auth_job *job), void *context,
		      struct auth_worker **out, struct error *e);
/* Takes the job, which it frees (wiped) after run(); ERROR_UNAVAILABLE when the queue is full or it stops: still yours. */
int auth_worker_add(struct auth_worker *worker, struct auth_job *job, struct error *e);
/* Waits for the job that runs and calls done() with ERROR_UNAVAILABLE for the others. NULL is fine. */
void auth_worker_stop(struct auth_worker *worker);

#endif
