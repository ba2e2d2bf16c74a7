/*
 * A guest that crashes: an arm64 Image (booting.rst, "Call the kernel image") whose first act is
 * SCHEDOP_shutdown with the reason SHUTDOWN_crash, as a guest's kernel does when it panics
 * (public/sched.h). MMU and caches are off, so the argument's address is physical and right.
 */
#define HYPERVISOR_sched_op 29 /* public/xen.h */
#define SCHEDOP_shutdown    2  /* public/sched.h, which assembly cannot include */
#define SHUTDOWN_crash      3

#include "image-header.S"

	image_header nop
	mov	x0, #SCHEDOP_shutdown
	adr	x1, argument
	mov	x16, #HYPERVISOR_sched_op
	hvc	#0xea1
1:	wfi
	b	1b
	.balign	8
argument:
	.long	SHUTDOWN_crash
	.balign	4096
_end:
