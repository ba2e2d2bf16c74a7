/* Finds the board in an unchecked device tree and writes to its UART by polling: works before everything else, MMU off too.
 * So: no pointers in data, aligned accesses only (the .mk file says -mstrict-align, for lib/dt too), every offset checked. */
#include "boards/board.h"
#include "lib/string.h"

enum { FDT_BEGIN = 1, FDT_END_OF_NODE = 2, FDT_PROPERTY = 3, FDT_NOTHING = 4 };

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Does the NUL-separated list hold the string, or (compatible lists name the SoC last) one that begins with it? */
static bool list_has(const char *list, size_t size, const char *what)
{
	size_t length = strlen(what);

	for (size_t at = 0; at < size;) {
		size_t n = strnlen(list + at, size - at);

		if (n >= length && memcmp(list + at, what, length) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

static const struct board *board_of(const char *list, size_t size)
{
	for (unsigned i = 0; i < board_count; i++)
		if (list_has(list, size, boards[i].compatible))
			return &boards[i];
	return NULL;
}

const struct board *board_find(const void *fdt, size_t limit)
{
	const uint8_t *p = fdt;
	uint64_t size, at, strings, name, length;

	if (limit < 40 || be32(p) != 0xd00dfeed)
		return NULL;
	size = be32(p + 4) < limit ? be32(p + 4) : limit;
	at = be32(p + 8);
	strings = be32(p + 12);
	/* the root's properties come before its first child (devicetree specification 5.4) */
	for (unsigned depth = 0; at % 4 == 0 && at + 12 <= size;) {
		switch (be32(p + at)) {
		case FDT_NOTHING:
			at += 4;
			break;
		case FDT_BEGIN:
			if (depth++ > 0)
				return NULL;
			at += 4 + ALIGN_UP(strnlen((const char *)p + at + 4, size - at - 4) + 1, 4);
			break;
		case FDT_PROPERTY:
			length = be32(p + at + 4);
			name = strings + be32(p + at + 8);
			at += 12;
			if (length > size - at || name + 11 > size)
				return NULL;
			if (memcmp(p + name, "compatible", 11) == 0)
				return board_of((const char *)p + at, length);
			at += ALIGN_UP(length, 4);
			break;
		default:
			return NULL;
		}
	}
	return NULL;
}

bool board_uart_of(struct dt_value compatible, enum board_uart *uart)
{
	*uart = dt_is(compatible, "arm,pl011") ? BOARD_PL011 : BOARD_LPUART;
	return *uart == BOARD_PL011 || dt_is(compatible, "fsl,imx8qm-lpuart") ||
	       dt_is(compatible, "fsl,imx8qxp-lpuart") || dt_is(compatible, "fsl,imx7ulp-lpuart");
}

bool board_uart_of_tree(const void *fdt, size_t limit, struct board *b)
{
	struct dt_range at;
	int node = dt_check(fdt, limit) == NULL ? dt_stdout(fdt) : -1;

	if (node < 0 || !board_uart_of(dt_property(fdt, node, "compatible"), &b->uart) ||
	    !dt_reg(fdt, node, 0, &at))
		return false;
	b->uart_base = at.base;
	return true;
}

static void early_put(const struct board *b, volatile uint32_t *regs, char c)
{
	if (b->uart == BOARD_PL011) {
		while (regs[0x18 / 4] & (1u << 5)) /* FR.TXFF */
			;
		regs[0] = (uint8_t)c;
	} else {
		while (!(regs[0x14 / 4] & (1u << 23))) /* STAT.TDRE */
			;
		regs[0x1c / 4] = (uint8_t)c;
	}
}

void early_puts(const struct board *b, volatile void *regs, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			early_put(b, regs, '\r');
		early_put(b, regs, *text);
	}
}
