/* The rows as a guest of xl's without privileges issues them; its PV console has "row domu-NAME RESULT" for each, then "calls end".
 * After that it stops for a reason that nobody knows, after it has latched another one nobody knows either. */
#include "../hostile/hostile.h"
#include "calls.h"
#include <xen/event_channel.h>
#include <xen/sched.h>

static _Alignas(4096) uint8_t pages[8192];
uint8_t *buffer = pages;
uint16_t dom, own;
bool privileged;

long call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x16 asm("x16") = number;
	register uint64_t x0 asm("x0") = a0;
	register uint64_t x1 asm("x1") = a1;
	register uint64_t x2 asm("x2") = a2;
	register uint64_t x3 asm("x3") = a3;
	register uint64_t x4 asm("x4") = 0;

	asm volatile("hvc #0xea1"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x16)::"memory");
	return (long)x0;
}

/* Rows, not yet on the console: xenconsoled looks at it so many times a second only. */
static char kept[1500];
static size_t kept_length;

static void console_flush(void)
{
	while (console_room() < kept_length)
		asm volatile("yield");
	console_write(kept, kept_length);
	kept_length = 0;
}

static void keep(const char *line, size_t length)
{
	if (kept_length + length > sizeof(kept))
		console_flush();
	__builtin_memcpy(kept + kept_length, line, length);
	kept_length += length;
}

void row_out(const char *name, const char *kind, unsigned number, long result)
{
	if (kind)
		print("row domu-%s%s%s %d", name, *kind ? "-" : "", kind, (int64_t)result);
	else
		print("row domu-%s-%u %d", name, (uint64_t)number, (int64_t)result);
}

/* A channel of ours for ourselves says who that is. */
static uint16_t number_of_this(void)
{
	uint32_t port;

	EVENT(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound,
	      {.dom = DOMID_SELF, .remote_dom = DOMID_SELF});
	port = ((struct evtchn_alloc_unbound *)(void *)buffer)->port;
	EVENT(EVTCHNOP_status, evtchn_status, {.dom = DOMID_SELF, .port = port});
	own = ((struct evtchn_status *)(void *)buffer)->u.unbound.dom;
	EVENT(EVTCHNOP_close, evtchn_close, {.port = port});
	return own;
}

static void stop(unsigned cmd, unsigned reason)
{
	row_number("shutdown", cmd,
		   call(__HYPERVISOR_sched_op, cmd,
			in(&(struct sched_shutdown){.reason = reason}, 4), 0, 0));
}

void guest_main(void)
{
	console_start();
	print_line = keep;
	own = number_of_this();
	rows_of_everybody();
	rows_refused();
	stop(SCHEDOP_shutdown_code, 0x177);
	print("calls end");
	console_flush();
	stop(SCHEDOP_shutdown, 9);
}
