/*
 * A Dom0 that says where it has arrived and waits: an arm64 Image (booting.rst) whose first instruction is the header's first
 * word. It prints its own address and that of its device tree; the test reads the machine's memory there. MMU and caches are
 * off, so the buffer's address is physical and right.
 */
#define HYPERVISOR_console_io 18 /* public/xen.h */
#define CONSOLEIO_write	      0

#include "image-header.S"

	image_header adr x19, _start
	mov	x20, x0
	adr	x2, kernel_end
	mov	x0, x19
	bl	hexadecimal
	adr	x2, tree_end
	mov	x0, x20
	bl	hexadecimal
	mov	x0, #CONSOLEIO_write
	mov	x1, #(text_end - text)
	adr	x2, text
	mov	x16, #HYPERVISOR_console_io
	hvc	#0xea1
1:	wfi
	b	1b

/* x0 in 16 digits that end before x2 */
hexadecimal:
	mov	x3, #16
2:	and	x4, x0, #15
	add	x5, x4, #'0'
	add	x6, x4, #('a' - 10)
	cmp	x4, #10
	csel	x5, x5, x6, lo
	strb	w5, [x2, #-1]!
	lsr	x0, x0, #4
	subs	x3, x3, #1
	b.ne	2b
	ret

text:	.ascii	"dom0 arrived: kernel "
	.space	16, 32
kernel_end:
	.ascii	" tree "
	.space	16, 32
tree_end:
	.ascii	" .\n"
text_end:
	.balign	4096
_end:
