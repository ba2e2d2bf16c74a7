/* The two timers of a guest, as their cases see them. */
#ifndef TIMER_H
#define TIMER_H
#include "case.h"

#define ENABLE	1u
#define IMASK	2u
#define ISTATUS 4u

struct generic_timer {
	const char *name;
	unsigned ppi;
	uint64_t (*now)(void), (*ctl)(void), (*cval)(void), (*tval)(void);
	void (*set_ctl)(uint64_t), (*set_cval)(uint64_t), (*set_tval)(uint64_t);
};

#define TIMER(t, counter_, intid)                                                                  \
	static uint64_t t##_now(void)                                                              \
	{                                                                                          \
		asm volatile("isb" ::: "memory");                                                  \
		return sysreg_read(counter_);                                                      \
	}                                                                                          \
	static uint64_t t##_ctl(void)                                                              \
	{                                                                                          \
		return sysreg_read(t##_ctl_el0);                                                   \
	}                                                                                          \
	static uint64_t t##_cval(void)                                                             \
	{                                                                                          \
		return sysreg_read(t##_cval_el0);                                                  \
	}                                                                                          \
	static uint64_t t##_tval(void)                                                             \
	{                                                                                          \
		return sysreg_read(t##_tval_el0);                                                  \
	}                                                                                          \
	static void t##_set_ctl(uint64_t v)                                                        \
	{                                                                                          \
		sysreg_write(t##_ctl_el0, v);                                                      \
	}                                                                                          \
	static void t##_set_cval(uint64_t v)                                                       \
	{                                                                                          \
		sysreg_write(t##_cval_el0, v);                                                     \
	}                                                                                          \
	static void t##_set_tval(uint64_t v)                                                       \
	{                                                                                          \
		sysreg_write(t##_tval_el0, v);                                                     \
	}                                                                                          \
	static const struct generic_timer t = {#t,	    intid,	  t##_now,                 \
					       t##_ctl,	    t##_cval,	  t##_tval,                \
					       t##_set_ctl, t##_set_cval, t##_set_tval};
TIMER(cntv, cntvct_el0, PPI_VTIMER)
TIMER(cntp, cntpct_el0, PPI_PTIMER)

#define BOTH(name)                                                                                 \
	CASE(cntv_##name, 1)                                                                       \
	{                                                                                          \
		name(&cntv);                                                                       \
	}                                                                                          \
	CASE(cntp_##name, 1)                                                                       \
	{                                                                                          \
		name(&cntp);                                                                       \
	}

/* compare values stay below 2^48: QEMU 7.2 hangs on deadlines near 2^64 */
#define FAR (1ul << 47)

#endif
