/* The registers of the guest's distributor and redistributors: Arm IHI 0069H, 12.8 to 12.11, as non-secure software sees a
 * GICv3 with two security states, affinity routing on, group 1 only, no LPIs, no message-based SPIs, no 1-of-N.
 *
 * A frame is a table: each 128 bytes of it belong to one family of registers. A family says which access sizes the
 * specification allows, and reads and writes aligned words of its registers; everything reserved, and every access in a size
 * that is not allowed, reads as zero and ignores writes. */
#include "guest/vgic_registers.h"
#include "lib/bits.h"

#define IIDR		   0x4400043bu /* product 'D' of the implementer field that guests know, revision 0 */
#define CTLR_G1A	   (1u << 1)
#define CTLR_ARE	   (1u << 4)
#define CTLR_RWP	   (1u << 31)
#define GICR_CTLR_RWP	   (1u << 3)
#define TYPER_TWO_SECURITY (1u << 10)
#define TYPER_ID_BITS	   (9u << 19) /* INTIDs of 10 bits */
#define TYPER_NO_1OFN	   (1u << 25)

/* ---- single registers ------------------------------------------------------------------------------------------------ */
/* RWP: the vCPU has not yet taken back what was disabled. */
static bool taking_back(const struct vgic_vcpu *g)
{
	return ATOMIC_READ(g->resync) && g->vcpu->online;
}

static bool writes_pending(const struct vgic *s)
{
	for (unsigned i = 0; i < s->domain->vcpus_max; i++)
		if (s->domain->vcpu[i] && taking_back(&s->vcpus[i]))
			return true;
	return false;
}

static bool d_control_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	const struct vgic *s = g->vgic;

	switch (offset) {
	case 0x0:
		return answer(m, CTLR_ARE | (s->enabled ? CTLR_G1A : 0) |
					 (writes_pending(s) ? CTLR_RWP : 0));
	case 0x4:
		return answer(m,
			      (s->banks - 1) | TYPER_TWO_SECURITY | TYPER_ID_BITS | TYPER_NO_1OFN);
	case 0x8:
		return answer(m, IIDR);
	}
	return answer(m, 0); /* TYPER2, STATUSR, SETSPI and CLRSPI (write only), reserved: RAZ/WI */
}

static RARE bool d_control_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	struct domain *d = g->vgic->domain;
	bool enable = m->value & CTLR_G1A;

	if (offset != 0 || enable == g->vgic->enabled)
		return true;
	LOCK_SCOPE(&g->vgic->lock);
	g->vgic->enabled = enable;
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i]) {
			g->vgic->vcpus[i].resync = true;
			vcpu_kick(d->vcpu[i], WORK_VGIC);
		}
	return true;
}

static bool r_control_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned id = g->vcpu->id;
	bool last = id + 1 == g->vgic->domain->vcpus_max;
	uint64_t typer = vcpu_affinity(id) << 32 | (uint64_t)id << 8 | (last ? 1u << 4 : 0);

	switch (offset) {
	case 0x0:
		return answer(m, taking_back(g) ? GICR_CTLR_RWP : 0);
	case 0x4:
		return answer(m, m->size == 4 ? IIDR : 0);
	case 0x8:
		return answer(m, m->size == 8 ? typer : (uint32_t)typer);
	case 0xc:
		return answer(m, m->size == 4 ? typer >> 32 : 0);
	}
	return answer(m, 0); /* STATUSR, WAKER (RAZ/WI to non-secure software), LPI registers */
}

/* PIDR4-7, PIDR0-3, CIDR0-3 (12.1.3): an Arm GICv3. */
static bool id_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	static const uint8_t id[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	(void)g;
	return answer(m, id[(offset - 0xffd0) / 4]);
}

/* ---- the frames ------------------------------------------------------------------------------------------------------ */
#define FAMILY(name, sizes, read, write) static const struct family name = {sizes, read, write}
FAMILY(d_control, 4, d_control_read, d_control_write);
FAMILY(r_control, 4 | 8, r_control_read, NULL);
FAMILY(id, 4, id_read, NULL);

/* The family of each 128 bytes of the first 4 KiB of the distributor and of SGI_base. Reserved ones are NULL. */
static const struct family *const frame_map[32] = {
	[0] = &d_control, /* of the distributor */
	[0x100 >> 7] = &vgic_isenabler,
	[0x180 >> 7] = &vgic_icenabler,
	[0x200 >> 7] = &vgic_ispendr,
	[0x280 >> 7] = &vgic_icpendr,
	[0x300 >> 7] = &vgic_isactiver,
	[0x380 >> 7] = &vgic_icactiver,
	[0x400 >> 7 ... 0x780 >> 7] = &vgic_ipriorityr,
	[0xc00 >> 7 ... 0xc80 >> 7] = &vgic_icfgr,
};

static inline bool access_do(const struct family *f, struct vgic_vcpu *g, struct mmio *m,
			     unsigned offset)
{
	if (f && (f->sizes & m->size) && !(offset & (m->size - 1u))) {
		register_access *handler = m->write ? f->write : f->read;

		if (handler)
			return handler(g, m, offset);
	}
	return m->write || answer(m, 0);
}

bool vgic_distributor(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	const struct family *f = NULL;

	if (offset < 0x1000)
		f = frame_map[offset >> 7];
	else if (offset >= 0x6000 && offset < 0x8000)
		f = &vgic_irouter;
	else if (offset >= 0xffd0)
		f = &id;
	return access_do(f, v->vgic, m, (unsigned)offset);
}

bool vgic_redistributor(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	unsigned cpu = (unsigned)(offset / VGIC_REDIST), in = (unsigned)(offset % VGIC_REDIST);
	const struct family *f = NULL;

	if (cpu >= v->domain->vcpus_max || !v->domain->vcpu[cpu])
		return m->write || answer(m, 0);
	if (in < 0x80)
		f = &r_control;
	else if (in >= 0xffd0 && in < SGI_BASE)
		f = &id;
	else if (in >= SGI_BASE + 0x80 && in < SGI_BASE + 0x1000)
		f = frame_map[in % SGI_BASE >> 7];
	return access_do(f, v->domain->vcpu[cpu]->vgic, m, in);
}
