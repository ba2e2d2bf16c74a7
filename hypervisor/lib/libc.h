/* The stack protector of libfdt's build (GCC -fstack-protector). */
#ifndef LIB_LIBC_H
#define LIB_LIBC_H
#include <stdint.h>

extern uintptr_t __stack_chk_guard;
void __stack_chk_fail(void) __attribute__((noreturn));

#endif
