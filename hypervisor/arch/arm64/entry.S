/* Entry from the boot loader and of the other CPUs, the vectors of EL2, and the way to the guest and back. */
#define FRAME_SIZE 272
#define FRAME_ELR  248 /* x30 stands before it */
#define FRAME_SPSR 256 /* FRAME_DIRTY stands after it */
#define FRAME_DIRTY 264
#define CPU_VCPU   0   /* struct cpu */
#define CPU_STACK  8
#define VCPU_WORK  8   /* struct vcpu */

	.section .text.head, "ax"
	.global image_begin
/* Header of an arm64 Image (Linux Documentation/arch/arm64/booting.rst) */
	b	boot_first
	.long	0
	.quad	0			/* text_offset */
	.quad	image_size		/* bss too */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/* x0: machine address of the device tree. MMU and data cache off, any position that is page aligned. */
boot_first:
	msr	daifset, #0xf
	mov	x20, x0
	adrp	x0, bss_begin
	add	x0, x0, :lo12:bss_begin
	adrp	x1, image_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	adrp	x1, boot_stack_top
	add	sp, x1, :lo12:boot_stack_top
	mov	x29, xzr
	mov	x30, xzr
	mov	x18, xzr
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.eq	2f
	mov	x0, x20
	bl	early_wrong_level		/* says so and stops */
2:	bl	early_tables
	/* what was written with the cache off must not be hidden by stale lines */
	adrp	x0, rodata_end
	adrp	x1, image_end
3:	dc	ivac, x0
	add	x0, x0, #16
	cmp	x0, x1
	b.lo	3b
	dsb	sy
	bl	mmu_on
	adrp	x1, boot_stack_top
	add	sp, x1, :lo12:boot_stack_top
	msr	tpidr_el2, xzr
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el2, x0
	isb
	mov	x0, x20
	bl	boot_init
	b	.

/* PSCI CPU_ON comes here; x0: virtual address of its struct cpu. */
	.global boot_other
