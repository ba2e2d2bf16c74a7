/* The console at boot: first the board table's, then the one that the device tree's stdout-path names. */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H
struct board;

/* An error that nobody can read would be silent: until a console is open, the first one looks for a UART of the board table that
 * says itself what it is. */
void console_last_resort(void);
/* NULL: an unknown board, whose console stdout-path may name. */
void early_console_open(const struct board *board);
void console_open(const void *fdt);
/* The UART's interrupt is the hypervisor's. After the GIC is up. */
void console_take_irq(void);
/* Interrupts are taken from now on: nobody waits for the UART any more. */
void console_serve(void);

#endif
