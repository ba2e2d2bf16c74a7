/* Loads and stores to emulated registers in every form, and to where nothing is. */
#include "case.h"

#define PRIORITY (GICD + 0x400 + SPI) /* four writable bytes each word, and a neighbour */
#define NOTHING	 0x09050000ul	      /* where an SMMU would be, that this machine has not */
#define UART	 0x09000000ul	      /* the hypervisor's: Dom0 sees one that it can poll */

static void fill(void)
{
	write32(PRIORITY, 0x80706050);
	write32(PRIORITY + 4, 0x40302010);
}

CASE(access_signed_loads_extend, 1)
{
	uint64_t a, b, c;

	fill();
	asm volatile("ldrsb %x0, [%3, #3]\nldrsb %w1, [%3, #3]\nldrsw %x2, [%3]"
		     : "=&r"(a), "=&r"(b), "=&r"(c)
		     : "r"(PRIORITY)
		     : "memory");
	EQUAL(a, 0xffffffffffffff80);
	EQUAL(b, 0xffffff80);
	EQUAL(c, 0xffffffff80706050);
}

CASE(access_into_the_zero_register, 1)
{
	fill();
	asm volatile("ldr wzr, [%0]\nstr wzr, [%0]" ::"r"(PRIORITY) : "memory");
	EQUAL(read32(PRIORITY), 0);
}

CASE(access_into_high_registers, 1)
{
	uint64_t a, b;

	fill();
	asm volatile("ldr w19, [%2]\nldr w27, [%2, #4]\nmov %0, x19\nmov %1, x27"
		     : "=&r"(a), "=&r"(b)
		     : "r"(PRIORITY)
		     : "x19", "x27", "memory");
	EQUAL(a, 0x80706050);
	EQUAL(b, 0x40302010);
	asm volatile("mov w28, #0x1010\nstr w28, [%0]" ::"r"(PRIORITY) : "x28", "memory");
	EQUAL(read32(PRIORITY), 0x1010);
}

CASE(access_with_writeback, 1)
{
	uint64_t at = PRIORITY, value;

	fill();
	asm volatile("ldr %w1, [%0], #4" : "+r"(at), "=&r"(value)::"memory");
	EQUAL(value, 0x80706050);
	EQUAL(at, PRIORITY + 4);
	asm volatile("ldr %w1, [%0, #-4]!" : "+r"(at), "=&r"(value)::"memory");
	EQUAL(value, 0x80706050);
	EQUAL(at, PRIORITY);
	asm volatile("str %w1, [%0, #4]!" : "+r"(at) : "r"(0x10203040) : "memory");
	EQUAL(at, PRIORITY + 4);
	EQUAL(read32(PRIORITY + 4), 0x10203040);
	asm volatile("strb %w1, [%0], #-3" : "+r"(at) : "r"(0x50) : "memory");
	EQUAL(at, PRIORITY + 1);
	EQUAL(read32(PRIORITY + 4), 0x10203050);
	at = PRIORITY;
	asm volatile("ldrb %w1, [%0, #1]!" : "+r"(at), "=&r"(value)::"memory");
	EQUAL(value, 0x60);
	asm volatile("ldrsb %x1, [%0], #2" : "+r"(at), "=&r"(value)::"memory");
	EQUAL(value, 0x60);
	EQUAL(at, PRIORITY + 3);
}

CASE(access_with_writeback_of_the_stack_pointer, 1)
{
	uint64_t value, after;

	fill();
	asm volatile("mov x9, sp\nmov sp, %2\nldr %w0, [sp], #16\nmov %1, sp\nmov sp, x9"
		     : "=&r"(value), "=&r"(after)
		     : "r"(PRIORITY & ~15ul)
		     : "x9", "memory");
	EQUAL(value, read32(PRIORITY & ~15ul));
	EQUAL(after, (PRIORITY & ~15ul) + 16);
}

CASE(access_of_pairs, 1)
{
	uint64_t a, b, at = PRIORITY;

	fill();
	asm volatile("ldp %w0, %w1, [%2]" : "=&r"(a), "=&r"(b) : "r"(at) : "memory");
	EQUAL(a, 0x80706050);
	EQUAL(b, 0x40302010);
	asm volatile("stp %w0, %w1, [%2]" ::"r"(0x11111110), "r"(0x20202020), "r"(at) : "memory");
	EQUAL(read32(PRIORITY), 0x10101010);
	EQUAL(read32(PRIORITY + 4), 0x20202020);
	fill();
	asm volatile("ldp %w0, %w1, [%2], #8" : "=&r"(a), "=&r"(b), "+r"(at)::"memory");
	EQUAL(a, 0x80706050);
	EQUAL(b, 0x40302010);
	EQUAL(at, PRIORITY + 8);
	asm volatile("ldpsw %x0, %x1, [%2, #-8]!" : "=&r"(a), "=&r"(b), "+r"(at)::"memory");
	EQUAL(a, 0xffffffff80706050);
	EQUAL(b, 0x40302010);
	EQUAL(at, PRIORITY);
	asm volatile("ldp x19, x20, [%2]\nmov %0, x19\nmov %1, x20"
		     : "=&r"(a), "=&r"(b)
		     : "r"(GICD + 0x6000 + SPI * 8ul)
		     : "x19", "x20", "memory");
	EQUAL(a, read64(GICD + 0x6000 + SPI * 8ul));
	EQUAL(b, read64(GICD + 0x6008 + SPI * 8ul));
}

