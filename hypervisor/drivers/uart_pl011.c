/* Arm PL011 (DDI 0183): FIFOs as the firmware left them. */
#include "drivers/uart.h"
#include "core/console.h"

enum { DR = 0x00, FR = 0x18, LCR_H = 0x2c, CR = 0x30, IMSC = 0x38, ICR = 0x44 };
#define FR_RX_EMPTY (1u << 4)
#define FR_TX_FULL  (1u << 5)
#define FR_TX_EMPTY (1u << 7)
#define INT_RX	    (1u << 4 | 1u << 6) /* receive, receive timeout */
#define INT_TX	    (1u << 5)		/* raised when a full FIFO has drained to its trigger level (2.8.2) */

static volatile uint32_t *reg(void *regs, unsigned offset)
{
	return (volatile uint32_t *)((char *)regs + offset);
}

static bool pl011_room(void *regs)
{
	return !(*reg(regs, FR) & FR_TX_FULL);
}

static void pl011_put(void *regs, char c)
{
	while (!pl011_room(regs))
		;
	*reg(regs, DR) = (uint8_t)c;
}

/* UARTPeriphID0 and 1, UARTPCellID0 to 3 (3.3.14, 3.3.15) */
bool uart_pl011_answers(void *regs)
{
	static const struct {
		unsigned offset;
		uint8_t value;
	} id[] = {{0xfe0, 0x11}, {0xfe4, 0x10}, {0xff0, 0x0d}, {0xff4, 0xf0}, {0xff8, 0x05}, {0xffc, 0xb1}};

	for (unsigned i = 0; i < ARRAY_SIZE(id); i++)
		if ((*reg(regs, id[i].offset) & 0xff) != id[i].value)
			return false;
	return true;
}

static int pl011_get(void *regs)
{
	if (*reg(regs, FR) & FR_RX_EMPTY)
		return -1;
	return (int)(*reg(regs, DR) & 0xff);
}

static void pl011_interrupts(void *regs, bool receive, bool transmit)
{
	*reg(regs, IMSC) = (receive ? INT_RX : 0) | (transmit ? INT_TX : 0);
	*reg(regs, CR) = *reg(regs, CR) | 1u << 0 | 1u << 8 | 1u << 9; /* UARTEN, TXE, RXE */
}

const struct uart_ops uart_pl011 = {pl011_room, pl011_put, pl011_get, pl011_interrupts,
				    DR,		FR,	   FR_RX_EMPTY | FR_TX_EMPTY, FR_RX_EMPTY | FR_TX_FULL};
