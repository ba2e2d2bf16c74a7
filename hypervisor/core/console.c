/* One lock, the innermost of all: it is held while bytes go out by polling, at most one line long. */
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
static bool input_stopped; /* the UART's receive interrupt is off: no room */

static void ring_put(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[ring_next++ % CONSOLE_RING_SIZE] = text[i];
	if (ring_next - ring_begin > CONSOLE_RING_SIZE)
		ring_begin = ring_next - CONSOLE_RING_SIZE;
}

static void uart_put(const char *text, size_t length)
{
	for (size_t i = 0; uart.ops != NULL && i < length; i++) {
		if (text[i] == '\n')
			uart.ops->put(uart.regs, '\r');
		uart.ops->put(uart.regs, text[i]);
	}
}

static void log_sink(enum log_level level, const char *line, size_t length)
{
	LOCK_SCOPE(&lock);
	ring_put(line, length);
	if (level <= console_level)
		uart_put(line, length);
}

void console_seize(void)
{
	__atomic_store_n(&lock.held, 0, __ATOMIC_RELEASE); /* not lock_drop(): it is not ours */
}

void console_init(const struct uart *u)
{
	uart = *u;
	print_sink = log_sink;
}

void console_write(const char *text, size_t length)
{
	LOCK_SCOPE(&lock);
	uart_put(text, length);
}

void console_on_input(void (*notify)(void))
{
	input_notify = notify;
	if (uart.ops != NULL)
		uart.ops->receive_irq(uart.regs, true);
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
	if (input_next - input_taken == sizeof(input)) {
		uart.ops->receive_irq(uart.regs, false);
		input_stopped = true;
	}
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
		uart.ops->receive_irq(uart.regs, true);
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
