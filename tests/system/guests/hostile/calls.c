/* Hypercalls and firmware calls: all of them, with arguments at random, and some that nearly make sense. */
#include "hostile.h"

#define SELF 0x7ff0u

enum {
	MEMORY = 12,
	MULTICALL = 13,
	VERSION = 17,
	CONSOLE = 18,
	GRANT = 20,
	VM_ASSIST = 21,
	VCPU = 24,
	SCHED = 29,
	EVENT = 32,
	PHYSDEV = 33,
	HVM = 34,
	SYSCTL = 35,
	DOMCTL = 36,
	PLATFORM = 7
};

static uint16_t some_domain(struct state *s)
{
	static const uint16_t known[] = {SELF, SELF, SELF, 0,	   1,	   2,	   3,	   4,	  5,
					 6,    7,    8,	   0x7ff1, 0x7ff2, 0x7ff4, 0x7fff, 0xffff};

	return known[below(s, sizeof(known) / sizeof(known[0]))];
}

/* What must not end the domain before its time. */
static bool ends_life(unsigned number, uint64_t a0)
{
	return number == SCHED &&
	       (a0 == 2 || a0 == 4 || a0 == 5 || a0 == 6); /* shutdown, remote, code, watchdog */
}

/* The tools' own calls. */
static void check_refused(unsigned number, uint64_t a0, int64_t result)
{
	bool tools = number == SYSCTL || number == DOMCTL || number == PLATFORM ||
		     number == CONSOLE || (number == PHYSDEV && a0 != 0);

	if (tools && result >= 0)
		bad(BY_REGISTERS, "the tools' hypercall", number, a0);
}

void any_hypercall(struct cpu *c)
{
	static const uint8_t known[] = {MEMORY, VERSION, CONSOLE,  GRANT, GRANT,   VM_ASSIST,
					VCPU,	SCHED,	 EVENT,	   EVENT, PHYSDEV, HVM,
					SYSCTL, DOMCTL,	 PLATFORM, 19,	  27,	   38,
					39,	41,	 42,	   48};
	struct state *s = &states[c->id];
	unsigned number = below(s, 8) ? known[below(s, sizeof(known))] : (unsigned)boundary(s);
	uint64_t a0 = below(s, 4) ? below(s, 40) : boundary(s), a1, a2;

	a1 = below(s, 2) ? pointer(c) : boundary(s);
	a2 = below(s, 2) ? pointer(c) : boundary(s);
	if (number == GRANT)
		a2 = below(s, 64);
	if (ends_life(number, a0))
		return;
	check_refused(number, a0, hypercall(number, a0, a1, a2));
}

/* ---- event channels ------------------------------------------------------------------------------------------------------- */
int64_t event_op(struct cpu *c, unsigned op, uint64_t first, uint64_t second)
{
	uint64_t *at = (uint64_t *)scratch[c->id];

	at[0] = first;
	at[1] = second;
	return hypercall(EVENT, op, (uint64_t)at, 0);
}

void event_calls(struct cpu *c)
{
	struct state *s = &states[c->id];
	unsigned op = below(s, 14);
	uint16_t domain = some_domain(s);
	uint64_t port = below(s, 8) ? below(s, 64) : boundary(s);

	if (op == 6) { /* alloc_unbound: {u16 domain, u16 remote, u32 port} */
		if (event_op(c, op, domain | (uint64_t)some_domain(s) << 16, 0) == 0 && domain == 0)
			bad(BY_MEMORY, "a port of Dom0's", domain, 0);
	} else if (op == 0) { /* bind_interdomain: {u16 remote, u32 port} */
		if (event_op(c, op, domain | port << 32, 0) == 0 && domain == quiet_domain)
			bad(BY_MEMORY, "a channel to the quiet domain", port, 0);
	} else if (op == 1) { /* bind_virq: {u32 virq, u32 vcpu} */
		event_op(c, op, below(s, 26) | boundary(s) << 32, 0);
	} else {
		event_op(c, op,
			 op == 5 || op == 10 ? domain | port << 32 : port | boundary(s) << 32,
			 boundary(s));
	}
}

