#ifndef DOMUS_KEEPER_PACKET_H
#define DOMUS_KEEPER_PACKET_H

#include <stdint.h>

#include "common/verbs.h"

/* A message on its way to a client. */
struct packet {
	struct packet *next;
	uint64_t client; /* 0: an event, for all who want them */
	int fd;		 /* goes along, or -1 */
	union verbs_message message;
};

/* A packet with fd -1 (never NULL), and its end (closes the descriptor). packet_free(NULL) is nothing. */
struct packet *packet_new(uint64_t client);
void packet_free(struct packet *p);

/* Packets in the order of arrival; they belong to the queue. Whoever owns it guards it. */
struct packet_queue {
	struct packet *first, **last;
	unsigned count;
};

void packet_queue_init(struct packet_queue *q);
void packet_queue_put(struct packet_queue *q, struct packet *p);
/* The oldest one, the caller's now; NULL when it is empty. */
struct packet *packet_queue_take(struct packet_queue *q);
/* Frees what is in it. */
void packet_queue_clear(struct packet_queue *q);

#endif