CASE(access_where_nothing_is_takes_an_external_abort, 1)
{
	CHECK(FAULTS("ldr w0, [%0]" ::"r"(NOTHING + 0x18) : "x0"), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
	EQUAL(cpu_this()->esr & 0x3f, 0x10);
	EQUAL(cpu_this()->esr & 0x40, 0);
	EQUAL(cpu_this()->far, NOTHING + 0x18);
	CHECK(FAULTS("str w0, [%0]" ::"r"(NOTHING)), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
	EQUAL(cpu_this()->esr & 0x7f, 0x50); /* WnR */
	EQUAL(cpu_this()->far, NOTHING);
}

CASE(access_where_nothing_is_leaves_the_base_alone, 1)
{
	uint64_t at = NOTHING;

	CHECK(FAULTS("ldr w0, [%0], #4" : "+r"(at)::"x0"), 0, 0);
	EQUAL(at, NOTHING);
	CHECK(FAULTS("ldp x0, x1, [%0]" ::"r"(NOTHING) : "x0", "x1"), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
}

CASE(access_by_simd_registers_takes_an_abort, 1)
{
	CHECK(FAULTS(".arch_extension fp\nldr q0, [%0]" ::"r"(GICD + 0x400)), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
}

CASE(access_by_exclusives_and_atomics_takes_an_abort, 1)
{
	CHECK(FAULTS("ldxr w0, [%0]" ::"r"(GICD + 0x400) : "x0"), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
}

CASE(access_by_cache_maintenance_is_harmless, 1)
{
	CHECK(!FAULTS("dc civac, %0\ndc cvac, %0\nprfm pldl1keep, [%0]" ::"r"(GICD)), 0, 0);
}

CASE(jump_to_a_register_takes_an_abort, 1)
{
	/* memory that may be executed as far as stage 1 goes, where stage 2 has nothing: above all RAM */
	CHECK(FAULTS("blr %0" ::"r"(0x3c0000000ul) : "x30"), 0, 0);
	EQUAL(ESR_CLASS(), 0x21);
	EQUAL(cpu_this()->esr & 0x3f, 0x10);
	EQUAL(cpu_this()->far, 0x3c0000000ul);
}

CASE(access_beyond_the_guests_memory_takes_an_abort, 1)
{
	CHECK(FAULTS("ldr w0, [%0]" ::"r"(0x3c0000000ul) : "x0"), 0, 0);
	EQUAL(ESR_CLASS(), 0x25);
	EQUAL(cpu_this()->esr & 0x3f, 0x10);
}

static uint64_t hypercall5(unsigned n, uint64_t a, uint64_t b)
{
	return (uint64_t)hypercall(n, a, b, 0);
}

CASE(hypercalls_refuse_bad_numbers_and_addresses, 1)
{
	EQUAL(hypercall5(999, 0, 0), -38);
	EQUAL(hypercall5(17, 99, 0), -38);
	EQUAL(hypercall5(17, 1, 0x3c0000000ul), -14); /* extraversion to nowhere */
	EQUAL(hypercall5(17, 1, GICD), -14);
	EQUAL(hypercall5(17, 1, ~0ul - 4), -14);
}

/* test_hypervisor_guest.py looks for the line. */
CASE(access_to_the_consoles_uart_writes_to_the_console, 1)
{
	static const char line[] = "these words went through the UART\r\n";
	uint32_t flags = 0;

	for (const char *c = line; *c; c++) {
		(void)WAIT_FOR(!((flags = read32(UART + 0x18)) & 0x20)); /* UARTFR.TXFF */
		*(volatile uint8_t *)UART = (uint8_t)*c;
	}
	EQUAL(flags & 0xb0, 0x90);	  /* TXFE, RXFE: nothing ever comes */
	EQUAL(read32(UART + 0x44), 0);	  /* the rest is nothing */
	write32(UART + 0x30, 0);	  /* UARTCR: the hypervisor's own goes on */
	EQUAL(read32(UART + 0x30), 0);
	EQUAL(*(volatile uint8_t *)UART, 0);
}
