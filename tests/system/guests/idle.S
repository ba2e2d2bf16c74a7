/*
 * A guest that does nothing, for as long as it is let: an arm64 Image (booting.rst, "Call the kernel image") that waits for
 * interrupts which never come. For tests of what surrounds a guest: it is built in a moment.
 */
	.globl _start
_start:
	b	idle
	.long	0
	.quad	0		/* text_offset */
	.quad	_end - _start	/* image_size */
	.quad	0xa		/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
idle:
	wfi
	b	idle
	.balign	4096
_end:
