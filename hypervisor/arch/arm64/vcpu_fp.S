/* void vcpu_fp_save(struct vcpu_state *), vcpu_fp_load: FP and SIMD. FP_OFFSET is where fpcr stands (checked in vcpu_state.c). */
#include "vcpu_offsets.h"
	.arch armv8-a+simd
	.section .text.vcpu_fp, "ax"
	.macro each op
	.irp n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30
	pair \op, \n
	.endr
	.endm
	.altmacro
	.macro pair op, n
	pair2 \op, \n, %(\n + 1)
	.endm
	.macro pair2 op, n, m
	\op	q\n, q\m, [x1], #32
	.endm
	.global vcpu_fp_save
vcpu_fp_save:
	add	x1, x0, #VCPU_V
	each	stp
	mrs	x2, fpcr
	mrs	x3, fpsr
	str	x2, [x0, #VCPU_FPCR]
	str	x3, [x0, #VCPU_FPCR + 8]
	ret
	.global vcpu_fp_load
vcpu_fp_load:
	add	x1, x0, #VCPU_V
	each	ldp
	ldr	x2, [x0, #VCPU_FPCR]
	ldr	x3, [x0, #VCPU_FPCR + 8]
	msr	fpcr, x2
	msr	fpsr, x3
	ret
