/*
 * A guest that does nothing, for as long as it is let: an arm64 Image that waits for interrupts which never come. For tests of
 * what surrounds a guest: it is built in a moment.
 */
#include "image-header.S"

	image_header nop
1:	wfi
	b	1b
	.balign	4096
_end:
