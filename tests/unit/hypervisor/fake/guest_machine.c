#include "fake/guest_machine.h"
#include "arch/id_registers.h"
#include "arch/psci.h"
#include "core/sched.h"

unsigned fake_waits;
uint64_t fake_firmware_calls[8];
int64_t fake_workaround;
uint64_t fake_sp;

void sched_block(struct vcpu *v)
{
	(void)v;
	fake_waits++;
}
uint32_t psci_version(void)
{
	return 0x10001;
}
uint64_t firmware_call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	(void)a1;
	(void)a2;
	(void)a3;
	for (unsigned i = 7; i > 0; i--)
		fake_firmware_calls[i] = fake_firmware_calls[i - 1];
	fake_firmware_calls[0] = function;
	return function == 0x80000001 ? (uint64_t)fake_workaround : 0;
}
/* a machine that has everything, so that what is hidden shows */
uint64_t id_register_read(unsigned crm, unsigned op2)
{
	(void)crm;
	(void)op2;
	return 0x1111111111111111;
}
void vcpu_debug_apply(struct vcpu_state *s)
{
	(void)s;
}
uint64_t guest_sp_read(const struct frame *f)
{
	(void)f;
	return fake_sp;
}
void guest_sp_write(const struct frame *f, uint64_t sp)
{
	(void)f;
	fake_sp = sp;
}
