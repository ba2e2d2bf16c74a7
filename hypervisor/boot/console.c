/* Finds the console: early by the board table, then by stdout-path. */
#include "boot/console.h"
#include "arch/mmu.h"
#include "boards/board.h"
#include "core/console.h"
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "drivers/uart.h"
#include "lib/dt.h"
#include "lib/print.h"

static const struct {
	const char *compatible;
	const struct uart_ops *ops;
} drivers[] = {
	{"arm,pl011", &uart_pl011},
	{"fsl,imx8qm-lpuart", &uart_lpuart},
	{"fsl,imx8qxp-lpuart", &uart_lpuart},
	{"fsl,imx7ulp-lpuart", &uart_lpuart},
};
static uint64_t open_at; /* machine address of the UART in use; 0 none */
static void *open_regs;
static unsigned input_intid;

static void open_for_error(enum log_level level, const char *line, size_t length)
{
	static bool tried;
	struct uart u = {&uart_pl011, NULL};

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
	u.ops = board->uart == BOARD_PL011 ? &uart_pl011 : &uart_lpuart;
	u.regs = open_regs;
	console_init(&u);
}

void console_open(const void *fdt)
{
	int node = dt_stdout(fdt), gic_node = dt_compatible(fdt, -1, "arm,gic-v3");
	struct dt_range at;
	unsigned flags;

	if (node < 0) {
		log_warning("the device tree names no console (stdout-path): the board's own is used");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct uart u = {drivers[i].ops, open_regs};

		if (!dt_is(dt_property(fdt, node, "compatible"), drivers[i].compatible) || !dt_reg(fdt, node, 0, &at))
			continue;
		if (at.base != open_at)
			u.regs = mmu_map_device(PA(at.base), PAGE_SIZE);
		if (!dt_interrupt(fdt, node, 0, gic_node, &input_intid, &flags))
			input_intid = 0;
		open_at = at.base;
		open_regs = u.regs;
		console_init(&u);
		return;
	}
	log_warning("no driver for the console %s: the board's own is used", dt_name(fdt, node));
}

void console_take_input(void)
{
	if (input_intid != 0 && irq_register(input_intid, false, console_irq, NULL) != 0)
		log_warning("the console's interrupt %u is taken: no input", input_intid);
}
