#include "arch/guest_timer.h"
#include "arch/arm64/sysreg.h"

#define CNTHCTL_EL1PCTEN 1ul /* EL1 and EL0 read CNTPCT; EL1PCEN stays 0: CNTP_* comes to EL2 */
#define CTL_IMASK	 2ul

void guest_timer_cpu_init(void)
{
	sysreg_write(cnthctl_el2, CNTHCTL_EL1PCTEN);
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

void guest_timer_reset(uint64_t offset)
{
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntv_cval_el0, 0);
	sysreg_write(cntvoff_el2, offset);
	isb();
}

void guest_timer_mask(void)
{
	uint64_t ctl = sysreg_read(cntv_ctl_el0);

	sysreg_write(cntv_ctl_el0, ctl | CTL_IMASK);
	isb();
}

void guest_timer_save(uint64_t *ctl, uint64_t *cval)
{
	*ctl = sysreg_read(cntv_ctl_el0);
	*cval = sysreg_read(cntv_cval_el0);
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

void guest_timer_load(uint64_t offset, uint64_t ctl, uint64_t cval)
{
	sysreg_write(cntvoff_el2, offset);
	sysreg_write(cntv_cval_el0, cval);
	isb();
	sysreg_write(cntv_ctl_el0, ctl);
	isb();
}
