#include "arch/guest_timer.h"
#include "arch/arm64/sysreg.h"

#define CNTHCTL_EL1PCTEN 1ul /* EL1 and EL0 read CNTPCT; EL1PCEN stays 0: CNTP_* comes to EL2 */
#define CTL_ENABLE	 1ul
#define CTL_IMASK	 2ul
#define CTL_ISTATUS	 4ul

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

bool guest_timer_line(void)
{
	return (sysreg_read(cntv_ctl_el0) & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS);
}

void guest_timer_save(struct guest_timer *t)
{
	t->ctl = sysreg_read(cntv_ctl_el0);
	t->cval = sysreg_read(cntv_cval_el0);
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

void guest_timer_load(const struct guest_timer *t, uint64_t offset)
{
	sysreg_write(cntvoff_el2, offset);
	sysreg_write(cntv_cval_el0, t->cval);
	isb();
	sysreg_write(cntv_ctl_el0, t->ctl & (CTL_ENABLE | CTL_IMASK));
	isb();
}
