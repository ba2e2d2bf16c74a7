/* A guest that does what it is told on its PV console, a line at a time (tests/system/life). What it says begins with "life: ". */
#include "../hostile/hostile.h"

#define UART	     0x22000000ul /* the hypervisor's SBSA UART, and its SPI */
#define UART_SPI     32u
#define RTC	     0x09010000ul /* QEMU's PL031 and PL061, where iomem= puts them, and their SPIs */
#define RTC_SPI	     34u
#define GPIO	     0x09030000ul
#define GPIO_SPI     39u
#define GRANT	     10u		/* reference of the page that Dom0 may map */
#define SHARED_PORTS (SHARED_INFO + 48) /* evtchn_pending */

static volatile unsigned uart_interrupts, rtc_interrupts, gpio_interrupts;
static volatile bool line_over;

static bool is(const char *line, const char *what)
{
	while (*what && *line == *what)
		line++, what++;
	return *what == 0 && *line == 0;
}

/* ---- interrupts of devices ------------------------------------------------------------------------------------------------ */
/* Everything that came back to where it came from, in capitals. */
static void uart_echo(void)
{
	uart_interrupts++;
	while (!(read32(UART + 0x18) & 0x10)) { /* FR: RXFE */
		uint32_t c = read32(UART) & 0xff;

		write32(UART, c >= 'a' && c <= 'z' ? c - 32 : c);
		if (c == '\n')
			line_over = true;
	}
	write32(UART + 0x44, 0x7ff); /* ICR */
}

static void on_irq(struct cpu *c, struct frame *f)
{
	uint64_t intid = icc_read(ICC_IAR1);

	(void)c;
	(void)f;
	if (intid == UART_SPI)
		uart_echo();
	if (intid == RTC_SPI) {
		rtc_interrupts++;
		write32(RTC + 0x1c, 1); /* ICR */
	}
	if (intid == GPIO_SPI) {
		gpio_interrupts++;
		write32(GPIO + 0x410, 0); /* IE */
	}
	if (intid < 1020)
		icc_write(ICC_EOIR1, intid);
}

static void uart(void)
{
	line_over = false;
	gic_edge(UART_SPI, false);
	gic_enable(UART_SPI, 0x80);
	write32(UART + 0x38, 0x50); /* IMSC: receive, receive timeout */
	print("life: uart listens");
	irq_enable();
	while (!line_over)
		wfi();
	irq_disable();
	write32(UART + 0x38, 0);
	print("life: uart heard a line with %s", uart_interrupts ? "interrupts" : "none");
}

/* Does the tree that the toolstack made for us have what the user's partial tree has? */
static bool tree_has(const char *name)
{
	const char *tree = (const char *)boot_tree;
	uint32_t size = __builtin_bswap32(*(const uint32_t *)(boot_tree + 4));

	for (uint32_t i = 0; i + 32 < size; i++) {
		unsigned n = 0;

		while (name[n] && tree[i + n] == name[n])
			n++;
		if (!name[n])
			return true;
	}
	return false;
}

