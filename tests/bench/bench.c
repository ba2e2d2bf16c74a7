/* The trap path in instructions. Runs as Dom0 under `-icount shift=0,sleep=off`: an instruction takes a nanosecond, a tick of
 * the counter is 16 instructions. Every row is the mean of 65,536 rounds whose start is spread over the 16 instructions of a
 * tick by as many no-operations, so that the mean of the truncated differences is exact.
 *
 * What is counted: HVC rows with the HVC itself, register accesses without the access (QEMU does not count an instruction that
 * faults); rows until a handler end before its first instruction. */
#include "bare.h"
#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define ROUNDS 65536u

static uint32_t random_state = 1;

/* xorshift: where in a tick the next round begins */
static uint64_t dither(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state & 15;
}

/* Jumps so that k no-operations follow. */
#define SLED(k)                                                                                    \
	"adr x9, 99f\n"                                                                            \
	"sub x9, x9, " k ", lsl #2\n"                                                              \
	"br x9\n"                                                                                  \
	".rept 15\nnop\n.endr\n"                                                                   \
	"99:\n"

/* Ticks that `body` takes, after `before`; both may use x0 to x18 and the operand %[a]. */
#define ONCE(before, body, address)                                                                \
	({                                                                                         \
		uint64_t from_, to_;                                                               \
		asm volatile(SLED("%[k]") before "mrs %[from], cntvct_el0\n" body                  \
						 "mrs %[to], cntvct_el0\n"                         \
			     : [from] "=&r"(from_), [to] "=&r"(to_)                                \
			     : [k] "r"(dither()), [a] "r"(address)                                 \
			     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",  \
			       "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "memory");  \
		to_ - from_;                                                                       \
	})

static uint64_t nothing; /* ticks of ROUNDS empty rounds */

static void row(const char *name, uint64_t ticks, uint64_t minus)
{
	/* in hundredths of an instruction */
	uint64_t value = (ticks * 16 - minus) * 100 / ROUNDS;

	print("bench %s %u.%u%u", name, value / 100, value / 10 % 10, value % 10);
}

#define ROW(name, prepare, before, body, address, undo)                                            \
	do {                                                                                       \
		uint64_t sum_ = 0;                                                                 \
		for (unsigned i_ = 0; i_ < ROUNDS; i_++) {                                         \
			prepare;                                                                   \
			sum_ += ONCE(before, body, address);                                       \
			undo;                                                                      \
		}                                                                                  \
		row(name, sum_, nothing * 16);                                                     \
	} while (0)

/* ---- until the handler ------------------------------------------------------------------------------------------------ */
/* Vectors of their own: IRQ at EL1 goes to x28 (no-operations), then x27 = counter, x26 = INTID, interrupt ended. */
extern char bench_vectors[];
asm(".text\n.balign 2048\nbench_vectors:\n"
    ".space 0x280\n"
    "br x28\n"
    ".rept 15\nnop\n.endr\n"
    "bench_sled:\n"
    "mrs x27, cntvct_el0\n"
    "msr cntv_ctl_el0, xzr\n"
    "mrs x26, "
    "S3_0_C12_C12_0"
    "\n"
    "msr "
    "S3_0_C12_C12_1"
    ", x26\n"
    "isb\n"
    "eret\n"
    ".balign 2048\n");

/* Counter at the handler's start less `from`, which `start` sets: to the counter, or to the timer's deadline. */
#define UNTIL_HANDLER(start, operand)                                                              \
	({                                                                                         \
		uint64_t from_, to_;                                                               \
		asm volatile("adrp x28, bench_sled\n"                                              \
			     "add x28, x28, :lo12:bench_sled\n"                                    \
			     "sub x28, x28, %[k], lsl #2\n"                                        \
			     "mov x26, #1023\n"                                                    \
			     "msr daifclr, #2\n" start "1: cmp x26, #1023\n"                       \
			     "b.eq 1b\n"                                                           \
			     "msr daifset, #2\n"                                                   \
			     "mov %[to], x27\n"                                                    \
			     : [from] "=&r"(from_), [to] "=&r"(to_)                                \
			     : [k] "r"(dither()), [v] "r"(operand)                                 \
			     : "x0", "x1", "x9", "x26", "x27", "x28", "cc", "memory");             \
		to_ - from_;                                                                       \
	})

/* The branch to the no-operations is the handler's first instruction and does not count. Where the start is spread over a tick,
 * the 7.5 no-operations that a round has on average are in the mean; where it lies on a tick's border (a deadline), they
 * make up for what the division by 16 drops. */
#define BRANCH	    ROUNDS
#define SLED_SPREAD (ROUNDS * 15 / 2)

