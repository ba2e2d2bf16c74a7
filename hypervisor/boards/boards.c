/* The boards that Domus knows. Everything else about them comes from their device tree. */
#include "boards/board.h"

const struct board boards[] = {
	{"linux,dummy-virt", "qemu-virt", 0x09000000, BOARD_PL011},
	{"iwave,imx8qm", "imx8qm-iwave", 0x5a0a0000, BOARD_LPUART},
	{"toradex,apalis-imx8", "imx8qm-apalis", 0x5a070000, BOARD_LPUART},
	{"fsl,imx8qm", "imx8qm", 0x5a060000, BOARD_LPUART},
};
const unsigned board_count = ARRAY_SIZE(boards);
