/* The trap path in instructions; runs as Dom0. */
#include "bench.h"
#include "domu.h"
#include "hold.h"

#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

uint64_t nothing;

uint64_t dither(void)
{
	static uint32_t state = 1;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state & 15;
}

void row_print(const char *name, uint64_t hundredths)
{
	print("bench %s %u.%u%u", name, hundredths / 100, hundredths / 10 % 10, hundredths % 10);
}

void row(const char *name, uint64_t ticks, uint64_t minus)
{
	row_print(name, (ticks * 16 - minus) * 100 / ROUNDS);
}

void calibrate(void)
{
	nothing = SUM(, "", "", 0, );
}

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
struct shared_info shared_info __attribute__((aligned(4096)));

void shared_info_show(void)
{
	struct xen_add_to_physmap map = {.domid = DOMID_SELF,
					 .space = XENMAPSPACE_shared_info,
					 .gpfn = (uint64_t)&shared_info >> 12};

	must("shared_info",
	     hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uint64_t)&map, 0), 0);
}

static void events(void)
{
	struct evtchn_bind_ipi bind = {0};
	struct evtchn_send send;

	shared_info_show();
	must("bind_ipi",
	     hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (uint64_t)&bind, 0), 0);
	send.port = bind.port;
	shared_info.evtchn_mask[bind.port / 64] &= ~(1ul << bind.port % 64);
	/* its interrupt is disabled: only the call and the marks */
	ROW("event_send_self",
	    (shared_info.evtchn_pending[0] = 0, shared_info.vcpu_info[0].evtchn_upcall_pending = 0,
	     shared_info.vcpu_info[0].evtchn_pending_sel = 0),
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

/* The vCPU alone on its CPU, with a timer interrupt of its own every millisecond: half a second. */
static void hold(void)
{
	static struct hold h;

	hold_measure(&h, ticks_of_us(500000), ticks_of_us(1000), 3);
	print("bench longest_hold %u", h.longest * 16);
	for (unsigned n = 0; n < HOLD_CLASSES; n++)
		if (h.count[n] != 0)
			print("held %u to %u instructions: %u times", 16ul << n, (32ul << n) - 1,
			      h.count[n]);
}

void guest_main(void)
{
	uint64_t start = sysreg_read(cntpct_el0);

	domu_main();
	print("bench begins");
	print("bench boot_to_dom0 %u", start * 16);
	memory();
	gic_init();
	calibrate();
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
	hold();
	domains();
	print("bench ends");
	power_off();
}
