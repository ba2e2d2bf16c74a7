/* 64-bit code at EL0: what it may do itself, what its kernel has to allow, and whom its exceptions go to. */
#include "case.h"

#define WINDOW	0xc0000000ul /* memory, for EL0 too */
#define RAM	0x40000000ul
#define SVC	0x15u
#define UNKNOWN 0x00u
#define TRAPPED 0x18u
#define PCTEN	(1ul << 0)
#define VCTEN	(1ul << 1)
#define VTEN	(1ul << 8)
#define PTEN	(1ul << 9)

/* An instruction that may move x0, and an SVC behind it. */
#define CODE(name, instruction)                                                                    \
	extern const uint32_t name[] __attribute__((visibility("hidden")));                        \
	asm(".pushsection .text\n.balign 4\n" #name ": " instruction "\nsvc #7\n.popsection");
CODE(el0_svc, "nop")
CODE(el0_brk, "brk #3")
CODE(el0_hvc, "hvc #0")
CODE(el0_smc, "smc #0")
CODE(el0_hypercall, "hvc #0xea1")
CODE(el0_cntvct, "mrs x0, cntvct_el0")
CODE(el0_cntpct, "mrs x0, cntpct_el0")
CODE(el0_cntv_ctl, "mrs x0, cntv_ctl_el0")
CODE(el0_cntp_ctl, "mrs x0, cntp_ctl_el0")
CODE(el0_cntp_cval, "msr cntp_cval_el0, x0")
CODE(el0_id, "mrs x0, S3_0_C0_C4_0")
CODE(el0_acknowledge, "mrs x0, S3_0_C12_C12_0")
CODE(el0_sgi, "msr S3_0_C12_C11_5, x0")
CODE(el0_pmcr, "mrs x0, S3_3_C9_C12_0")
CODE(el0_debug, "msr mdscr_el1, x0")

static volatile uint64_t left_by, left_at;
static bool back(struct cpu *c, unsigned kind, struct frame *f)
{
	(void)c;
	if (kind != 8)
		return false;
	left_by = sysreg_read(esr_el1);
	left_at = f->elr;
	f->elr = f->x[20];
	f->spsr = 0x3c5;
	return true;
}

/* Runs it with x0; the class of the exception that it ended with, and x0 then. */
static unsigned at_el0(const uint32_t *code, uint64_t *x0)
{
	uint64_t *table = (uint64_t *)(sysreg_read(ttbr0_el1) & ~0xffful), was = table[3];
	register uint64_t value asm("x0") = *x0;

	table[3] = RAM | 0x745;
	cpu_this()->on_exception = back;
	asm volatile("dsb sy\ntlbi vmalle1\nic iallu\ndsb sy\nisb\n"
		     "adr x20, 1f\nmsr elr_el1, %1\nmsr spsr_el1, xzr\neret\n1:"
		     : "+r"(value)
		     : "r"((uint64_t)code - RAM + WINDOW)
		     : "x20", "cc", "memory");
	*x0 = value;
	cpu_this()->on_exception = NULL;
	table[3] = was;
	asm volatile("dsb sy; tlbi vmalle1; dsb sy; isb" ::: "memory");
	left_at = left_at - WINDOW + RAM - (uint64_t)code;
	return (unsigned)(left_by >> 26);
}
static unsigned ends_by(const uint32_t *code)
{
	uint64_t x0 = 0;

	return at_el0(code, &x0);
}

CASE(el0_calls_its_kernel, 1)
{
	EQUAL(ends_by(el0_svc), SVC);
	EQUAL(left_by & 0xffff, 7);
	EQUAL(left_at, 8);
	EQUAL(ends_by(el0_brk), 0x3c);
	EQUAL(left_by & 0xffff, 3);
	EQUAL(left_at, 0);
}

CASE(el0_cannot_call_the_hypervisor_or_the_firmware, 1)
{
	EQUAL(ends_by(el0_hvc), UNKNOWN);
	EQUAL(left_at, 0);
	EQUAL(ends_by(el0_hypercall), UNKNOWN);
	EQUAL(ends_by(el0_smc), UNKNOWN);
	EQUAL(left_at, 0);
}

CASE(el0_has_no_system_registers, 1)
{
	static const uint32_t *const code[] = {el0_acknowledge, el0_sgi, el0_debug};

	for (unsigned i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		EQUAL(ends_by(code[i]), UNKNOWN);
		EQUAL(left_at, 0);
	}
	/* undefined, or trapped (FEAT_IDST, PMUSERENR_EL0) */
	CHECK(ends_by(el0_id) != SVC && left_at == 0, left_by, left_at);
	CHECK(ends_by(el0_pmcr) != SVC && left_at == 0, left_by, left_at);
	settle();
	EQUAL(taken[0].total, 0);
}

CASE(el0_reads_counters_and_timers_as_its_kernel_allows, 1)
{
	static const struct {
		const uint32_t *code;
		uint64_t allow;
	} access[] = {{el0_cntvct, VCTEN},
		      {el0_cntpct, PCTEN},
		      {el0_cntv_ctl, VTEN},
		      {el0_cntp_ctl, PTEN},
		      {el0_cntp_cval, PTEN}};
	uint64_t was = sysreg_read(cntkctl_el1);

	for (unsigned i = 0; i < sizeof(access) / sizeof(access[0]); i++) {
		sysreg_write(cntkctl_el1, access[i].allow);
		EQUAL(ends_by(access[i].code), SVC);
		sysreg_write(cntkctl_el1, (PCTEN | VCTEN | VTEN | PTEN) & ~access[i].allow);
		EQUAL(ends_by(access[i].code), TRAPPED);
		EQUAL(left_at, 0);
	}
	sysreg_write(cntkctl_el1, was);
}

CASE(el0_sees_the_same_time_and_timers, 1)
{
	uint64_t was = sysreg_read(cntkctl_el1), x0 = 0, before;

	sysreg_write(cntkctl_el1, PCTEN | VCTEN | VTEN | PTEN);
	before = counter();
	EQUAL(at_el0(el0_cntvct, &x0), SVC);
	CHECK(x0 >= before && x0 <= counter(), x0, before);
	before = sysreg_read(cntpct_el0);
	EQUAL(at_el0(el0_cntpct, &x0), SVC);
	CHECK(x0 >= before && x0 <= sysreg_read(cntpct_el0), x0, before);
	x0 = 0x123456789abcul;
	EQUAL(at_el0(el0_cntp_cval, &x0), SVC);
	EQUAL(sysreg_read(cntp_cval_el0), 0x123456789abcul);
	sysreg_write(cntp_ctl_el0, 3);
	EQUAL(at_el0(el0_cntp_ctl, &x0), SVC);
	EQUAL(x0, 3);
	sysreg_write(cntp_ctl_el0, 0);
	sysreg_write(cntkctl_el1, was);
}
