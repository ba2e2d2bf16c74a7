/*
 * Dom0 of the entry benchmark: an arm64 Image whose first instruction reads the physical counter. It prints the count by
 * console_io and powers the machine off. MMU and caches are off, so the buffer's address is physical and right.
 */
#define HYPERVISOR_console_io 18 /* public/xen.h */
#define HYPERVISOR_sched_op   29
#define CONSOLEIO_write	      0
#define SCHEDOP_shutdown      2	 /* public/sched.h, which assembly cannot include */
#define SHUTDOWN_poweroff     0

	.globl _start
_start:
	mrs	x19, cntpct_el0		/* code0 of the header: no branch before it */
	b	main
	.quad	0			/* text_offset */
	.quad	IMAGE_SIZE		/* what Debian's kernel asks for */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
main:
	mrs	x20, cntfrq_el0
	adr	x2, frequency_end
	mov	x0, x20
	bl	decimal
	adr	x2, ticks_end
	mov	x0, x19
	bl	decimal
	mov	x0, #CONSOLEIO_write
	mov	x1, #(text_end - text)
	adr	x2, text
	mov	x16, #HYPERVISOR_console_io
	hvc	#0xea1
	mov	x0, #SCHEDOP_shutdown
	adr	x1, reason
	mov	x16, #HYPERVISOR_sched_op
	hvc	#0xea1
1:	wfi
	b	1b

/* x0 in decimal, right-aligned, ends before x2 */
decimal:
	mov	x3, #10
2:	udiv	x4, x0, x3
	msub	x5, x4, x3, x0
	add	x5, x5, #'0'
	strb	w5, [x2, #-1]!
	mov	x0, x4
	cbnz	x0, 2b
	ret

	.balign	8
reason:	.long	SHUTDOWN_poweroff
text:	.ascii	"entry: ticks "
	.space	20, 32
ticks_end:
	.ascii	" frequency "
	.space	20, 32
frequency_end:
	.ascii	"\n"
text_end:
	.balign	4096
