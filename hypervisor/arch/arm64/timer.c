#include "arch/timer.h"
#include "arch/cpu.h"
#include "sysreg.h"

void timer_arm(uint64_t ticks)
{
	uint64_t now = cpu_counter(), far = now + cpu_counter_frequency() * 3600;

	sysreg_write(cnthp_cval_el2, ticks < far ? ticks : far);
	sysreg_write(cnthp_ctl_el2, 1);
	isb();
}

void timer_stop(void)
{
	sysreg_write(cnthp_ctl_el2, 0);
	isb();
}
