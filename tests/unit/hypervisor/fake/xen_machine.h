#ifndef FAKE_XEN_MACHINE_H
#define FAKE_XEN_MACHINE_H
#include "arch/stage2.h"

#define FAKE_GUEST	0x100000ul
#define FAKE_GUEST_SIZE 0x8000ul
extern uint8_t fake_guest[FAKE_GUEST_SIZE];
/* Page references taken and not given back. */
extern long fake_references;
extern uint16_t fake_owner;			     /* whose every frame is */
extern unsigned long fake_cleaned, fake_invalidated; /* bytes of caches */
extern uint64_t fake_memory_end;		     /* from here on no memory can be populated */
extern long fake_populated;			     /* frames, less those given back */
void fake_grants_forget(void);			     /* no granted page is mapped anywhere */

extern bool fake_console_full;	/* it takes nothing */
extern char fake_console[1024]; /* what was written to it, and how much */
extern size_t fake_console_length;
/* How often memory_lookup() was asked, and what it finds. */
extern unsigned fake_lookups;
extern enum stage2_kind fake_kind;

#endif