/* Both devices raise their lines at once: the alarm is due now, and an input pin of the GPIO that is low interrupts at low level. */
static void devices(void)
{
	rtc_interrupts = gpio_interrupts = 0;
	gic_edge(RTC_SPI, false);
	gic_edge(GPIO_SPI, false);
	gic_enable(RTC_SPI, 0x80);
	gic_enable(GPIO_SPI, 0x80);
	print("life: devices in the tree %u %u, identify as %x %x", (uint64_t)tree_has("arm,pl031"),
	      (uint64_t)tree_has("arm,pl061"),
	      (uint64_t)(read32(RTC + 0xfe0) | read32(RTC + 0xfe4) << 8),
	      (uint64_t)(read32(GPIO + 0xfe0) | read32(GPIO + 0xfe4) << 8));
	irq_enable();
	write32(RTC + 0x10, 1); /* IMSC */
	for (unsigned i = 0; i < 100 && !rtc_interrupts; i++) {
		write32(RTC + 4, read32(RTC)); /* the second may just have changed */
		delay_us(1000);
	}
	write32(RTC + 0x10, 0);
	write32(GPIO + 0x404, 1); /* IS: level */
	write32(GPIO + 0x40c, 0); /* IEV: low */
	write32(GPIO + 0x410, 1); /* IE */
	(void)WAIT_FOR(gpio_interrupts);
	irq_disable();
	print("life: devices interrupted %u %u", (uint64_t)rtc_interrupts,
	      (uint64_t)gpio_interrupts);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------- */
static void stop(unsigned reason)
{
	register uint64_t x16 asm("x16") = 29; /* sched_op */
	register uint64_t x0 asm("x0") = 2;    /* shutdown */
	register uint64_t x1 asm("x1") = (uint64_t)&reason;

	/* x27 is known by its value in the register dump */
	asm volatile("mov x27, %3\n"
		     "hvc #0xea1"
		     : "+r"(x0)
		     : "r"(x16), "r"(x1), "r"(0x1234cafe5678beeful)
		     : "x27", "memory");
}

static void watchdog(void)
{
	struct {
		uint32_t id, seconds;
	} op = {0, 1};

	print("life: watchdog %d", hypercall(29, 6, (uint64_t)&op, 0));
}

static void interrupts_masked_for_ever(void)
{
	asm volatile("msr daifset, #0xf" ::: "memory");
	for (;;)
		;
}

/* An exception whose handler cannot be fetched, without end. */
static void fault_in_fault(void)
{
	sysreg_write(vbar_el1, 0x7000000000);
	asm volatile("udf #0" ::: "memory");
}

static void undefined_for_ever(void)
{
	for (;;)
		asm volatile("udf #0" ::: "memory");
}

static void undefined_skip(struct cpu *c)
{
	c->expect = true;
	undefined_for_ever();
}

/* A page that Dom0 may map. */
static void grant(void)
{
	_Alignas(4096) static char page[4096] = "granted by a guest that is gone";
	struct {
		uint16_t domain, size;
		uint32_t space;
		uint64_t index, frame;
	} op = {0x7ff0, 0, 1, 0, GRANTS >> 12};
	volatile uint32_t *entry = (volatile uint32_t *)(GRANTS + GRANT * 8);

	hypercall(12, 7, (uint64_t)&op, 0); /* add_to_physmap */
	entry[1] = (uint32_t)((uint64_t)page >> 12);
	asm volatile("dmb ish" ::: "memory");
	entry[0] = 1; /* permit_access, domain 0 */
	print("life: grant %u of page %x", (uint64_t)GRANT, (uint64_t)page >> 12);
}

static void obey(const char *line)
{
	if (is(line, "crash"))
		stop(3);
	else if (is(line, "poweroff"))
		stop(0);
	else if (is(line, "reboot"))
		stop(1);
	else if (is(line, "watchdog"))
		watchdog(), interrupts_masked_for_ever();
	else if (is(line, "masked"))
		print("life: masked"), interrupts_masked_for_ever();
	else if (is(line, "faults"))
		print("life: faults"), fault_in_fault();
	else if (is(line, "undefined"))
		print("life: undefined"), undefined_skip(&cpus[0]);
	else if (is(line, "grant"))
		grant();
	else if (is(line, "clock"))
		print("life: clock %u", (uint64_t)read32(SHARED_INFO + 1084)
							<< 32 | /* wc_sec_hi, wc_sec */
						read32(SHARED_INFO + 1076));
	else if (is(line, "uart"))
		uart();
	else if (is(line, "devices"))
		devices();
	else
		print("life: what is %s?", line);
}

/* ---- console --------------------------------------------------------------------------------------------------------------------- */
static void shared_info_show(void)
{
	struct {
		uint16_t domain, size;
		uint32_t space;
		uint64_t index, frame;
	} op = {0x7ff0, 0, 0, 0, SHARED_INFO >> 12};

	hypercall(12, 7, (uint64_t)&op, 0); /* add_to_physmap */
}

static void wait_for_event(void)
{
	uint32_t port = console_port();
	struct {
		uint32_t *ports;
		uint32_t count;
		uint64_t timeout;
	} op = {&port, 1, 0};

	hypercall(29, 3, (uint64_t)&op, 0); /* sched_op, poll */
}

/* The event is taken before the ring is looked at: what comes after that ends the wait. */
static char next_byte(void)
{
	uint32_t port = console_port();
	int c;

	for (;;) {
		__atomic_fetch_and((uint64_t *)SHARED_PORTS + port / 64, ~(1ul << port % 64),
				   __ATOMIC_SEQ_CST);
		c = console_read();
		if (c >= 0)
			return (char)c;
		wait_for_event();
	}
}

void guest_main(void)
{
	char line[64];

	shared_info_show();
	console_start();
	gic_init();
	cpus[0].on_irq = on_irq;
	print("life: ready");
	for (;;) {
		unsigned n = 0;

		while ((line[n] = next_byte()) != '\n')
			n += n < sizeof(line) - 1;
		line[n] = 0;
		obey(line);
	}
}
