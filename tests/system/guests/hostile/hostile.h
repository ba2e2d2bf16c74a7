/* A guest that does what guests should not: each vCPU, for ever, one random action after the other (main.c), with hypercalls
 * (calls.c) and with the machine (machine.c). quiet.c is another guest, whose memory and registers must not change meanwhile. */
#ifndef HOSTILE_H
#define HOSTILE_H
#include "bare.h"

#define VCPUS	  4
#define GUEST_RAM 0x40000000ul
#define POOL                                                                                       \
	0x41000000ul /* guest-physical memory that comes and goes: POOL_PAGES for each vCPU, then some for all */
#define POOL_PAGES  0x100u
#define POOL_COMMON (POOL + VCPUS * POOL_PAGES * 0x1000ul)
#define SHARED_INFO 0x41800000ul
#define GRANTS	    0x38000000ul
#define FAR_TIME    (1ul << 47) /* QEMU 7.2 hangs with compare values close to 2^64 */

struct state {
	uint64_t random;
	uint64_t actions, recovered;
	unsigned faults; /* in a row */
	bool checked;	 /* the registers that it began its life with */
};
extern struct state states[CPUS];
extern uint8_t scratch[CPUS][4 * 4096];
extern unsigned quiet_domain; /* 0: there is none */

/* ---- random.c -------------------------------------------------------------------------------------------------------- */
uint64_t next(struct state *s);
static inline unsigned below(struct state *s, unsigned n)
{
	return (unsigned)(next(s) % n);
}
uint64_t boundary(struct state *s); /* a number of which programs are afraid, or any */
uint64_t pool_page(struct cpu *c);  /* of this vCPU's own part */
/* Address for a structure: mostly scratch memory filled with boundary values, else something bad. */
uint64_t pointer(struct cpu *c);

/* ---- self.c: can it be believed? ---------------------------------------------------------------------------------------- */
extern bool careful; /* it does nothing that could change its own code, stack or tables */
void self_start(void);
bool self_spoiled(void); /* a wild one; says so */

/* ---- console.c: the PV console ------------------------------------------------------------------------------------------ */
void console_start(void);
void console_write(const char *text, size_t length); /* what does not fit is lost */
size_t console_room(void);			     /* bytes that would not be lost now */
void console_leave(
	struct cpu *c); /* it does something else from now on, even if it was just writing */
int console_read(void);				     /* the next byte of input, or -1 */
uint32_t console_port(void);			     /* its event channel */

/* ---- calls.c, machine.c ----------------------------------------------------------------------------------------------- */
typedef void action(struct cpu *c);
action any_hypercall, event_calls, grant_calls, memory_calls, other_calls, many_calls,
	firmware_calls, vcpus_on_and_off, console_flood, event_storm;
action device_access, system_register, system_instruction, sgi_storm, set_way, page_tables,
	wait_instructions, undefined_storm, masked, random_code, float_registers, own_memory;
int64_t event_op(struct cpu *c, unsigned op, uint64_t first, uint64_t second);
void calls_start(void);
void begin_check(struct cpu *c); /* were all registers 0 when it was started? */

/* ---- entry.S ------------------------------------------------------------------------------------------------------------- */
void snapshot_entry(
	void); /* PSCI entry: x0 = an address; registers go to it, then to guest_cpu_entry with what was there */
void float_fill(uint64_t seed);
uint64_t float_differs(uint64_t seed); /* 0: V0 to V31 are as float_fill() left them */

/* Isolation is broken: a line that the test looks for. What a wild one finds in memory it may have written itself: calls of any
 * length are answered all over it, and other vCPUs change what a call is about to read. What it finds in registers is so. */
enum proof { BY_MEMORY, BY_REGISTERS };
void bad(enum proof proof, const char *what, uint64_t a, uint64_t b);
#endif
