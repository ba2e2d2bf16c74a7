/* Instructions by the counter, under `-icount shift=0,sleep=off`: an instruction takes a nanosecond, a tick of the counter is 16
 * instructions. A row is the mean of 65,536 rounds whose start is spread over the 16 instructions of a tick by as many
 * no-operations, so that the mean of the truncated differences is exact.
 *
 * What is counted: HVC rows with the HVC itself, register accesses without the access (QEMU does not count an instruction that
 * faults); rows until a handler end before its first instruction. */
#ifndef BENCH_H
#define BENCH_H
#include "bare.h"

#define ROUNDS 65536u

/* xorshift: where in a tick the next round begins */
uint64_t dither(void);
/* Measures `nothing`: ticks of ROUNDS empty rounds. */
void calibrate(void);
extern uint64_t nothing;
/* Prints a row: so many ticks in ROUNDS rounds, less so many instructions. */
void row(const char *name, uint64_t ticks, uint64_t minus);
/* Prints a row in hundredths of an instruction. */
void row_print(const char *name, uint64_t hundredths);

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

/* Ticks of ROUNDS rounds. */
#define SUM(prepare, before, body, address, undo)                                                  \
	({                                                                                         \
		uint64_t sum_ = 0;                                                                 \
		for (unsigned i_ = 0; i_ < ROUNDS; i_++) {                                         \
			prepare;                                                                   \
			sum_ += ONCE(before, body, address);                                       \
			undo;                                                                      \
		}                                                                                  \
		sum_;                                                                              \
	})
#define ROW(name, prepare, before, body, address, undo)                                            \
	row(name, SUM(prepare, before, body, address, undo), nothing * 16)

/* The caller's page of event channels and time (xen/xen.h), at its place once it was shown. */
extern struct shared_info shared_info;
void shared_info_show(void);

/* ---- domains.c: rows that need a second domain ---------------------------------------------------------------------------- */
/* Was this image started by domains() as a guest? Then goes on as such and never returns. */
void domu_main(void);
void domains(void);
#endif
