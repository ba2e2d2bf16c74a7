/* What the user-space build of libfdt asks of its C library beyond lib/string.h. */
#include "lib/libc.h"
#include "lib/print.h"

uintptr_t __stack_chk_guard = 0x6f2d9e13c8b4a75d;

void __stack_chk_fail(void)
{
	panic("libfdt overran its stack");
}
