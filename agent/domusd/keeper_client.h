#ifndef DOMUS_DOMUSD_KEEPER_CLIENT_H
#define DOMUS_DOMUSD_KEEPER_CLIENT_H

#include <stdbool.h>

#include "common/error.h"
#include "common/verbs.h"

#define KEEPER_RETRY_AFTER_S 2 /* when keeper cannot be reached */

/*
 * The one connection to keeper. A thread connects (again and again, with a growing pause, up to 5 s), says HELLO, sends
 * requests in the order they were asked and receives answers and events. At most VERBS_INFLIGHT_MAX requests are under
 * way; the others wait here.
 *
 * All callbacks run on that thread, one at a time, with no lock of the client held; so events and answers come in the
 * order in which keeper sent them. A callback may ask again.
 */
struct keeper_client;

struct keeper_client_owner {
	/* HELLO was answered: events flow from now on, list the domains. */
	void (*connected)(void *user);
	/* The connection is gone; every request under way has been answered with ERROR_UNAVAILABLE before. */
	void (*disconnected)(void *user);
	/* VERB_EVENT_DOMAIN */
	void (*event)(void *user, const struct verbs_event *event);
	/* VERB_EVENT_DEVICE */
	void (*device)(void *user, const struct verbs_device_event *event);
	void *user;
};

/*
 * The answer: e is NULL, answer (borrowed) is the verb's response, and fd a descriptor that now is the callee's, or -1.
 * Or answer is NULL and e says why: keeper's own error, or ERROR_UNAVAILABLE when there is no connection, it broke, or
 * timeout_ms passed. Without a connection, and after a broken one, nobody knows whether the request was carried out.
 */
typedef void (*keeper_client_done)(void *context, const union verbs_message *answer, int fd,
				   const struct error *e);

/* Starts the thread. socket is copied. Callbacks of owner begin at once. 0 or -1 and *e. */
int keeper_client_open(const char *socket, const struct keeper_client_owner *owner,
		       struct keeper_client **out, struct error *e);
/* Answers everything that is due with ERROR_UNAVAILABLE and ends the thread. NULL is fine. */
void keeper_client_close(struct keeper_client *client);
/* Whether HELLO was answered on the connection that stands now. Any thread. NULL: false. */
bool keeper_client_connected(struct keeper_client *client);

/*
 * Asks. message was begun with verbs_start(); its id is set here, it is copied. done is called exactly once, never from
 * within this function. Any thread, never blocks. Without memory, done is not called and -1 is returned with *e.
 */
int keeper_client_ask(struct keeper_client *client, const void *message, unsigned timeout_ms,
		      keeper_client_done done, void *context, struct error *e);
/* A request that names a domain and nothing else: DOMAIN_KILL, CONSOLE_OPEN ... */
int keeper_client_ask_domain(struct keeper_client *client, enum verb verb,
			     const struct verbs_domain *domain, unsigned timeout_ms,
			     keeper_client_done done, void *context, struct error *e);

#endif