boot_other:
	msr	daifset, #0xf
	mov	x20, x0
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	.
	bl	mmu_on
	msr	tpidr_el2, x20
	mov	x18, xzr
	ldr	x0, [x20, #CPU_STACK]
	mov	sp, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el2, x0
	isb
	mov	x29, xzr
	mov	x0, x20
	bl	boot_cpu
	b	.

/* Turns MMU and caches on with the boot tables (identity + image) and returns to the image's virtual address; from there with
 * the hypervisor's own tables, which have no identity mapping. Uses x0-x6. */
mmu_on:
	ic	iallu
	tlbi	alle2
	tlbi	alle1				/* a core that was off heard of no change of a guest's tables */
	dsb	nsh
	ldr	x0, =0x4404ff			/* MAIR: 0 normal WB, 1 device nGnRE, 2 normal NC */
	msr	mair_el2, x0
	mrs	x1, id_aa64mmfr0_el1
	and	x1, x1, #7			/* PARange, at most 48 bits */
	cmp	x1, #5
	mov	x2, #5
	csel	x1, x1, x2, lo
	ldr	x0, =0x80803510			/* TCR_EL2: RES1, 4 KiB, inner shareable, WB WA, T0SZ 16 */
	bfi	x0, x1, #16, #3
	msr	tcr_el2, x0
	adrp	x0, boot_root
	msr	ttbr0_el2, x0
	isb
	ldr	x0, =0x30cd183d			/* SCTLR_EL2: RES1, M C I SA WXN */
	msr	sctlr_el2, x0
	isb
	adrp	x1, image_begin			/* still the machine address */
	ldr	x2, =image_begin
	sub	x2, x2, x1
	add	x30, x30, x2
	adr	x3, 1f
	add	x3, x3, x2
	br	x3
1:	adrp	x0, mmu_root_pa			/* stored by early_tables */
	ldr	x0, [x0, :lo12:mmu_root_pa]
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	dsb	nsh
	isb
	ret
	.ltorg

/* ---- vectors -------------------------------------------------------------------------------------------------------- */
.macro save
	stp	x0, x1, [sp, #-FRAME_SIZE]!
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
	mrs	x1, elr_el2			/* x19 to x28 stay as they are, see guest_return */
	mrs	x2, spsr_el2
	stp	x30, x1, [sp, #240]
	stp	x2, xzr, [sp, #FRAME_SPSR]
	mov	x0, sp
.endm
/* x29 stays the guest's: a backtrace ends at the return address that lies here (fault.c), and asks where: which slot of 128 bytes. */
.macro vector handler
	.balign 128
	save
	mov	x18, xzr			/* no locks held (cpu_locks) */
	bl	\handler
	b	guest_return
.endm
/* A fault of EL2 itself. The stack may be the reason: a good stack pointer of a CPU has bit 14 set (mmu_map_stack). */
.macro own kind
	.balign 128
	sub	sp, sp, #FRAME_SIZE
	add	sp, sp, x0			/* test sp without a free register: swap it with x0 and back */
	sub	x0, sp, x0
	tbz	x0, #14, own_bad_stack
	sub	x0, sp, x0
	sub	sp, sp, x0
	add	sp, sp, #FRAME_SIZE
	save
	mov	x1, #\kind
	b	own_fault
.endm

	.section .text.vectors, "ax"
	.balign 2048
	.global vectors
vectors:
	own	0				/* EL2 with SP_EL0: never used */
	own	1
	own	2
	own	3
	own	0				/* EL2 */
	own	1
	own	2
	own	3
	vector	trap_sync			/* guest, AArch64 */
	vector	trap_irq
	vector	trap_irq
	vector	trap_serror
	vector	trap_sync			/* guest, AArch32 EL0 */
	vector	trap_irq
	vector	trap_irq
	vector	trap_serror

	.balign 128
own_bad_stack:
	sub	x0, sp, x0			/* x0 and sp as they were */
	sub	sp, sp, x0
	msr	tpidr_el0, x0			/* the machine will not go on: a scratch register is free */
	adrp	x0, emergency_stack_top
	add	x0, x0, :lo12:emergency_stack_top
	mov	sp, x0
	mrs	x0, tpidr_el0
	save
	mov	x1, #4
own_fault:
	ldr	x29, [sp, #232]			/* the interrupted frame pointer, for the backtrace */
	bl	fault_report
	b	.

/* guest_enter(struct frame *): a CPU's way to its guest from elsewhere; the frame lies on top of its stack, what lies below it is
 * forgotten */
	.global guest_enter
guest_enter:
	mov	sp, x0
	mov	x18, xzr
	mov	x1, #1
	str	x1, [sp, #FRAME_DIRTY]
/* The usual way back: no work, and the handler, being C, has left x19 to x28 as the guest had them, so they need not be loaded. */
guest_return:
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #CPU_VCPU]
	ldr	w1, [x0, #VCPU_WORK]
	cbnz	w1, 2f
	ldp	x1, x2, [sp, #FRAME_SPSR]
	cbnz	x2, 3f
1:	ldp	x30, x0, [sp, #240]
	msr	spsr_el2, x1
	msr	elr_el2, x0
	ldp	x28, x29, [sp, #224]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x0, x1, [sp], #FRAME_SIZE
	eret
	dsb	nsh				/* no speculation past the eret */
	isb
/* The long way: the frame may be another vCPU's by now. */
2:	mov	x1, sp
	bl	vcpu_work
	ldr	x1, [sp, #FRAME_SPSR]
3:	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	b	1b
	.global vectors_end
vectors_end:

	/* The boot stack too is told by bit 14; what lies below it is the emergency stack. */
	.section .bss.stack, "aw", %nobits
	.balign 32768
	.space	8192
emergency_stack_top:
	.space	8192
	.space	16384
boot_stack_top:
