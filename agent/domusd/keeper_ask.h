#ifndef DOMUS_DOMUSD_KEEPER_ASK_H
#define DOMUS_DOMUSD_KEEPER_ASK_H

/* The requests of the keeper's client and the lists that they pass through. For keeper_client.c only, which guards the lists. */
#include "domusd/keeper_client.h"

/* A request whose done() is due. */
struct ask {
	struct ask *next;
	uint64_t id;
	int64_t deadline_ms; /* monotonic */
	keeper_client_done done;
	void *context;
	_Alignas(8) unsigned char message[]; /* header.length bytes */
};

/* In the order of arrival. An ask belongs to the list that it is in. */
struct ask_list {
	struct ask *first, **last;
};

void ask_list_init(struct ask_list *list);
void ask_list_append(struct ask_list *list, struct ask *ask);
/* Takes out the one that *link, which is in the list, points to: the caller's now. */
struct ask *ask_list_remove(struct ask_list *list, struct ask **link);
/* Answers with ERROR_UNAVAILABLE and frees it. Calls done(): no lock is held. */
void ask_fail(struct ask *ask, const char *why);
/* The same for every one in the list, which is empty then. */
void ask_list_fail(struct ask_list *list, const char *why);

#endif
