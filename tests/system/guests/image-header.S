/* The header of an arm64 Image (Linux Documentation/arch/arm64/booting.rst), whose first word is the instruction `first`. The program
 * goes on behind it, and ends with _end. */
.macro image_header first:vararg
	.globl _start
_start:
	\first
	b	main
	.quad	0			/* text_offset */
	.quad	_end - _start		/* image_size */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
main:
.endm
