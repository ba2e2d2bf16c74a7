/* One lock, the innermost of all. What is to go out waits in a queue, and the UART's interrupt asks for more of it: a line takes
 * 10 ms at 115,200 baud, and nobody waits for that with interrupts masked. Only before the machine runs, when it goes down, and
 * when the hypervisor's own lines find the queue full, bytes go out by polling. */
#include "core/console.h"
#include "lib/lock.h"
#include "lib/string.h"

enum log_level console_level = LOG_INFO;

static struct lock lock = LOCK(LOCK_CONSOLE);
static struct uart uart;
static void (*input_notify)(void);
static char ring[CONSOLE_RING_SIZE];
static uint32_t ring_next;  /* position of the next byte, counted from the start of the machine */
static uint32_t ring_begin; /* position of the first byte that `xl dmesg -c` has not cleared */
static char input[256];
static uint32_t input_next, input_taken;
static bool input_wanted;  /* by Dom0, once it runs */
static bool input_stopped; /* the UART's receive interrupt is off: no room */
static char out[CONSOLE_OUT_SIZE];
static uint32_t out_next, out_sent;
static bool queued; /* console_run() */
static bool receiving, transmitting; /* the interrupts that are on */

static void ring_put(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[ring_next++ % CONSOLE_RING_SIZE] = text[i];
	if (ring_next - ring_begin > CONSOLE_RING_SIZE)
		ring_begin = ring_next - CONSOLE_RING_SIZE;
}

/* By polling, until at most `left` bytes wait. */
static void send(uint32_t left)
{
	while (out_next - out_sent > left)
		uart.ops->put(uart.regs, out[out_sent++ % CONSOLE_OUT_SIZE]);
}

static void set_interrupts(void)
{
	bool receive = input_wanted && !input_stopped, transmit = out_next != out_sent;

	if (receive != receiving || transmit != transmitting)
		uart.ops->interrupts(uart.regs, receive, transmit);
	receiving = receive;
	transmitting = transmit;
}

/* As much as the UART takes now, but at most a FIFO full at once (QEMU's is never full). */
static void serve(void)
{
	for (unsigned n = 0; n < 32 && out_next != out_sent && uart.ops->room(uart.regs); n++)
		send(out_next - out_sent - 1);
	set_interrupts();
}

static void put(char c)
{
	if (out_next - out_sent == CONSOLE_OUT_SIZE)
		send(CONSOLE_OUT_SIZE - 1);
	out[out_next++ % CONSOLE_OUT_SIZE] = c;
}

static void put_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' && out[(out_next - 1) % CONSOLE_OUT_SIZE] != '\r')
			put('\r');
		put(text[i]);
	}
	if (queued)
		serve();
	else
		send(0);
}

static void log_sink(enum log_level level, const char *line, size_t length)
{
	LOCK_SCOPE(&lock);
	ring_put(line, length);
	if (level <= console_level && uart.ops != NULL)
		put_text(line, length);
}

void console_run(void)
{
	queued = true;
}

void console_finish(void)
{
	LOCK_SCOPE(&lock);
	queued = false;
	if (uart.ops != NULL)
		send(0);
}

void console_seize(void)
{
	__atomic_store_n(&lock.held, 0, __ATOMIC_RELEASE); /* not lock_drop(): it is not ours */
	console_finish();
}

void console_init(const struct uart *u)
{
	uart = *u;
	print_sink = log_sink;
}

const struct uart *console_uart(void)
{
	return &uart;
}

bool console_has_room(size_t length)
{
	return !queued || 2 * length <= CONSOLE_OUT_SIZE - (out_next - out_sent);
}

bool console_write(const char *text, size_t length)
{
	LOCK_SCOPE(&lock);
	if (!console_has_room(length))
		return false;
	if (uart.ops != NULL)
		put_text(text, length);
	return true;
}

void console_on_input(void (*notify)(void))
{
	LOCK_SCOPE(&lock);
	input_notify = notify;
	input_wanted = true;
	if (uart.ops != NULL)
		set_interrupts();
}

void console_irq(unsigned intid, void *arg)
{
	bool any = false;
	int c;

	(void)intid;
	(void)arg;
	lock_take(&lock);
	while (input_next - input_taken < sizeof(input) && (c = uart.ops->get(uart.regs)) >= 0) {
		input[input_next++ % sizeof(input)] = (char)c;
		any = true;
	}
	/* what does not fit waits in the UART, and the other side with it, until Dom0 has read some */
	input_stopped = input_next - input_taken == sizeof(input);
	serve();
	lock_drop(&lock);
	if (any && input_notify != NULL)
		input_notify();
}

size_t console_read(char *to, size_t size)
{
	size_t n = 0;

	LOCK_SCOPE(&lock);
	while (n < size && input_taken != input_next)
		to[n++] = input[input_taken++ % sizeof(input)];
	if (input_stopped && n > 0) {
		input_stopped = false;
		set_interrupts();
	}
	return n;
}

uint32_t console_ring_read(uint32_t *index, char *to, uint32_t size)
{
	uint32_t n = 0;

	LOCK_SCOPE(&lock);
	if (ring_next - *index > ring_next - ring_begin) /* cleared, overwritten, or not written yet */
		*index = ring_begin;
	while (n < size && *index != ring_next)
		to[n++] = ring[(*index)++ % CONSOLE_RING_SIZE];
	return n;
}

uint32_t console_ring_start(void)
{
	return ring_begin;
}

void console_ring_clear(void)
{
	LOCK_SCOPE(&lock);
	ring_begin = ring_next;
}
