/* Xen's public headers for Arm on any build host: they look at the compiler's own macros. Included before everything else. */
#include <stddef.h>
#include <stdint.h>
#pragma push_macro("__x86_64__")
#undef __x86_64__
#pragma push_macro("__aarch64__")
#undef __aarch64__
#define __aarch64__ 1
#include "xen/abi.h"
#pragma pop_macro("__aarch64__")
#pragma pop_macro("__x86_64__")
