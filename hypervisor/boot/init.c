/* The whole boot on one screen. */
#include "arch/fault.h"
#include "arch/mmu.h"
#include "arch/psci.h"
#include "boards/board.h"
#include "boot/boot.h"
#include "boot/console.h"
#include "core/cpu_power.h"
#include "core/irq.h"
#include "core/options.h"
#include "core/sched.h"
#include "core/time.h"
#include "drivers/gicv3.h"
#include "guest/vtimer.h"
#include "lib/print.h"
#include <libfdt.h>

static struct boot_modules modules;

/* A device tree that may be walked without a further thought, mapped read-only; stops with one clear line if it is not one. */
static const void *tree_open(uint64_t tree)
{
	const struct board *board;
	const char *why;
	const void *fdt;

	console_last_resort();
	if (tree == 0 || tree % 8 != 0 || tree >> 48 != 0)
		panic("the boot loader gave no device tree (x0 = %lx)", tree);
	fdt = mmu_map_readonly(PA(tree), MIB(2) + PAGE_SIZE);
	board = board_find(fdt, MIB(2));
	early_console_open(board);
	log_info("Domus hypervisor %s, Xen ABI 4.20, on %s", DOMUS_VERSION, board != NULL ? board->name : "an unknown board");
	if (fdt_magic(fdt) != FDT_MAGIC)
		panic("there is no device tree at %lx", tree);
	if (fdt_totalsize(fdt) > MIB(2))
		panic("the device tree has %u bytes, more than the 2 MiB that the boot protocol allows", fdt_totalsize(fdt));
	why = dt_check(fdt, MIB(2));
	if (why != NULL)
		panic("the device tree is damaged: %s", why);
	modules.tree = (struct dt_range){tree, fdt_totalsize(fdt)};
	return fdt;
}

void boot_init(uint64_t tree)
{
	const void *fdt = tree_open(tree); /* early console, checked tree */
	const char *why;

	console_open(fdt);	       /* the console that stdout-path names */
	modules_find(fdt, &modules);   /* kernel, ramdisk, command lines */
	smp_find(fdt);		       /* all CPUs of the tree; this one gets its registers */
	time_init(fdt);
	ram_init(fdt, &modules);       /* direct map, page words, free list */
	if (!psci_init(fdt))
		panic("the device tree has no PSCI 0.2 or newer with method smc, so no CPU can be started or stopped");
	if (!gic_init(fdt, &why))
		panic("%s", why);
	vtimer_init(fdt);
	smp_start();		       /* the other CPUs, each with GIC, timer, stack */
	power_find(fdt);	       /* rails of platform devices */
	console_take_irq();	       /* before Dom0 is given all interrupts that are left */
	dom0_build(fdt, &modules);     /* memory, kernel, tree, vCPUs */
	power_run();		       /* what is nobody's goes off */
	panic_end = fault_here;
	console_serve();
	domain_unpause(domains[0]); /* another CPU may run Dom0 at once */
	cpu_power_update(); /* clusters without a domain */
	sched_run();
}
