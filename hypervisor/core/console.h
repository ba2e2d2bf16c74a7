/* The machine's console: one UART, a log ring for `xl dmesg`, and Dom0's hvc0. */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H
#include "lib/print.h"

#define CONSOLE_RING_SIZE 16384

/* A UART as its driver gives it. Registers are mapped; all calls come with the console lock held. */
struct uart_ops {
	void (*put)(void *regs, char c);	/* waits for room */
	int (*get)(void *regs);			/* next byte or -1 */
	void (*receive_irq)(void *regs, bool on);
};
struct uart {
	const struct uart_ops *ops;
	void *regs;
};

void console_init(const struct uart *u);
/* The machine goes down: whoever holds the lock is not waited for. */
void console_seize(void);
/* What a guest says (console_io write, earlycon): bytes as they are, LF becomes CR LF. Not into the ring, which is the hypervisor's own log. */
void console_write(const char *text, size_t length);
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
