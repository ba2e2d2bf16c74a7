/* Asks a faulty hypervisor (smccc_call.c) to fault as the boot arguments say: fault=<digit> by Dom0 itself, domu=<digit> by a domain
 * that it makes, beside another one that counts. Then it says what became of the domain, whether the other one still runs, and
 * how many frames are missing when both are gone. */
#include "domu.h"

#include <xen/memory.h>
#include <xen/sysctl.h>

#define FAULT	0x83fa0170u
#define COUNTER 0x800
#define HVC	0xd4000002u
#define COUNT                                                                                      \
	0xf9400020, 0x91000400, 0xf9000020,                                                        \
		0x17fffffd /* ldr x0, [x1]; add x0, x0, #1; str x0, [x1]; b . - 12 */
#define STAY 0x14000000	   /* b . */

static _Alignas(4096) volatile uint64_t windows[2][512];

/* The digit after `name` in the boot arguments, the only place of the device tree with such a word; 0: it is not there. */
static uint64_t argument(const char *name, size_t length)
{
	const char *tree = (const char *)guest_tree;
	uint32_t size = __builtin_bswap32(*(const uint32_t *)(guest_tree + 4));

	for (uint32_t i = 0; i + length < size; i++)
		if (__builtin_memcmp(tree + i, name, length) == 0)
			return (uint64_t)(tree[i + length] - '0');
	return 0;
}

static uint64_t free_frames(void)
{
	static xen_sysctl_t s = {.cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	must("physinfo", hypercall(__HYPERVISOR_sysctl, (uint64_t)&s, 0, 0), 0);
	return s.u.physinfo.free_pages;
}

static uint32_t flags(const struct domu *d)
{
	static xen_domctl_t op;

	must("getdomaininfo", domctl(d->id, XEN_DOMCTL_getdomaininfo, &op), 0);
	return op.u.getdomaininfo.flags;
}

static struct domu start(unsigned window, const uint32_t *program, unsigned words, uint64_t x0, uint64_t x1)
{
	struct domu d = {.pages = 1, .window = (volatile uint8_t *)windows[window]};

	domu_make(&d, 0, 0);
	for (unsigned n = 0; n < words; n++)
		((volatile uint32_t *)windows[window])[n] = program[n];
	domu_flush(windows[window], 4096);
	domu_context(&d, DOMU_RAM, x0, x1);
	domu_unpause(&d);
	return d;
}

static uint64_t count(void)
{
	domu_flush(&windows[1][COUNTER / 8], 8);
	return windows[1][COUNTER / 8];
}

static void destroy(struct domu *d)
{
	struct xen_remove_from_physmap page = {.domid = DOMID_SELF, .gpfn = (uint64_t)d->window >> 12};

	domu_destroy(d);
	must("remove_from_physmap", hypercall(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, (uint64_t)&page, 0), 0);
}

static void ask_by_domain(uint64_t number)
{
	static const uint32_t asks[] = {HVC, STAY}, counts[] = {COUNT};
	uint64_t before = free_frames(), counted;
	struct domu asking, other = start(1, counts, 4, 0, DOMU_RAM + COUNTER);
	uint32_t now;

	print("a domain asks for fault %u", number);
	asking = start(0, asks, 2, FAULT, number);
	(void)WAIT_FOR(flags(&asking) & XEN_DOMINF_shutdown);
	now = flags(&asking);
	print("it %s, reason %u", now & XEN_DOMINF_shutdown ? "was shut down" : "still runs",
	      (uint64_t)now >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
	counted = count();
	print("the other one %s", WAIT_FOR(count() > counted) ? "runs" : "rests");
	destroy(&asking);
	destroy(&other);
	(void)WAIT_FOR(free_frames() == before);
	print("%u frames are missing", before - free_frames());
}

void guest_main(void)
{
	struct smccc call = {{FAULT, argument("fault=", 6)}};
	uint64_t domu = argument("domu=", 5);

	if (domu)
		ask_by_domain(domu);
	if (call.x[1]) {
		print("asking for fault %u", call.x[1]);
		smccc_hvc(&call);
		print("nothing happened");
	}
	power_off();
}
