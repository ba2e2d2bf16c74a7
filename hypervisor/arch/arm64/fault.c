/* What to say when EL2 itself faults. */
#include "arch/fault.h"
#include "arch/mmu.h"
#include "core/console.h"
#include "core/irq.h"
#include "core/vcpu.h"
#include "drivers/gicv3.h"
#include "lib/print.h"
#include "lib/string.h"
#include "sysreg.h"

/* lib/symbols.awk: distances in instructions, then the names */
extern const uint16_t symbols_begin[] __attribute__((weak)), symbols_end[] __attribute__((weak));
extern const char image_begin[], text_end[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	const char *name = (const char *)symbols_end, *found = NULL;
	uint64_t at = (uint64_t)image_begin;

	if (address < (uint64_t)image_begin || address >= (uint64_t)text_end)
		return NULL;
	for (const uint16_t *s = symbols_begin; s < symbols_end; s++, name += strlen(name) + 1) {
		at += *s * 4u;
		if (at > address)
			break;
		found = name;
		*offset = address - at;
	}
	return found;
}

static void print_place(uint64_t address)
{
	uint64_t offset = 0;
	const char *name = symbol_find(address, &offset);

	log_error("  %016lx %s+%lu", address, name != NULL ? name : "?", offset);
}

/* Alone from here on: the other CPUs stop where they take an interrupt next, and nobody comes back to the console's lock. A second
 * fault, or the fault of another CPU at the same time, adds nothing. */
static void take_the_stage(const struct cpu *c)
{
	static unsigned faults;

	if (__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED) != 0)
		machine_reset();
	for (unsigned i = 0; c != NULL && i < cpu_count; i++)
		if (&cpus[i] != c && cpus[i].online)
			gic_send_sgi(cpus[i].mpidr, SGI_STOP);
	console_seize();
}

void fault_report(struct frame *f, unsigned kind)
{
	static const char *const kinds[] = {"synchronous exception", "IRQ", "FIQ", "SError", "stack overflow"};
	struct cpu *c = cpu_this();
	uint64_t at = f->x[29];

	take_the_stage(c);
	log_error("the hypervisor faulted: %s, ESR %lx, FAR %lx, SPSR %lx", kinds[kind], sysreg_read(esr_el2),
		  sysreg_read(far_el2), f->spsr);
	if (c != NULL)
		log_error("on CPU %u, domain %d vCPU %d", c->id, c->vcpu != NULL ? (int)c->vcpu->domain->id : -1,
			  c->vcpu != NULL ? (int)c->vcpu->id : -1);
	for (unsigned i = 0; i < 30; i += 3)
		log_error("  x%-2u %016lx  x%-2u %016lx  x%-2u %016lx", i, f->x[i], i + 1, f->x[i + 1], i + 2,
			  f->x[i + 2]);
	log_error("  x30 %016lx  frame at %016lx", f->x[30], (uint64_t)f);
	log_error("called from:");
	print_place(f->elr);
	print_place(f->x[30]);
	/* frame records {fp, lr} on the stack of this CPU: stay inside it */
	for (unsigned depth = 0; depth < 16 && at % 16 == 0 && at >= MMU_IMAGE; depth++) {
		const uint64_t *record = (const uint64_t *)at;
		uint64_t next = record[0];

		print_place(record[1]);
		if (next <= at || next - at > KIB(16))
			break;
		at = next;
	}
	log_error("the machine is reset");
	machine_reset();
}
