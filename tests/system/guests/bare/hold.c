#include "hold.h"

static uint64_t look(void)
{
	return sysreg_read(cntvct_el0);
}

static unsigned class_of(uint64_t ticks)
{
	unsigned n = 0;

	while (ticks > 1 && n < HOLD_CLASSES - 1) {
		ticks >>= 1;
		n++;
	}
	return n;
}

#define LATER 256 /* ticks: by then the interrupt has come, and its time is noted */

/* The interrupt is taken by hand, masked at the CPU: what the guest itself does for it is not in any time between two looks. False: it
 * has not come yet. */
static bool timer_take(uint64_t next)
{
	uint64_t intid = icc_read(ICC_IAR1) & 0xffffff;

	if (intid == PPI_VTIMER) {
		sysreg_write(cntv_cval_el0, next);
		sysreg_write(cntv_ctl_el0, 1); /* stock Xen has masked it */
	}
	if (intid < 1020)
		icc_write(ICC_EOIR1, intid);
	return intid == PPI_VTIMER;
}

void hold_measure(struct hold *h, uint64_t ticks, uint64_t period, uint64_t own)
{
	uint64_t begin = look(), end = begin + ticks, last, now;
	uint64_t next = period != 0 ? begin + period : UINT64_MAX - LATER;

	*h = (struct hold){0};
	irq_disable();
	if (period != 0) {
		gic_enable(PPI_VTIMER, 0x80);
		sysreg_write(cntv_cval_el0, next);
		sysreg_write(cntv_ctl_el0, 1);
	}
	last = look();
	do {
		now = look();
		h->looks++;
		if (now - last > h->longest)
			h->longest = now - last;
		if (now - last > own)
			h->count[class_of(now - last)]++;
		last = now;
		if (now >= next + LATER && timer_take(next + period)) {
			next += period;
			last = look();
		}
	} while (now < end);
	h->ticks = now - begin;
	sysreg_write(cntv_ctl_el0, 0);
	if (period != 0)
		gic_disable(PPI_VTIMER);
}
