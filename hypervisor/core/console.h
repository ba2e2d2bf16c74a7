/* The machine's console: one UART, a log ring for `xl dmesg`, and Dom0's hvc0. */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H
#include "lib/print.h"

#define CONSOLE_RING_SIZE 16384
#define CONSOLE_OUT_SIZE  8192 /* bytes that may wait for the UART: 0.7 s at 115,200 baud */

/* A UART as its driver gives it. Registers are mapped; all calls come with the console lock held. */
struct uart_ops {
	bool (*room)(void *regs);		/* does it take a byte at once? */
	void (*put)(void *regs, char c);	/* waits for room */
	int (*get)(void *regs);			/* next byte or -1 */
	/* Which interrupts are on: bytes came; there is room again after `put` had filled it. */
	void (*interrupts)(void *regs, bool receive, bool transmit);
	/* What software that polls looks at: offsets of the registers, and the flags' register with and without room for a byte. */
	uint32_t data, flags, flags_room, flags_full;
};
struct uart {
	const struct uart_ops *ops;
	void *regs;
	uint64_t base; /* machine address of regs */
};

void console_init(const struct uart *u);
/* The one in use; ops is NULL as long as there is none. */
const struct uart *console_uart(void);
/* The machine runs and console_irq() is called: from here on output is queued. */
void console_run(void);
/* The machine goes down: what is queued goes out now, and all that follows, by polling. */
void console_finish(void);
/* The same, and whoever holds the lock is not waited for: the hypervisor has faulted. */
void console_seize(void);
/* What a guest says (console_io write, earlycon): bytes as they are, LF without CR becomes CR LF. Not into the ring, which is the hypervisor's
 * own log. The text goes out in one piece. False: there is no room for it now, nothing was taken. */
bool console_write(const char *text, size_t length);
/* Would console_write() take so many bytes now? */
bool console_has_room(size_t length);
/* Console input for Dom0: takes at most `size` bytes, returns how many. Never waits. */
size_t console_read(char *to, size_t size);
/* Called after input arrived (VIRQ_CONSOLE). One listener. */
void console_on_input(void (*notify)(void));
/* irq_handler of the UART. */
void console_irq(unsigned intid, void *arg);

/* The log ring by absolute position, for sysctl readconsole: copies what is still there from *index on, at most size bytes;
 * moves *index behind it (a position that has been cleared or overwritten is moved up first). Returns the number of bytes. */
uint32_t console_ring_read(uint32_t *index, char *to, uint32_t size);
/* Position where the text that is not cleared begins. */
uint32_t console_ring_start(void);
void console_ring_clear(void);

/* loglvl= of the command line: what reaches the UART. */
extern enum log_level console_level;

#endif