void event_storm(struct cpu *c)
{
	uint64_t port = 1 + below(&states[c->id], 32);

	event_op(c, 7, c->id % VCPUS, 0); /* bind_ipi */
	for (unsigned i = 0; i < 200; i++)
		event_op(c, 4, port, 0);
}

/* ---- grants --------------------------------------------------------------------------------------------------------------- */
struct map {
	uint64_t host_addr;
	uint32_t flags, ref;
	uint16_t domain;
	int16_t status;
	uint32_t handle;
	uint64_t bus;
};

static void grant_something(struct cpu *c)
{
	struct state *s = &states[c->id];
	volatile uint64_t *entry = (volatile uint64_t *)GRANTS + below(s, 64);

	*entry = (below(s, 4) ? 1 : next(s) & 0xffff) | (uint64_t)some_domain(s) << 16 |
		 (below(s, 4) ? pool_page(c) >> 12 : (uint32_t)boundary(s)) << 32;
}

static void grant_map(struct cpu *c)
{
	struct state *s = &states[c->id];
	struct map *m = (struct map *)scratch[c->id];

	*m = (struct map){below(s, 4) ? pool_page(c) : boundary(s),
			  below(s, 2) ? 2 : (uint32_t)boundary(s),
			  below(s, 4) ? below(s, 64) : (uint32_t)boundary(s),
			  some_domain(s),
			  -1,
			  0,
			  0};
	m->domain = m->domain == SELF ? (uint16_t)below(s, 9) : m->domain;
	if (hypercall(GRANT, 0, (uint64_t)m, 1) == 0 && m->status == 0 &&
	    (m->domain == 0 || m->domain == quiet_domain))
		bad(BY_MEMORY, "a page of another domain", m->domain, m->ref);
}

