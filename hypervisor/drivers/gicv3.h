/* GICv3 as EL2 drives it: EOImode 1 (end = priority drop, deactivation apart), group 1 non-secure, affinity routing on. */
#ifndef DRIVERS_GICV3_H
#define DRIVERS_GICV3_H
#include "lib/dt.h"
#include "lib/types.h"

#define GIC_NONE 1023 /* gic_acknowledge: nothing pending (1020..1023) */

struct gic_info {
	int node;			/* in the host tree */
	uint32_t phandle;
	struct dt_range distributor;
	struct dt_range redistributors[4];
	unsigned regions;
	uint64_t stride;		/* redistributor-stride, 0 = by GICR_TYPER */
	unsigned interrupts;		/* INTIDs that exist: 32 * (ITLinesNumber + 1), at most 1020 */
	unsigned maintenance;		/* INTID of the maintenance interrupt, usually 25 */
	unsigned list_registers;	/* 1..16 */
};
extern struct gic_info gic;

/* Finds "arm,gic-v3", maps it and resets the distributor. On failure returns false and *why is one clear sentence
 * ("this machine has a GICv2; Domus needs GICv3"). Boot CPU, once. */
bool gic_init(const void *fdt, const char **why);
/* This CPU's redistributor and CPU interface (ICC_*, ICH_* reset). False: no redistributor for its MPIDR. */
bool gic_cpu_init(unsigned cpu, uint64_t mpidr);

uint32_t gic_acknowledge(void);		/* ICC_IAR1_EL1 */
void gic_drop(uint32_t intid);		/* ICC_EOIR1_EL1: priority drop */
void gic_deactivate(uint32_t intid);	/* ICC_DIR_EL1 */
/* SPIs: any CPU. PPIs and SGIs (< 32): this CPU's redistributor. */
void gic_enable(unsigned intid, bool on);
void gic_set_priority(unsigned intid, uint8_t priority);
void gic_set_edge(unsigned intid, bool edge);
void gic_set_target(unsigned intid, uint64_t mpidr); /* SPIs */
void gic_set_pending(unsigned intid, bool pending);
void gic_set_active(unsigned intid, bool active);
void gic_send_sgi(uint64_t mpidr, unsigned sgi);

#endif
