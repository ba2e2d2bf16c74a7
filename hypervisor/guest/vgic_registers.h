/* What vgic_mmio.c and vgic_registers.c share: families of registers. Nobody else includes it. */
#ifndef GUEST_VGIC_REGISTERS_H
#define GUEST_VGIC_REGISTERS_H
#include "guest/trap.h"
#include "guest/vgic.h"

/* Offsets are those in a frame's 64 KiB: the distributor's, or a redistributor's two, of which the second begins here. */
#define SGI_BASE 0x10000u

/* One access to the frame of g (distributor: of the accessing vCPU). Reads put their answer into m->value. True, as whatever is in a
 * frame answers; so what the guest does most is done with jumps instead of calls. */
typedef bool register_access(struct vgic_vcpu *g, struct mmio *m, unsigned offset);

struct family {
	uint8_t sizes;		       /* allowed access sizes, ORed: 1, 2, 4, 8 */
	register_access *read, *write; /* NULL: ignored */
};

static inline bool answer(struct mmio *m, uint64_t value)
{
	m->value = value;
	return true;
}

/* vgic_registers.c: at the same offsets in the distributor and SGI_base; GICD_IROUTER is the distributor's alone. */
extern const struct family vgic_isenabler, vgic_icenabler, vgic_ispendr, vgic_icpendr,
	vgic_isactiver, vgic_icactiver, vgic_ipriorityr, vgic_icfgr, vgic_irouter;

#endif
