/* The neighbour: it fills its memory with numbers that are its own, and looks again and again whether they are still there. */
#include "hostile.h"

#define FIRST (GUEST_RAM + 0x800000)
#define LAST  (GUEST_RAM + 0x1000000)

static uint64_t number_of(uint64_t at)
{
	return (at ^ 0x5bd1e995c0ffee11ul) * 0x9e3779b97f4a7c15ul;
}

static void look(void)
{
	for (uint64_t at = FIRST; at < LAST; at += 8)
		if (*(volatile uint64_t *)at != number_of(at)) {
			print("quiet: BAD: memory at %x holds %x", at, *(volatile uint64_t *)at);
			return;
		}
	/* its grant table: two entries are the tools', for the console and xenstore */
	for (unsigned ref = 2; ref < 512; ref++)
		if (((volatile uint64_t *)GRANTS)[ref])
			print("quiet: BAD: grant %u is %x", ref,
			      ((volatile uint64_t *)GRANTS)[ref]);
}

static void grants_show(void)
{
	struct {
		uint16_t domain, size;
		uint32_t space;
		uint64_t index, frame;
	} op = {0x7ff0, 0, 1, 0, GRANTS >> 12};

	hypercall(12, 7, (uint64_t)&op, 0); /* add_to_physmap */
}

void guest_main(void)
{
	console_start();
	grants_show();
	for (uint64_t at = FIRST; at < LAST; at += 8)
		*(volatile uint64_t *)at = number_of(at);
	for (uint64_t pass = 1;; pass++) {
		float_fill(pass);
		sysreg_write(tpidr_el0, pass);
		look();
		if (float_differs(pass) || sysreg_read(tpidr_el0) != pass)
			print("quiet: BAD: registers changed");
		print("quiet: pass %u", pass);
	}
}
