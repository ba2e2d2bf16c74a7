/* The machine's UART belongs to the hypervisor. Where it lies, Dom0 sees one that can be polled: a kernel's first words
 * (earlycon=pl011,0x9000000) go to the console before it knows that it runs on a hypervisor. Nothing is ever received. */
#include "core/console.h"
#include "guest/trap.h"

static bool early_access(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	const struct uart_ops *uart = console_uart()->ops;
	char c = (char)m->value;

	(void)v;
	if (!m->write)
		m->value = offset != uart->flags ? 0
			   : console_has_room(1) ? uart->flags_room
						 : uart->flags_full;
	else if (offset == uart->data)
		(void)console_write(&c, 1); /* lost when there is no room, as in a FIFO */
	return true;
}

void vuart_early_place(struct domain *d)
{
	const struct uart *uart = console_uart();

	if (uart->ops != NULL)
		(void)mmio_register(d, IPA(uart->base), PAGE_SIZE, early_access);
}
