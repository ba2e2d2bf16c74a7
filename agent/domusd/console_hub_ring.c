#include "domusd/console_hub_ring.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((CONSOLE_RING_SIZE & (CONSOLE_RING_SIZE - 1)) == 0, "positions are masked");
#define RING_MASK (CONSOLE_RING_SIZE - 1)

int console_ring_init(struct console_ring *ring)
{
	ring->end = 0;
	ring->data = malloc(CONSOLE_RING_SIZE);
	return ring->data ? 0 : -1;
}

void console_ring_free(struct console_ring *ring)
{
	free(ring->data);
	ring->data = NULL;
}

void console_ring_write(struct console_ring *ring, const void *data, size_t size)
{
	const unsigned char *from = data;
	size_t at, first;

	if (size > CONSOLE_RING_SIZE) { /* only the tail can survive */
		ring->end += size - CONSOLE_RING_SIZE;
		from += size - CONSOLE_RING_SIZE;
		size = CONSOLE_RING_SIZE;
	}
	at = (size_t)(ring->end & RING_MASK);
	first = size < CONSOLE_RING_SIZE - at ? size : CONSOLE_RING_SIZE - at;
	memcpy(ring->data + at, from, first);
	memcpy(ring->data, from + first, size - first);
	ring->end += size;
}

uint64_t console_ring_oldest(const struct console_ring *ring)
{
	return ring->end > CONSOLE_RING_SIZE ? ring->end - CONSOLE_RING_SIZE : 0;
}

ssize_t console_ring_read(const struct console_ring *ring, uint64_t position, void *data,
			  size_t size)
{
	size_t at, first;

	if (position < console_ring_oldest(ring) || position > ring->end)
		return -1;
	if (size > ring->end - position)
		size = (size_t)(ring->end - position);
	at = (size_t)(position & RING_MASK);
	first = size < CONSOLE_RING_SIZE - at ? size : CONSOLE_RING_SIZE - at;
	memcpy(data, ring->data + at, first);
	memcpy((unsigned char *)data + first, ring->data, size - first);
	return (ssize_t)size;
}
