/* The UART drivers: struct uart_ops each, for core/console. The firmware's baud rate is kept. */
#ifndef DRIVERS_UART_H
#define DRIVERS_UART_H
#include "lib/types.h"

struct uart_ops;
/* Is there a PL011 behind these registers? Reads only. */
bool uart_pl011_answers(void *regs);
extern const struct uart_ops uart_pl011; /* "arm,pl011" */
extern const struct uart_ops uart_lpuart; /* "fsl,imx8qm-lpuart", "fsl,imx8qxp-lpuart", "fsl,imx7ulp-lpuart" */

#endif
