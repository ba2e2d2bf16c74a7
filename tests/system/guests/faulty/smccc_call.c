/* A test build of the hypervisor that faults when it is asked to: this object takes the place of guest/vpsci.c, which it contains.
 * An SMCCC call of the guest with FAULT in x0 and a number in x1 makes EL2 fault in that way. */
#define smccc_call smccc_call_of_the_product
#include "guest/vpsci.c"
#undef smccc_call
#include "core/time.h"
#include "lib/print.h"

#define FAULT	 0x83fa0170u
#define NOINLINE __attribute__((noinline))

static volatile uint64_t depth;
extern char image_begin[];

static NOINLINE void fault_read_null(void)
{
	asm volatile("mov x1, #0x10\nldr x0, [x1]" ::: "x0", "x1");
}

static NOINLINE void fault_write_text(void)
{
	*(volatile uint32_t *)image_begin = 0;
}

static NOINLINE uint64_t fault_recurse(uint64_t n)
{
	volatile uint64_t room[64] = {n};

	depth++;
	return fault_recurse(n + 1) + room[n % 64];
}

static NOINLINE void fault_undefined(void)
{
	asm volatile(".inst 0");
}

static NOINLINE void fault_run_data(void)
{
	static uint32_t code = 0xd65f03c0; /* ret */

	((void (*)(void))(uintptr_t)&code)();
}

static void fault_in_timer(void *arg)
{
	(void)arg;
	fault_read_null();
}

/* On this CPU, while it runs the same vCPU or another, or none. */
static void fault_by_interrupt(void)
{
	static struct timer timer = {.fire = fault_in_timer};

	timer_set(&timer, cpu_counter());
}

static void fault_with_lock(struct domain *d)
{
	LOCK_SCOPE(&d->memory_lock);
	fault_read_null();
}

void smccc_call(struct vcpu *v, struct frame *f)
{
	if ((uint32_t)f->x[0] == FAULT) {
		switch (f->x[1]) {
		case 1:
			fault_read_null();
			break;
		case 2:
			fault_write_text();
			break;
		case 3:
			depth = fault_recurse(0);
			break;
		case 4:
			fault_undefined();
			break;
		case 5:
			fault_run_data();
			break;
		case 6:
			fault_with_lock(v->domain);
			break;
		case 8:
			panic("an invariant does not hold");
		case 7:
			fault_by_interrupt();
			break;
		}
	}
	smccc_call_of_the_product(v, f);
}
