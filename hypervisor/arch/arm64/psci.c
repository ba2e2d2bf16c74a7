/* Firmware by SMC (SMCCC 1.1; Arm DEN0022 for PSCI). */
#include "arch/psci.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "core/cpu.h"
#include "lib/dt.h"
#include "lib/string.h"
#include <libfdt.h>

enum { PSCI_VERSION = 0x84000000, PSCI_CPU_OFF = 0x84000002, PSCI_OFF = 0x84000008, PSCI_RESET = 0x84000009, PSCI_ON = 0xc4000003, PSCI_AFFINITY = 0xc4000004 };
static bool present;

uint64_t firmware_call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 asm("x0") = function;
	register uint64_t x1 asm("x1") = a1;
	register uint64_t x2 asm("x2") = a2;
	register uint64_t x3 asm("x3") = a3;

	/* SMCCC 1.0 firmware may use x4 to x17 */
	asm volatile("smc #0"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
		     :
		     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
		       "memory");
	return x0;
}

bool psci_init(const void *fdt)
{
	int node = dt_compatible(fdt, -1, "arm,psci-1.0");
	const char *method;

	if (node < 0)
		node = dt_compatible(fdt, -1, "arm,psci-0.2");
	if (node < 0)
		return false;
	method = dt_string(fdt, node, "method");
	present = method != NULL && strcmp(method, "smc") == 0;
	return present;
}

uint32_t psci_version(void)
{
	return present ? (uint32_t)firmware_call(PSCI_VERSION, 0, 0, 0) : 0;
}

int psci_cpu_on(uint64_t mpidr, pa_t entry, uint64_t context)
{
	return (int)firmware_call(PSCI_ON, mpidr, entry.raw, context);
}

extern char boot_other[]; /* entry.S */

int cpu_start(struct cpu *c)
{
	return psci_cpu_on(c->mpidr, mmu_image_pa(boot_other), (uint64_t)c);
}

void psci_cpu_off(void)
{
	firmware_call(PSCI_CPU_OFF, 0, 0, 0);
	machine_stop();
}

int psci_affinity(uint64_t mpidr)
{
	return present ? (int)firmware_call(PSCI_AFFINITY, mpidr, 0, 0) : PSCI_NOT_SUPPORTED;
}

void machine_stop(void)
{
	for (;;)
		asm volatile("msr daifset, #0xf; wfi");
}

void machine_off(void)
{
	if (present)
		firmware_call(PSCI_OFF, 0, 0, 0);
	machine_stop();
}

void machine_reset(void)
{
	if (present)
		firmware_call(PSCI_RESET, 0, 0, 0);
	machine_stop();
}
