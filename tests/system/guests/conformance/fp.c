/* FP and SIMD registers stay those of each vCPU, whoever else runs meanwhile. */
#include "case.h"

#define LOAD(n) "fmov d" #n ", x1\nins v" #n ".d[1], x2\nadd x1, x1, x3\nadd x2, x2, x3\n"
#define CHECK_(n)                                                                                  \
	"fmov x4, d" #n "\ncmp x4, x1\ncinc %0, %0, ne\numov x4, v" #n                             \
	".d[1]\ncmp x4, x2\ncinc %0, %0, ne\n"                                                     \
	"add x1, x1, x3\nadd x2, x2, x3\n"
#define ALL(X)                                                                                     \
	X(0)                                                                                       \
	X(1)                                                                                       \
	X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17)    \
		X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)      \
			X(31)

/* Who was between LOAD and CHECK last; and how often that was another one after a yield. */
static volatile uint64_t last, between[CPUS];

/* Fills all registers with a pattern of the seed, lets others run, and counts what is different afterwards. */
static uint64_t differences(uint64_t seed)
{
	uint64_t bad = 0, others = 0;

	asm volatile(".arch_extension fp\n.arch_extension simd\n"
		     "mov x1, %2\nmvn x2, %2\nmov x3, #0x1001\n" ALL(
			     LOAD) "msr fpsr, %3\nmsr fpcr, %4\n"
				   "mov x5, #20\n"
				   "9: movz w0, #0x8400, lsl #16\nhvc #0\n" /* a trap */
				   "str %6, [%5]\n"
				   "mov x16, #29\nmov x0, #0\nhvc #0xea1\n" /* SCHEDOP_yield */
				   "ldr x4, [%5]\ncmp x4, %6\ncinc %1, %1, ne\n"
				   "subs x5, x5, #1\nb.ne 9b\n"
				   "mov x1, %2\nmvn x2, %2\nmov x3, #0x1001\n" ALL(
					   CHECK_) "mrs x4, fpsr\ncmp x4, %3\ncinc %0, %0, ne\n"
						   "mrs x4, fpcr\ncmp x4, %4\ncinc %0, %0, ne\n"
						   "msr fpcr, xzr\n"
		     : "+&r"(bad), "+&r"(others)
		     : "r"(seed), "r"(seed & 0x9f), "r"((seed & 3) << 22), "r"(&last),
		       "r"((uint64_t)here())
		     : "x0", "x1", "x2", "x3", "x4", "x5", "x16", "cc", "memory");
	between[here()] += others;
	return bad;
}

#define SWITCHES 500u
static bool all_have_switched(void)
{
	for (unsigned i = 0; i < cpus_there; i++)
		if (between[i] < SWITCHES)
			return false;
	return true;
}

static volatile uint64_t theirs[CPUS];
static void work(void)
{
	uint64_t end = counter() + ticks_of_us(40000000);

	for (unsigned i = 0; !all_have_switched() && counter() < end; i++)
		theirs[here()] += differences(0x1234567ul * (here() + 1) + i);
}

CASE(fp_registers_survive_traps, 1)
{
	for (unsigned i = 0; i < 50; i++)
		EQUAL(differences(0xabcdeful + i), 0);
}

CASE(fp_registers_are_each_vcpus_own, 2)
{
	CHECK(workers_start(), 0, 0);
	for (unsigned i = 0; i < cpus_there; i++)
		theirs[i] = between[i] = 0;
	CHECK(run_everywhere(work), 0, 0);
	for (unsigned i = 0; i < cpus_there; i++) {
		CHECK(between[i] >= SWITCHES, i, between[i]);
		EQUAL(theirs[i], 0);
	}
}
