/* AArch32 at EL0: what traps is skipped as the machine would have gone on, be it 2 bytes or 4, in an IT block or not. */
#include "case.h"

#define WINDOW	0xc0000000ul /* memory, for EL0 too */
#define DEVICES 0x80000000ul /* the first GiB */
#define RAM	0x40000000ul
#define ESR_SVC 0x11u

static const uint16_t wfi_thumb[] = {
	0x2001, /* movs r0, #1 */
	0xbf30, /* wfi */
	0x3002, /* adds r0, #2 */
	0x3004, /* adds r0, #4 */
	0xdf00, /* svc #0 */
};
static const uint16_t wfi_wide[] = {
	0x2001, 0xf3af, 0x8003, /* wfi.w */
	0x3002, 0x3004, 0xdf00,
};
static const uint32_t wfi_arm[] = {
	0xe3a00001, /* mov r0, #1 */
	0xe320f003, /* wfi */
	0xe2800002, /* add r0, r0, #2 */
	0xe1500000, /* cmp r0, r0 */
	0x1320f003, /* wfine */
	0xe2800004, 0xef000000,
};
static const uint16_t load_thumb[] = {
	0x2001, 0x6809, /* ldr r1, [r1] */
	0x3002, 0x4288, /* cmp r0, r1 */
	0xbf14,		/* ite ne */
	0x6812,		/* ldrne r2, [r2] */
	0x3010,		/* addeq r0, #16 */
	0x3004, 0xdf00,
};

static volatile uint64_t left_by;
static bool back(struct cpu *c, unsigned kind, struct frame *f)
{
	(void)c;
	if (kind != 12)
		return false;
	left_by = sysreg_read(esr_el1);
	f->elr = f->x[20];
	f->spsr = 0x3c5;
	return true;
}

/* r0 to r2 afterwards; r1 and r2 before. */
static void at_el0(const void *code, bool thumb, uint64_t r[3])
{
	uint64_t at = (uint64_t)code - RAM + WINDOW, spsr = 0x1d0 | (thumb ? 0x20 : 0);

	/* it ends a WFI; it is not there yet, else QEMU would go on without a trap */
	sysreg_write(cntv_cval_el0, counter() + ticks_of_us(200));
	sysreg_write(cntv_ctl_el0, 1);
	cpu_this()->on_exception = back;
	asm volatile("adr x20, 1f\nmsr elr_el1, %1\nmsr spsr_el1, %2\nldp x1, x2, [%0, #8]\nic "
		     "iallu\ndsb sy\nisb\neret\n"
		     "1: stp x0, x1, [%0]\nstr x2, [%0, #16]"
		     :
		     : "r"(r), "r"(at), "r"(spsr)
		     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
		       "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x20", "cc", "memory");
	cpu_this()->on_exception = NULL;
	sysreg_write(cntv_ctl_el0, 0);
}

static uint64_t *table, tables[2], control;
static void flush(void)
{
	asm volatile("dsb sy; tlbi vmalle1; dsb sy; isb" ::: "memory");
}

/* Windows for EL0, and WFI is not EL1's. */
static bool begin(void)
{
	if ((sysreg_read(id_aa64pfr0_el1) & 0xf) != 2)
		return false; /* no AArch32 */
	table = (uint64_t *)(sysreg_read(ttbr0_el1) & ~0xffful);
	tables[0] = table[2];
	tables[1] = table[3];
	table[2] = 0x441 | 0x60ul << 48;
	table[3] = RAM | 0x745;
	control = sysreg_read(sctlr_el1);
	sysreg_write(sctlr_el1, control | 1ul << 16 | 1ul << 18);
	flush();
	gic_enable(PPI_VTIMER, 0xa0);
	return true;
}

static void end(void)
{
	sysreg_write(sctlr_el1, control);
	table[2] = tables[0];
	table[3] = tables[1];
	flush();
}

CASE(aarch32_wfi_is_skipped_by_its_size, 1)
{
	uint64_t thumb[3] = {0}, wide[3] = {0}, arm[3] = {0};

	if (!begin())
		return;
	at_el0(wfi_thumb, true, thumb);
	at_el0(wfi_wide, true, wide);
	at_el0(wfi_arm, false, arm);
	end();
	EQUAL(left_by >> 26, ESR_SVC);
	EQUAL(thumb[0], 7);
	EQUAL(wide[0], 7);
	EQUAL(arm[0], 7);
}

CASE(aarch32_load_of_a_register_is_skipped_by_its_size, 1)
{
	uint64_t r[3] = {0, GICD + 4 + DEVICES, GICD + 8 + DEVICES};
	uint32_t typer = read32(GICD + 4), iidr = read32(GICD + 8);

	if (!begin())
		return;
	at_el0(load_thumb, true, r);
	end();
	EQUAL(left_by >> 26, ESR_SVC);
	EQUAL(r[1], typer);
	EQUAL(r[2], iidr);
	EQUAL(r[0], 7);
}
