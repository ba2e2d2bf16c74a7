#ifndef FAKE_XEN_MACHINE_H
#define FAKE_XEN_MACHINE_H
#include <stdint.h>

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

#endif
