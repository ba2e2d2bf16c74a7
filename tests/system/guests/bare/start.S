/* What every bare-metal guest begins with: the header of an arm64 Image, relocation to where it was loaded, an identity map,
 * and the exception vectors. A guest is a `void guest_main(void)`; other vCPUs come in at guest_cpu_entry (PSCI CPU_ON) with
 * x0 = their struct cpu. */
	.section .text.head, "ax"
	.global _start
_start:
	b	begin
	.long	0
	.quad	0				/* text_offset */
	.quad	image_size
	.quad	0xa				/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

begin:
	adr	x20, _start
	mov	x21, x0				/* the device tree */
	/* bss: the loader need not clear it */
	adrp	x0, bss_begin
	add	x0, x0, :lo12:bss_begin
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	/* relocations {offset, info, addend}: all of them are R_AARCH64_RELATIVE, the image is linked at 0 */
	adrp	x0, rela_begin
	add	x0, x0, :lo12:rela_begin
	adrp	x1, rela_end
	add	x1, x1, :lo12:rela_end
2:	cmp	x0, x1
	b.hs	3f
	ldr	x2, [x0], #16
	ldr	x3, [x0], #8
	add	x3, x3, x20
	str	x3, [x20, x2]
	b	2b
3:	adrp	x0, guest_tree
	str	x21, [x0, :lo12:guest_tree]
	/* identity map of 1 GiB blocks: the first one is devices, the next 15 are memory */
	adrp	x0, table
	mov	x1, #0x401			/* block, AF, attribute 0 */
	movk	x1, #0x60, lsl #48		/* never executable */
	str	x1, [x0]
	mov	x2, #1
	mov	x1, #0x705			/* block, AF, inner shareable, attribute 1 */
4:	add	x3, x1, x2, lsl #30
	str	x3, [x0, x2, lsl #3]
	add	x2, x2, #1
	cmp	x2, #16
	b.lo	4b
	dsb	sy
	adrp	x0, cpus
	add	x0, x0, :lo12:cpus
	bl	cpu_setup
	adrp	x1, boot_tree
	str	x21, [x1, :lo12:boot_tree]
	bl	guest_main
	b	.

	.global guest_cpu_entry
guest_cpu_entry:
	bl	cpu_setup
	mrs	x0, tpidr_el1
	bl	guest_cpu_main
	b	.

/* x0: struct cpu. MMU, caches, vectors, stack, FP. */
cpu_setup:
	msr	tpidr_el1, x0
	mov	x1, #0xff00			/* MAIR: 0 device nGnRnE, 1 normal WB */
	msr	mair_el1, x1
	ldr	x1, =0x200803519		/* TCR: T0SZ 25, WB WA, inner shareable, no TTBR1, 40 bits */
	msr	tcr_el1, x1
	adrp	x1, table
	msr	ttbr0_el1, x1
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x1, =0x30d0199d			/* SCTLR: RES1, M C I SA, SPAN */
	msr	sctlr_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	msr	spsel, #1
	ldr	x1, [x0]			/* struct cpu: index */
	adrp	x2, stacks
	add	x2, x2, :lo12:stacks
	add	x1, x1, #1
	add	x2, x2, x1, lsl #14
	mov	sp, x2
	ret
	.ltorg

.macro vector kind
	.balign 128
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	mov	x0, #\kind
	b	exception
.endm
	.balign 2048
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr
exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x30, x1, [sp, #240]
	str	x2, [sp, #256]
	mov	x1, sp
	bl	guest_exception
	msr	daifset, #0xf
	ldp	x30, x1, [sp, #240]
	ldr	x2, [sp, #256]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldp	x0, x1, [sp], #272
	eret

	.bss
	.balign 8
	.global guest_tree
guest_tree: .space 8
	.balign 4096
table:	.space	4096
stacks:	.space	16384 * 8
