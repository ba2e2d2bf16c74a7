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
	uint64_t trap_dir;		/* the bit of ICH_HCR_EL2 that traps ICC_DIR_EL1, 0: there is none for it alone */
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
bool gic_is_enabled(unsigned intid);
void gic_enable_word(unsigned n, uint32_t bits, bool on); /* SPIs: bits of GICD_ISENABLER<n>, n >= 1 */
void gic_set_priority(unsigned intid, uint8_t priority);
void gic_set_edge(unsigned intid, bool edge);
void gic_set_target(unsigned intid, uint64_t mpidr); /* SPIs */
void gic_move_targets(uint64_t from, uint64_t to);   /* all SPIs that are routed to MPIDR `from` */
void gic_set_pending(unsigned intid, bool pending);
/* This CPU goes off: its redistributor sleeps, nothing wakes it. gic_cpu_init() undoes that. */
void gic_cpu_exit(void);
void gic_set_active(unsigned intid, bool active);
void gic_send_sgi(uint64_t mpidr, unsigned sgi); /* earlier stores are seen there first */
uint32_t gic_pending_word(unsigned n);		 /* GICD_ISPENDR<n>, n >= 1 */

/* ---- virtual CPU interface of this CPU: drivers/gicv3_cpu.c; GIC specification, 12.4 ----------------------------------- */
#define LR_PENDING     (1ul << 62)
#define LR_ACTIVE      (1ul << 63)
#define LR_STATE       (LR_PENDING | LR_ACTIVE)
#define LR_HW	       (1ul << 61) /* with LR_PHYSICAL: the guest's deactivation deactivates the machine's interrupt */
#define LR_GROUP1      (1ul << 60)
#define LR_PRIORITY(p) ((uint64_t)(p) << 48)
#define LR_PHYSICAL(i) ((uint64_t)(i) << 32)
#define LR_EOI	       (1ul << 41) /* without LR_HW: maintenance interrupt when it becomes invalid */
#define LR_INTID(lr)   ((unsigned)((lr)&0xffffffff))

#define HCR_EN		(1ul << 0)
#define HCR_UIE		(1ul << 1) /* at most one list register is valid */
#define HCR_LRENPIE	(1ul << 2) /* a deactivation found no list register: EOIcount is not 0 */
#define HCR_NPIE	(1ul << 3) /* no list register is pending */
#define HCR_TALL1	(1ul << 12) /* traps what there is of group 1: ICC_IAR1, EOIR1, HPPIR1, BPR1, IGRPEN1, AP1R */
#define HCR_TDIR	(1ul << 14) /* traps ICC_DIR */
#define HCR_EOICOUNT(h) ((unsigned)((h) >> 27) & 0x1f)

uint64_t gic_lr_read(unsigned n);
void gic_lr_write(unsigned n, uint64_t lr);
bool gic_lr_write_empty(unsigned n, uint64_t lr); /* false: it holds an interrupt that is pending or active, and keeps it */
uint32_t gic_lr_done(void); /* bit n: list register n holds no valid interrupt (ELRSR or EISR) */
uint64_t gic_hcr_read(void);
void gic_hcr_write(uint64_t hcr);
#define VMCR_ENG1 (1ul << 1) /* group 1 is enabled: ICC_IGRPEN1_EL1 */
#define VMCR_EOIM (1ul << 9) /* EOImode 1: the guest's EOI drops the priority only, its ICC_DIR deactivates */
uint64_t gic_virtual_masks(void); /* ICH_VMCR_EL2 */
unsigned gic_virtual_priority_bits(void); /* that the guest's priorities have: 5..8 */
/* The guest's CPU interface as after a warm reset: ICH_VMCR_EL2, active priorities and list registers cleared. */
void gic_virtual_reset(void);
/* What of the guest's CPU interface is not in list registers: its masks and group enables, and its active priorities. */
struct gic_virtual {
	uint64_t vmcr, ap0r[4], ap1r[4];
};
/* Takes it out of this CPU, which then delivers nothing; list registers must be empty. / Puts it back. */
void gic_virtual_save(struct gic_virtual *to);
void gic_virtual_load(const struct gic_virtual *from);

/* Between the two halves of the driver: CPU interface and list registers of this CPU. False: no system registers. */
bool gic_interface_init(void);
void gic_interface_exit(void);

#endif
