/* Finds the console: early by the board table, then by stdout-path. */
#include "boot/console.h"
#include "arch/mmu.h"
#include "boards/board.h"
#include "core/console.h"
#include "core/irq.h"
#include "core/options.h"
#include "drivers/gicv3.h"
#include "drivers/uart.h"
#include "lib/dt.h"
#include "lib/print.h"

static const struct uart_ops *const drivers[] = {
	[BOARD_PL011] = &uart_pl011, [BOARD_LPUART] = &uart_lpuart};
static uint64_t open_at; /* machine address of the UART in use; 0 none */
static void *open_regs;
static unsigned console_intid;

static void open_for_error(enum log_level level, const char *line, size_t length)
{
	static bool tried;
	struct uart u = {&uart_pl011, NULL, 0};

	if (level > LOG_ERROR || tried)
		return;
	tried = true; /* looking for it may fault, and that is an error again */
	for (unsigned i = 0; i < board_count; i++) {
		if (boards[i].uart != BOARD_PL011)
			continue;
		u.regs = mmu_map_device(PA(boards[i].uart_base), PAGE_SIZE);
		if (uart_pl011_answers(u.regs)) {
			console_init(&u);
			print_sink(level, line, length);
			return;
		}
	}
}

void console_last_resort(void)
{
	print_sink = open_for_error;
}

void early_console_open(const struct board *board)
{
	struct uart u;

	if (board == NULL)
		return;
	open_at = board->uart_base;
	open_regs = mmu_map_device(PA(open_at), PAGE_SIZE);
	u = (struct uart){drivers[board->uart], open_regs, open_at};
	console_init(&u);
}

void console_open(const void *fdt)
{
	int node = dt_stdout(fdt), gic_node = dt_compatible(fdt, -1, "arm,gic-v3");
	enum board_uart kind;
	struct dt_range at;
	struct uart u;
	unsigned flags;

	if (node < 0) {
		log_warning("the device tree names no console (stdout-path): the board's own is used");
		return;
	}
	if (!board_uart_of(dt_property(fdt, node, "compatible"), &kind) ||
	    !dt_reg(fdt, node, 0, &at)) {
		log_warning("no driver for the console %s: the board's own is used",
			    dt_name(fdt, node));
		return;
	}
	u = (struct uart){drivers[kind], at.base == open_at ? open_regs : mmu_map_device(PA(at.base), PAGE_SIZE), at.base};
	if (!dt_interrupt(fdt, node, 0, gic_node, &console_intid, &flags))
		console_intid = 0;
	open_at = at.base;
	open_regs = u.regs;
	console_init(&u);
}

void console_take_irq(void)
{
	if (console_intid != 0 && irq_register(console_intid, false, console_irq, NULL) != 0) {
		log_warning("the console's interrupt %u is taken: no input", console_intid);
		console_intid = 0;
	}
}

void console_serve(void)
{
	if (console_intid != 0 && !options.sync_console)
		console_run();
}
