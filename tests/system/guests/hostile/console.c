/* The ring of xen/io/console.h. Several vCPUs write: who finds it taken does without. */
#include "hostile.h"

struct ring {
	char in[1024], out[2048];
	volatile uint32_t in_cons, in_prod, out_cons, out_prod;
};
static struct ring *ring;
static uint32_t port;
static struct cpu *taken; /* by this vCPU */

static uint64_t param(unsigned index)
{
	struct {
		uint16_t domain, pad;
		uint32_t index;
		uint64_t value;
	} op = {0x7ff0, 0, index, 0};

	return hypercall(34, 1, (uint64_t)&op, 0) ? 0 : op.value;
}

void console_start(void)
{
	ring = (struct ring *)(param(17) << 12);
	port = (uint32_t)param(18);
	print_line = console_write;
}

uint32_t console_port(void)
{
	return port;
}

int console_read(void)
{
	int c = -1;

	if (ring->in_cons != ring->in_prod) {
		asm volatile("dmb ish" ::: "memory");
		c = (uint8_t)ring->in[ring->in_cons % sizeof(ring->in)];
		asm volatile("dmb ish" ::: "memory");
		ring->in_cons++;
	}
	return c;
}

void console_write(const char *text, size_t length)
{
	struct cpu *none = NULL;

	if (!ring || !__atomic_compare_exchange_n(&taken, &none, cpu_this(), false,
						  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	for (size_t i = 0; i < length && ring->out_prod - ring->out_cons < sizeof(ring->out); i++) {
		ring->out[ring->out_prod % sizeof(ring->out)] = text[i];
		asm volatile("dmb ish" ::: "memory");
		ring->out_prod++;
	}
	__atomic_store_n(&taken, NULL, __ATOMIC_RELEASE);
	hypercall(32, 4, (uint64_t)&port, 0); /* event_channel_op, send */
}

size_t console_room(void)
{
	return sizeof(ring->out) - (ring->out_prod - ring->out_cons);
}

void console_leave(struct cpu *c)
{
	__atomic_compare_exchange_n(&taken, &c, NULL, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
