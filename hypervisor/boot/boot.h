/* The steps of the boot, in the order in which boot/init.c takes them. Each either succeeds or stops the machine with one clear
 * line (panic). Boot CPU only. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H
#include "core/cpu.h"
#include "lib/dt.h"

/* A piece that the boot loader left in memory for us. */
struct module {
	struct dt_range at; /* size 0: absent */
	char command_line[2048];
};
struct boot_modules {
	struct module kernel, ramdisk;
	struct dt_range tree; /* the host's device tree */
};

/* Early console, checked host tree. entry.S calls with the tree's machine address. */
void boot_init(uint64_t tree) __attribute__((noreturn));
/* Every other CPU starts its C life here. */
void boot_cpu(struct cpu *c) __attribute__((noreturn));

/* modules.c: /chosen -> modules and options. */
void modules_find(const void *fdt, struct boot_modules *m);

/* ram.c: banks, direct map, page words, free list; takes Dom0's banks out of it. */
#define BANKS_MAX 16
struct banks {
	unsigned count;
	struct dt_range bank[BANKS_MAX];
};
void ram_init(const void *fdt, const struct boot_modules *m);
/* Finds `size` bytes for Dom0, lowest first, that include the modules where possible. Frames become Dom0's. */
void ram_take_dom0(const struct boot_modules *m, uint64_t size, struct banks *out);

/* Addresses where Dom0 may show itself frames of others without giving up memory of its own (the "extended regions" of the
 * xen,xen binding): RAM that is not Dom0's, in steps of 2 MiB. At most `max`; returns how many. After ram_take_dom0(). */
unsigned ram_extended_regions(struct dt_range *out, unsigned max);

/* Everything that is nobody's goes to the allocator. After the last look at the modules and the host's tree. */
void ram_free_rest(const struct boot_modules *m);

/* A hole in Dom0's guest-physical memory where its grant table appears: where the hypervisor's image lies, which is never mapped. */
struct dt_range ram_grant_window(void);

/* smp.c */
void smp_find(const void *fdt);
void smp_start(void);

/* power.c: the rails of the board, from its tree; after smp_start(). And after Dom0 is built: takes from it what the hypervisor
 * needs for them, and switches off what is nobody's. Nothing on boards without. */
void power_find(const void *fdt);
/* power_find() with the mailbox's registers given; false when it made no rails. */
struct scu_port;
bool power_open(const void *fdt, const struct scu_port *port);
void power_run(void);

/* dom0.c: builds Dom0 and lets it run when all CPUs are there. */
void dom0_build(const void *fdt, const struct boot_modules *m);

#endif
