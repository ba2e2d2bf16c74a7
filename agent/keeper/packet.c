#include "keeper/packet.h"

#include <stdlib.h>
#include <unistd.h>

struct packet *packet_new(uint64_t client)
{
	struct packet *p = malloc(sizeof(*p));

	if (!p)
		abort(); /* a 6 KiB allocation in a process of a few MiB: nothing sensible is left
			  */
	p->next = NULL;
	p->client = client;
	p->fd = -1;
	return p;
}

void packet_free(struct packet *p)
{
	if (p && p->fd >= 0)
		close(p->fd);
	free(p);
}

void packet_queue_init(struct packet_queue *q)
{
	*q = (struct packet_queue){.last = &q->first};
}

void packet_queue_put(struct packet_queue *q, struct packet *p)
{
	p->next = NULL;
	*q->last = p;
	q->last = &p->next;
	q->count++;
}

struct packet *packet_queue_take(struct packet_queue *q)
{
	struct packet *p = q->first;

	if (!p)
		return NULL;
	q->first = p->next;
	if (!q->first)
		q->last = &q->first;
	q->count--;
	return p;
}

void packet_queue_clear(struct packet_queue *q)
{
	for (struct packet *p; (p = packet_queue_take(q));)
		packet_free(p);
}