static void interrupts(void)
{
	uint64_t saved = sysreg_read(vbar_el1), sum;

	sysreg_write(vbar_el1, (uint64_t)bench_vectors);
	gic_enable(1, 0x80);
	sum = 0;
	for (unsigned i = 0; i < ROUNDS; i++)
		sum += UNTIL_HANDLER("mrs %[from], cntvct_el0\nmsr S3_0_C12_C11_5, %[v]\nisb\n",
				     1ul << 24 | 1);
	row("sgi_until_handler", sum, nothing * 16 + BRANCH + SLED_SPREAD);

	gic_enable(PPI_VTIMER, 0x80);
	sum = 0;
	for (unsigned i = 0; i < ROUNDS; i++)
		sum += UNTIL_HANDLER("mrs %[from], cntvct_el0\n"
				     "add %[from], %[from], #20\n"
				     "msr cntv_cval_el0, %[from]\n"
				     "msr cntv_ctl_el0, %[v]\nisb\n",
				     1ul);
	row("timer_until_handler", sum, BRANCH);
	sysreg_write(vbar_el1, saved);
	gic_disable(PPI_VTIMER);
	gic_disable(1);
}

/* The timer's deadline until the instruction behind WFI, interrupts masked. */
static void wfi_wake(void)
{
	uint64_t sum = 0;

	gic_enable(PPI_VTIMER, 0x80);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t from, to;

		asm volatile("mrs %[from], cntvct_el0\n"
			     "add %[from], %[from], #200\n"
			     "msr cntv_cval_el0, %[from]\n"
			     "msr cntv_ctl_el0, %[on]\n"
			     "isb\n"
			     "adr x9, 99f\n"
			     "sub x9, x9, %[k], lsl #2\n"
			     "wfi\n"
			     "br x9\n"
			     ".rept 15\nnop\n.endr\n"
			     "99: mrs %[to], cntvct_el0\n"
			     "msr cntv_ctl_el0, xzr\n"
			     : [from] "=&r"(from), [to] "=&r"(to)
			     : [k] "r"(dither()), [on] "r"(1ul)
			     : "x9", "memory");
		sum += to - from;
		icc_write(ICC_EOIR1, icc_read(ICC_IAR1) & 0xffffff);
	}
	gic_disable(PPI_VTIMER);
	row("wfi_wake", sum, BRANCH);
}

/* ---- Xen's interface --------------------------------------------------------------------------------------------------- */
static uint8_t shared[4096] __attribute__((aligned(4096)));

static void events(void)
{
	struct shared_info *info = (struct shared_info *)shared;
	struct xen_add_to_physmap map = {.domid = DOMID_SELF,
					 .space = XENMAPSPACE_shared_info,
					 .gpfn = (uint64_t)shared >> 12};
	struct evtchn_bind_ipi bind = {0};
	struct evtchn_send send;

	if (hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uint64_t)&map, 0) != 0 ||
	    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (uint64_t)&bind, 0) != 0) {
		print("bench: no event channel");
		return;
	}
	send.port = bind.port;
	info->evtchn_mask[bind.port / 64] &= ~(1ul << bind.port % 64);
	/* its interrupt is disabled: only the call and the marks */
	ROW("event_send_self",
	    (info->evtchn_pending[0] = 0, info->vcpu_info[0].evtchn_upcall_pending = 0,
	     info->vcpu_info[0].evtchn_pending_sel = 0),
	    "mov x16, #32\nmov x0, #4\nmov x1, %[a]\n", "hvc #0xea1\n", &send, );
}

static void memory(void)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo,
				.interface_version = XEN_SYSCTL_INTERFACE_VERSION};
	uint64_t size = 0;

	if (hypercall(__HYPERVISOR_sysctl, (uint64_t)&op, 0, 0) != 0)
		return;
	/* DOMID_SELF: what Dom0 has */
	size = (uint64_t)hypercall(__HYPERVISOR_memory_op, XENMEM_current_reservation,
				   (uint64_t) & (domid_t){DOMID_SELF}, 0);
	print("bench free_pages %u", op.u.physinfo.free_pages + size);
}

void guest_main(void)
{
	uint64_t start = sysreg_read(cntpct_el0);

	print("bench begins");
	print("bench boot_to_dom0 %u", start * 16);
	memory();
	gic_init();
	for (unsigned i = 0; i < ROUNDS; i++)
		nothing += ONCE("", "", 0);
	ROW("smccc_unknown", , "mov w0, #0x83000000\n", "hvc #0\n", 0, );
	ROW("psci_version", , "mov w0, #0x84000000\n", "hvc #0\n", 0, );
	ROW("xen_version", , "mov x16, #17\nmov x0, #0\n", "hvc #0xea1\n", 0, );
	ROW("gicd_read", , "", "ldr w0, [%[a]]\n", GICD + 4, );
	ROW("gicd_isenabler_read", , "", "ldr w0, [%[a]]\n", GICD + 0x104, );
	/* an interrupt of a device (the board's clock) goes from disabled to enabled */
	ROW("gicd_isenabler_write", , "mov w0, #4\n", "str w0, [%[a]]\n", GICD + 0x104,
	    write32(GICD + 0x184, 4));
	ROW("gicd_ipriorityr_write", , "mov w0, #0x80\n", "strb w0, [%[a]]\n", GICD + 0x422, );
	ROW("gicr_read", , "", "ldr x0, [%[a]]\n", RD(0) + 8, );
	gic_enable(1, 0x80);
	ROW("eoi", (gic_sgi_self(1), (void)icc_read(ICC_IAR1)), "", "msr S3_0_C12_C12_1, %[a]\n",
	    1, );
	gic_disable(1);
	interrupts();
	wfi_wake();
	events();
	print("bench ends");
	power_off();
}
