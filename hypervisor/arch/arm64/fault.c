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

/* lib/symbols.awk has the format */
extern const uint16_t symbols_begin[] __attribute__((weak));
extern const uint8_t symbols_distances[] __attribute__((weak)), symbols_end[] __attribute__((weak));
extern const char image_begin[], text_end[];
extern const char vectors[], vectors_end[]; /* entry.S */

static void name_expand(const uint16_t *from, char *name)
{
	static const char letters[32] = " abcdefghijklmnopqrstuvwxyz_0123";
	char *end = name + SYMBOL_NAME - 1;

	do
		for (unsigned shift = 0; shift < 15 && name < end && (*from >> shift & 31) != 0;
		     shift += 5)
			*name++ = letters[*from >> shift & 31];
	while (!(*from++ & SYMBOL_LAST) && name < end);
	*name = '\0';
}

bool symbol_find(uint64_t address, char *name, uint64_t *offset)
{
	const uint16_t *text = symbols_begin, *found = NULL;
	uint64_t at = (uint64_t)image_begin;

	if (address < (uint64_t)image_begin || address >= (uint64_t)text_end)
		return false;
	for (const uint8_t *s = symbols_distances; s < symbols_end;) {
		uint64_t distance = 0;

		do
			distance = distance << 7 | (*s & 127);
		while (*s++ & 128);
		at += distance * 4;
		if (at > address)
			break;
		found = text;
		*offset = address - at;
		while (!(*text++ & SYMBOL_LAST))
			;
	}
	if (found != NULL)
		name_expand(found, name);
	return found != NULL;
}

static void print_place(uint64_t address)
{
	char name[SYMBOL_NAME] = "?";
	uint64_t offset = 0;

	(void)symbol_find(address, name, &offset);
	log_error("  %016lx %s+%lu", address, name, offset);
}

/* ---- where the CPU was ------------------------------------------------------------------------------------------------ */
#define TRACE_PRINTED 16
#define TRACE_MAX     64

static bool is_entry(uint64_t address)
{
	return address >= (uint64_t)vectors && address < (uint64_t)vectors_end;
}

/* Goes over the return addresses, the innermost first, and prints the first ones. Returns the one that lies in entry.S, to which
 * the outermost function returns; 0: the chain of frame records {fp, lr} does not lead there. Believes no record's place before
 * it has seen that it is one on the way up some stack of the hypervisor's. */
static uint64_t trace(const struct frame *f, bool print)
{
	uint64_t at = f->x[29], back = f->x[30];

	for (unsigned depth = 0; depth < TRACE_MAX; depth++) {
		const uint64_t *record = (const uint64_t *)at;

		if (print && depth < TRACE_PRINTED)
			print_place(back);
		if (is_entry(back))
			return back;
		if (at % 16 != 0 || at < MMU_IMAGE)
			break;
		back = record[1];
		if (record[0] - at - 1 >= KIB(16) && !is_entry(back))
			break;
		at = record[0];
	}
	return 0;
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------------ */
#define SLOT_SYNC64 8 /* vectors of a guest's synchronous exceptions */
#define SLOT_SYNC32 12

/* Can the others go on without the domain whose trap this CPU was handling? Only if all that it may have left half done is that
 * domain's own: docs/hypervisor.md has the reasons. */
static bool is_contained(const struct frame *f, unsigned kind, const struct cpu *c)
{
	uint64_t slot;

	if (kind != FAULT_SYNC || ESR_CLASS(sysreg_read(esr_el2)) == ESR_BRK /* fault_here() */)
		return false;
	if (c == NULL || c->vcpu == NULL || c->vcpu->run != VCPU_RUNNING)
		return false;
	if (c->vcpu->domain->privileged || f->x[18] != 0 /* cpu_locks */ ||
	    c->boot_stack - (uint64_t)f > KIB(16))
		return false;
	slot = (trace(f, false) - (uint64_t)vectors) / 128;
	return slot == SLOT_SYNC64 || slot == SLOT_SYNC32;
}

void fault_here(void)
{
	__builtin_trap(); /* BRK */
}

/* Which CPUs are at it; one that faults again while it reports can only say less. */
static uint32_t reporting;

static void report_begin(const struct cpu *c)
{
	uint32_t here = 1u << (c != NULL ? c->id : 0);

	if (__atomic_fetch_or(&reporting, here, __ATOMIC_RELAXED) & here) {
		console_seize(); /* what it had said before */
		machine_reset();
	}
}

/* Alone from here on: the other CPUs stop where they take an interrupt next, and nobody comes back to the console's lock. The fault
 * of another CPU at the same time adds nothing. */
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

static void report(const struct frame *f, unsigned kind, const struct cpu *c)
{
	static const char *const kinds[] = {"synchronous exception", "IRQ", "FIQ", "SError",
					    "stack overflow"};

	log_error("the hypervisor faulted: %s, ESR %lx, FAR %lx, SPSR %lx", kinds[kind],
		  sysreg_read(esr_el2), sysreg_read(far_el2), f->spsr);
	if (c != NULL)
		log_error("on CPU %u, domain %d vCPU %d, %lu locks held", c->id,
			  c->vcpu != NULL && c->vcpu->domain != NULL ? (int)c->vcpu->domain->id
								     : -1,
			  c->vcpu != NULL ? (int)c->vcpu->id : -1, f->x[18]);
	for (unsigned i = 0; i < 30; i += 3)
		log_error("  x%-2u %016lx  x%-2u %016lx  x%-2u %016lx", i, f->x[i], i + 1, f->x[i + 1], i + 2,
			  f->x[i + 2]);
	log_error("  x30 %016lx  frame at %016lx", f->x[30], (uint64_t)f);
	log_error("called from:");
	print_place(f->elr);
	(void)trace(f, true);
}

void fault_report(struct frame *f, unsigned kind)
{
	struct cpu *c = cpu_this();
	bool contained;

	report_begin(c);
	contained = is_contained(f, kind, c);
	if (!contained)
		take_the_stage(c);
	report(f, kind, c);
	if (!contained) {
		log_error("the machine is reset");
		machine_reset();
	}
	domain_crash(c->vcpu, "stopped for a fault of the hypervisor in one of its traps");
	__atomic_fetch_and(&reporting, ~(1u << c->id), __ATOMIC_RELAXED);
	guest_enter((struct frame *)(c->boot_stack - sizeof(struct frame)));
}