void grant_calls(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t *at = (uint64_t *)scratch[c->id];

	for (unsigned i = below(s, 16); i > 0; i--)
		switch (below(s, 6)) {
		case 0:
			grant_something(c);
			break;
		case 1:
			grant_map(c);
			break;
		case 2: /* unmap: {address, bus address, handle, status} */
			at[0] = below(s, 2) ? pool_page(c) : boundary(s);
			at[1] = 0;
			at[2] = below(s, 4) ? below(s, 32) : boundary(s);
			hypercall(GRANT, 1, (uint64_t)at, 1);
			break;
		case 3: /* copy: two of {reference or frame, domain, offset}, length, flags */
			at[0] = below(s, 2) ? below(s, 64) : POOL_COMMON >> 12;
			at[1] = some_domain(s) | boundary(s) << 16;
			at[2] = below(s, 2) ? below(s, 64) : pool_page(c) >> 12;
			at[3] = some_domain(s) | boundary(s) << 16;
			at[4] = (boundary(s) & 0xffff) | (uint64_t)below(s, 4) << 16;
			hypercall(GRANT, 5, (uint64_t)at, 1);
			break;
		default:
			hypercall(GRANT, below(s, 13), pointer(c), below(s, 4));
		}
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------- */
static int64_t reservation(struct cpu *c, unsigned op, uint64_t frame, unsigned order)
{
	uint64_t *at = (uint64_t *)scratch[c->id];

	at[4] = frame;
	at[0] = (uint64_t)&at[4];
	at[1] = 1;
	at[2] = order;
	at[3] = SELF;
	return hypercall(MEMORY, op, (uint64_t)at, 0);
}

/* Memory that the domain gets was somebody else's before. */
static void check_clear(uint64_t page)
{
	const volatile uint64_t *word = (const volatile uint64_t *)page;

	for (unsigned i = 0; i < 512; i++)
		if (word[i]) {
			bad(BY_MEMORY, "new memory is not clear", page + i * 8, word[i]);
			return;
		}
}

static void map_many(struct cpu *c) /* add_to_physmap_batch of as many as there can be */
{
	struct state *s = &states[c->id];
	uint64_t *at = (uint64_t *)scratch[c->id], many = (uint64_t)scratch;

	/* a careful one has to know which frames it names: those in scratch memory */
	at[0] = SELF | (uint64_t)below(s, 5) << 16 | (careful ? 0x2000 : 0xffff) * 0x100000000ul |
		(uint64_t)some_domain(s) << 48;
	at[1] = many;
	at[2] = many;
	at[3] = POOL_COMMON;
	hypercall(MEMORY, 23, (uint64_t)at, 0);
}

void memory_calls(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t *at = (uint64_t *)scratch[c->id], page = pool_page(c);

	switch (below(s, 8)) {
	case 0:
	case 1:
		reservation(c, 1, page >> 12, 0);
		break;
	case 2:
	case 3:
		if (reservation(c, 6, page >> 12, 0) == 1)
			check_clear(page);
		break;
	case 4: /* big extents, of what is there and what is not */
		reservation(c, below(s, 2) ? 1 : 6, (POOL_COMMON >> 12) + 512, below(s, 20));
		break;
	case 5: /* add_to_physmap: {u16 domain, u16 size, u32 space, u64 index, u64 frame} */
		at[0] = SELF | (uint64_t)below(s, 6) << 32;
		at[1] = below(s, 2) ? 0 : boundary(s);
		at[2] = page >> 12;
		hypercall(MEMORY, 7, (uint64_t)at, 0);
		break;
	case 6:
		at[0] = SELF;
		at[1] = below(s, 2) ? page >> 12 : boundary(s);
		if (at[1] < GUEST_RAM >> 12 || at[1] >= POOL >> 12)
			hypercall(MEMORY, 15, (uint64_t)at, 0); /* remove_from_physmap */
		break;
	default:
		if (below(s, 16) == 0)
			map_many(c);
		else
			hypercall(MEMORY, below(s, 30) | boundary(s) << 6, pointer(c), 0);
	}
}

/* ---- the others ------------------------------------------------------------------------------------------------------------- */
void other_calls(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t *at = (uint64_t *)scratch[c->id];

	switch (below(s, 6)) {
	case 0:
		hypercall(SCHED, 0, 0, 0); /* yield */
		break;
	case 1: /* poll: {ports, u32 how many, u64 until} */
		at[4] = below(s, 64);
		at[0] = (uint64_t)&at[4];
		at[1] = below(s, 2);
		at[2] = 1 + boundary(s) % 0x100000000ul;
		hypercall(SCHED, 3, (uint64_t)at, 0);
		break;
	case 2: /* register_vcpu_info of any vCPU: {frame, u32 offset} */
		at[0] = SHARED_INFO >> 12;
		at[1] = 1024 + below(s, 64) * 8;
		hypercall(VCPU, 10, below(s, VCPUS + 1), (uint64_t)at);
		break;
	case 3:
		hypercall(VCPU, below(s, 16), below(s, 2) ? below(s, VCPUS) : boundary(s),
			  pointer(c));
		break;
	case 4:
		hypercall(HVM, below(s, 26), pointer(c), 0);
		break;
	default:
		hypercall(VERSION, below(s, 16), pointer(c), 0);
	}
}

void many_calls(struct cpu *c)
{
	struct state *s = &states[c->id];
	uint64_t *entry = (uint64_t *)(scratch[c->id] + 4096);
	unsigned n = below(s, 70);

	for (unsigned i = 0; i < n; i++, entry += 8) { /* {number, result, six arguments} */
		entry[0] = below(s, 44);
		for (unsigned k = 2; k < 8; k++)
			entry[k] = below(s, 3) ? boundary(s) : pointer(c);
		entry[2] = below(s, 2) ? below(s, 30) : entry[2];
		if (entry[0] == GRANT &&
		    careful) /* else the answers go through all of its memory */
			entry[4] %= 64;
		if (ends_life((unsigned)entry[0], entry[2]))
			entry[0] = VERSION;
	}
	/* each entry gets its result: a careful one has only those in its scratch memory answered */
	hypercall(MULTICALL, (uint64_t)(scratch[c->id] + 4096),
		  below(s, 8) ? n
		  : careful   ? boundary(s) % (3 * 4096 / 64 + 1)
			      : boundary(s),
		  0);
}

void console_flood(struct cpu *c)
{
	for (unsigned i = below(&states[c->id], 20); i > 0; i--) {
		print("hostile: vCPU %u says nothing of importance, %u", c->id,
		      states[c->id].actions);
		hypercall(CONSOLE, 0, 16, (uint64_t)scratch[c->id]);
	}
}

/* ---- firmware ---------------------------------------------------------------------------------------------------------------- */
void firmware_calls(struct cpu *c)
{
	static const uint32_t known[] = {0x80000000, 0x80000001, 0x80008000, 0x80007fff, 0x80003fff,
					 0x84000000, 0x8400000a, 0x84000004, 0xc4000004, 0x84000050,
					 0x8600ff01, 0x8600ff03, 0xbf00ff01, 0x84000006};
	struct state *s = &states[c->id];

	for (unsigned i = below(s, 64); i > 0; i--) {
		struct smccc call;
		bool any = below(s, 4) == 0;

		for (unsigned k = 0; k < 18; k++)
			call.x[k] = boundary(s);
		call.x[0] =
			any ? (uint32_t)next(s) : known[below(s, sizeof(known) / sizeof(known[0]))];
		/* not: suspend, off, on, system off, reset, reset2, and PSCI 0.1 */
		if (any && ((call.x[0] & 0xbf000000) == 0x84000000 || call.x[0] < 16))
			continue;
		if (below(s, 2))
			smccc_hvc(&call);
		else
			smccc_smc(&call);
	}
}

/* Where started vCPUs leave the registers that they found. */
static _Alignas(64) uint64_t found[CPUS][256];

void begin_check(struct cpu *c)
{
	uint64_t *words = found[c->id];

	for (uint64_t at = (uint64_t)words; at < (uint64_t)(words + 256); at += 16)
		asm volatile("dc civac, %0" ::"r"(at) : "memory");
	for (unsigned i = 1; i < 152 && words[0]; i++)
		if (words[i] && i != 31) {
			bad(BY_MEMORY, "a register of a new vCPU is not 0", i, words[i]);
			break;
		}
	words[0] = 0;
}

void vcpus_on_and_off(struct cpu *c)
{
	struct state *s = &states[c->id];
	unsigned id = below(s, VCPUS);
	uint64_t at;

	if (c->id != 0 && below(s, 8) == 0)
		cpu_off();
	for (unsigned i = below(s, 50); i > 0; i--)
		psci(PSCI_AFFINITY_INFO, below(s, 2) ? below(s, VCPUS) : boundary(s), below(s, 3),
		     0);
	if (psci(PSCI_AFFINITY_INFO, id, 0, 0) != 1)
		return;
	if (!careful &&
	    below(s, 200) ==
		    0) { /* to where nothing good is: it will fault in its vectors for ever */
		psci(PSCI_CPU_ON, id, pool_page(c), boundary(s));
		return;
	}
	for (unsigned i = 0; i < 256; i++)
		found[id][i] = 0;
	found[id][0] = (uint64_t)&cpus[id];
	for (at = (uint64_t)found[id]; at < (uint64_t)(found[id] + 256); at += 16)
		asm volatile("dc civac, %0; dsb sy" ::"r"(at) : "memory");
	psci(PSCI_CPU_ON, id, (uint64_t)snapshot_entry, (uint64_t)found[id]);
}

/* The grant table and shared_info into the guest's address space. */
void calls_start(void)
{
	uint64_t *at = (uint64_t *)scratch[0];

	for (unsigned i = 0; i < 2; i++) {
		at[0] = SELF | 1ul << 32;
		at[1] = 1 - i;
		at[2] = (GRANTS >> 12) + 1 - i;
		hypercall(MEMORY, 7, (uint64_t)at, 0);
	}
	at[0] = SELF;
	at[1] = 0;
	at[2] = SHARED_INFO >> 12;
	hypercall(MEMORY, 7, (uint64_t)at, 0);
}
