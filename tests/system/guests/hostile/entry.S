	.arch_extension fp
	.arch_extension simd
	.text
/* x0: where the registers go, 8 bytes each: x1..x30 from 8 on, then V0..V31 from 256 on. The word at 0 is x0 of guest_cpu_entry */
	.global snapshot_entry
snapshot_entry:
	str	x1, [x0, #8]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	add	x1, x0, #256
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
	stp	q\n, q29, [x1], #32		/* q29 again and again is fine: it is one of them */
	.endr
	.irp	n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 30
	stp	q\n, q31, [x1], #32
	.endr
	dsb	sy
	ldr	x0, [x0]
	b	guest_cpu_entry

	.global float_fill
float_fill:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	add	x0, x0, #0x111
	dup	v\n\().2d, x0
	.endr
	ret

	.global float_differs
float_differs:
	mov	x3, #0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	add	x0, x0, #0x111
	mov	x1, v\n\().d[0]
	mov	x2, v\n\().d[1]
	eor	x1, x1, x0
	eor	x2, x2, x0
	orr	x3, x3, x1
	orr	x3, x3, x2
	.endr
	mov	x0, x3
	ret
