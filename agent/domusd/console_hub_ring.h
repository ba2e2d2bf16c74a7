#ifndef DOMUSD_CONSOLE_HUB_RING_H
#define DOMUSD_CONSOLE_HUB_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The last 256 KiB of a console. Positions count bytes since the ring was made and never wrap, so each reader needs
 * nothing but its own position, and one that fell behind by more than the ring knows it. Not locked: the hub's thread
 * owns it.
 */
#define CONSOLE_RING_SIZE ((size_t)256 * 1024)

struct console_ring {
	unsigned char *data; /* touched only as far as it was filled, so a silent console costs one page */
	uint64_t end;        /* position after the newest byte */
};

/* 0, or -1 without memory. console_ring_free is good on a zeroed ring too. */
int console_ring_init(struct console_ring *ring);
void console_ring_free(struct console_ring *ring);
void console_ring_write(struct console_ring *ring, const void *data, size_t size);
/* Position of the oldest byte still held. */
uint64_t console_ring_oldest(const struct console_ring *ring);
/* Copies up to `size` bytes from `position`; 0 when there is nothing newer, -1 when that part is overwritten. */
ssize_t console_ring_read(const struct console_ring *ring, uint64_t position, void *data,
			  size_t size);

#endif
