/* A board is a table entry: what cannot be learned from its device tree. Entries hold no pointers, because the early console
 * reads them before the MMU is on. */
#ifndef BOARDS_BOARD_H
#define BOARDS_BOARD_H
#include "lib/dt.h"

enum board_uart { BOARD_PL011, BOARD_LPUART };

struct board {
	char compatible[40];   /* in the root node; the first entry that matches is the board */
	char name[24];
	uint64_t uart_base;    /* where the early console is, set up by the firmware */
	enum board_uart uart;
};
extern const struct board boards[];
extern const unsigned board_count;

/* The board of a device tree by a minimal walk that trusts nothing but `limit` readable bytes; NULL when it is not in the
 * table or the tree is no tree. Works with the MMU off. */
const struct board *board_find(const void *fdt, size_t limit);

/* The kind of a UART with this compatible list; false: no driver. MMU on or off, as what follows. */
bool board_uart_of(struct dt_value compatible, enum board_uart *uart);
/* Fills in kind and place of the UART that stdout-path names. Trusts the tree no more than board_find(), but asks for a whole one. */
bool board_uart_of_tree(const void *fdt, size_t limit, struct board *b);

/* The console before the console: writes through `regs` (the board's uart_base, or where it is mapped). */
void early_puts(const struct board *b, volatile void *regs, const char *text);

#endif
