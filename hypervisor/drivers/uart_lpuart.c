/* NXP LPUART, 32-bit registers (i.MX8QM). The firmware clocked it and set the rate. */
#include "drivers/uart.h"
#include "core/console.h"

enum { BAUD = 0x10, STAT = 0x14, CTRL = 0x18, DATA = 0x1c, MODIR = 0x24, WATER = 0x2c };
#define STAT_TX_ROOM (1u << 23) /* TDRE */
#define STAT_TX_DONE (1u << 22) /* TC */
#define STAT_RX_FULL (1u << 21) /* RDRF */
#define STAT_OVERRUN (1u << 19) /* write 1 to clear; blocks reception while set */
#define CTRL_TX_IRQ  (1u << 23) /* TIE: while TDRE */
#define CTRL_RX_IRQ  (1u << 21)
#define CTRL_ON	     (3u << 18) /* TE, RE */
#define BAUD_DMA     (1u << 23 | 1u << 21)

static volatile uint32_t *reg(void *regs, unsigned offset)
{
	return (volatile uint32_t *)((char *)regs + offset);
}

static bool lpuart_room(void *regs)
{
	return *reg(regs, STAT) & STAT_TX_ROOM;
}

static void lpuart_put(void *regs, char c)
{
	while (!lpuart_room(regs))
		;
	*reg(regs, DATA) = (uint8_t)c;
}

static int lpuart_get(void *regs)
{
	uint32_t stat = *reg(regs, STAT);

	if (stat & STAT_OVERRUN)
		*reg(regs, STAT) = stat | STAT_OVERRUN;
	if (!(stat & STAT_RX_FULL))
		return -1;
	return (int)(*reg(regs, DATA) & 0xff);
}

static void lpuart_interrupts(void *regs, bool receive, bool transmit)
{
	*reg(regs, BAUD) &= ~BAUD_DMA;
	*reg(regs, MODIR) = 0;
	*reg(regs, WATER) = 0; /* an interrupt for every byte */
	*reg(regs, CTRL) = (*reg(regs, CTRL) & ~(CTRL_RX_IRQ | CTRL_TX_IRQ)) | CTRL_ON |
			   (receive ? CTRL_RX_IRQ : 0) | (transmit ? CTRL_TX_IRQ : 0);
}

const struct uart_ops uart_lpuart = {lpuart_room, lpuart_put, lpuart_get, lpuart_interrupts,
				     DATA,	  STAT,	      STAT_TX_ROOM | STAT_TX_DONE, 0};
