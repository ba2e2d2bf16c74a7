/* The CPUs of the tree, EL2's registers on each, and their start. */
#include "arch/mmu.h"
#include "arch/psci.h"
#include "arch/stage2.h"
#include "arch/sysregs_el2.h"
#include "boot/boot.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "lib/print.h"
#include "lib/string.h"

static struct cpu *cpu_of(uint64_t mpidr)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].mpidr == mpidr)
			return &cpus[i];
	return NULL;
}

/* Clusters as the tree's cpu-map has them (Linux Documentation/devicetree/bindings/cpu/cpu-topology.txt): the last node called
 * cluster that a core stands behind. False when it does not name all CPUs. */
static bool clusters_from_map(const void *fdt, int map, const uint32_t *phandles)
{
	unsigned cluster = 0, depth, found = 0;
	struct dt_walk w;

	if (map < 0 || !dt_walk_to(&w, fdt, map))
		return false;
	depth = w.depth;
	while (dt_walk_next(&w) && w.depth > depth) {
		uint32_t handle = (uint32_t)dt_number(fdt, dt_walk_node(&w)->offset, "cpu", 0);

		if (strncmp(dt_walk_node(&w)->name, "cluster", 7) == 0)
			cluster++;
		for (unsigned i = 0; handle != 0 && i < cpu_count; i++)
			if (phandles[i] == handle) {
				cpus[i].cluster = cluster;
				found++;
			}
	}
	return found == cpu_count;
}

void smp_find(const void *fdt)
{
	uint32_t phandles[MAX_CPUS] = {0};
	int parent = dt_child(fdt, 0, "cpus");
	struct dt_walk w;
	uint64_t own = cpu_el2_mpidr();

	cpus[0] = (struct cpu){.mpidr = own,
			       .midr = cpu_el2_midr(),
			       .online = true,
			       .timer_lock = LOCK(LOCK_TIMERS)};
	cpu_count = 1;
	cpu_el2_setup(&cpus[0]);
	if (!dt_walk_to(&w, fdt, parent))
		panic("the device tree has no /cpus node");
	while (dt_walk_next(&w) && w.depth > 1) {
		const char *type = dt_string(fdt, dt_walk_node(&w)->offset, "device_type");
		struct dt_value reg = dt_walk_node(&w)->reg;
		uint64_t mpidr;

		if (w.depth != 2 || type == NULL || strcmp(type, "cpu") != 0 || reg.data == NULL || (reg.size != 4 && reg.size != 8))
			continue;
		mpidr = dt_read_cells(reg.data, (unsigned)reg.size / 4);
		if (cpu_of(mpidr) != NULL) {
			phandles[cpu_of(mpidr)->id] = dt_walk_node(&w)->phandle;
			continue;
		}
		if (cpu_count == MAX_CPUS) {
			log_warning("this machine has more than %d CPUs: the others stay off", MAX_CPUS);
			break;
		}
		cpus[cpu_count] = (struct cpu){
			.id = cpu_count, .mpidr = mpidr, .timer_lock = LOCK(LOCK_TIMERS)};
		phandles[cpu_count] = dt_walk_node(&w)->phandle;
		cpu_count++;
	}
	if (clusters_from_map(fdt, dt_child(fdt, parent, "cpu-map"), phandles))
		return;
	/* without a map by MPIDR: Aff1, or Aff2 where Aff0 is a thread */
	for (unsigned i = 0; i < cpu_count; i++)
		cpus[i].cluster = (unsigned)(cpus[i].mpidr >> 8 & 0xffff);
}

static void stack_make(struct cpu *c)
{
	void *memory = heap_pages(2);

	if (memory == NULL)
		panic("no memory for the stack of CPU %u", c->id);
	c->boot_stack = (uint64_t)mmu_map_stack(c->id, va_to_pa(memory), KIB(16));
}

void boot_cpu(struct cpu *c)
{
	c->midr = cpu_el2_midr();
	cpu_el2_setup(c);
	if (!gic_cpu_init(c->id, c->mpidr)) {
		log_error("CPU %u has no redistributor in the GIC: it is left out", c->id);
		machine_stop();
	}
	time_cpu_init();
	if (guest_cpu_init() != 0)
		panic("the interrupts of the guest's timer and of the GIC's maintenance are in use");
	irq_enable_here(SGI_KICK);
	c->power = CPU_ON;
	__atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
	sched_run();
}

static void forget(unsigned intid, void *arg)
{
	(void)intid;
	(void)arg;
	domain_cpu_passed();
}

void smp_start(void)
{
	pool_init();
	stack_make(&cpus[0]);
	if (!gic_cpu_init(0, cpus[0].mpidr))
		panic("the boot CPU has no redistributor in the GIC");
	time_cpu_init();
	if (guest_cpu_init() != 0)
		panic("the interrupts of the guest's timer and of the GIC's maintenance are in use");
	if (irq_register(SGI_FORGET, true, forget, NULL) != 0)
		panic("SGI %d is in use", SGI_FORGET);
	if (irq_register(SGI_KICK, true, sched_kicked, NULL) != 0)
		panic("the interrupt by which CPUs call each other is in use");
	for (unsigned i = 1; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];
		uint64_t until = cpu_counter() + time_frequency;
		int error;

		stack_make(c);
		error = cpu_start(c);
		while (error == 0 && !__atomic_load_n(&c->online, __ATOMIC_ACQUIRE) && cpu_counter() < until)
			cpu_relax();
		if (!c->online)
			log_error("CPU %u (MPIDR %lx) does not come up (PSCI %d): it is left out", i, c->mpidr, error);
	}
	log_info("%u of %u CPUs, counter at %lu Hz, GICv3 with %u interrupts", cpu_online_count(), cpu_count, time_frequency,
		 gic.interrupts);
}
