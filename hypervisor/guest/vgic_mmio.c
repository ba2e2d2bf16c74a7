/* The registers of the guest's distributor and redistributors: Arm IHI 0069H, 12.8 to 12.11, as non-secure software sees a
 * GICv3 with two security states, affinity routing on, group 1 only, no LPIs, no message-based SPIs, no 1-of-N.
 *
 * A frame is a table: each 128 bytes of it belong to one family of registers. A family says which access sizes the
 * specification allows, and reads and writes aligned words of its registers; everything reserved, and every access in a size
 * that is not allowed, reads as zero and ignores writes. */
#include "core/event.h"
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "lib/bits.h"

#define IIDR		   0x4400043bu /* product 'D' of the implementer field that guests know, revision 0 */
#define CTLR_G1A	   (1u << 1)
#define CTLR_ARE	   (1u << 4)
#define CTLR_RWP	   (1u << 31)
#define TYPER_TWO_SECURITY (1u << 10)
#define TYPER_ID_BITS	   (9u << 19) /* INTIDs of 10 bits */
#define TYPER_NO_1OFN	   (1u << 25)

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

/* Bank n of a frame; NULL: reserved. In the distributor, bank 0 is, with affinity routing; SGI_base has no other. */
static inline struct vgic_bank *bank_at(struct vgic_vcpu *g, unsigned offset, unsigned n)
{
	if (offset & SGI_BASE)
		return n == 0 ? &g->own : NULL;
	return n - 1 < g->vgic->banks - 1 ? &g->vgic->shared[n - 1] : NULL;
}

/* ---- one bit for each interrupt: the same for both frames ------------------------------------------------------------ */
static void hardware_enable(struct vgic_vcpu *g, unsigned n, uint32_t w, bool on)
{
	w &= vgic_hardware(g->vgic, n);
	if (w)
		gic_enable_word(n, w, on);
}

static void enable_set(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= ~bank->enabled;
	bank->enabled |= w;
	hardware_enable(g, n, w, true);
	if (n == 0 && w >> g->vgic->domain->event_intid & 1)
		event_resample(g->vcpu); /* its line may be up since before */
	w &= vgic_pending(g, bank) | bank->active | bank->loaded;
	if (w)
		vgic_poke(g, n, w, true);
}

static void enable_clear(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= bank->enabled;
	bank->enabled &= ~w;
	hardware_enable(g, n, w, false);
	vgic_poke(g, n, w & bank->loaded, true);
}

/* Splits w: the bits that the machine's GIC has to be told of are told, the others are returned. Levels are latched here: the
 * machine's latch would be gone with the acknowledge, and could not be told from the line. */
static uint32_t hardware_pending(struct vgic_vcpu *g, unsigned n, uint32_t w, bool pending)
{
	uint32_t hardware = w & vgic_hardware(g->vgic, n) & vgic_bank(g, n)->edge;

	for (w &= ~hardware; hardware; hardware &= hardware - 1)
		gic_set_pending(n * VGIC_BANK_BITS + bits_first(hardware), pending);
	return w;
}

/* The machine's interrupts that are neither pending nor active for the guest any more: deactivated there. */
static void hardware_settle(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= bank->owed & ~(bank->pending | bank->active | bank->loaded);
	if (n == 0) { /* by the CPU whose they are: vgic_lr_settle() */
		if (w) {
			g->resync = true;
			vcpu_kick(g->vcpu, WORK_VGIC);
		}
		return;
	}
	bank->owed &= ~w;
	for (; w; w &= w - 1)
		irq_guest_deactivate(n * VGIC_BANK_BITS + bits_first(w));
}

static RARE void pending_set(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w = hardware_pending(g, n, w, true);
	bank->pending |= w;
	vgic_poke(g, n, w, false);
}

static RARE void pending_clear(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	hardware_pending(g, n, w, false);
	bank->pending &= ~w;
	bank->drop_pending |= w & bank->loaded;
	hardware_settle(g, bank, n, w);
	vgic_poke(g, n, w & bank->loaded, true);
}

static RARE void active_set(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	for (uint32_t new = w & ~(bank->active | bank->loaded); new; new &= new - 1) {
		unsigned i = bits_first(new);

		bank->holder[i] = n == 0 ? (uint8_t)g->vcpu->id : bank->target[i];
	}
	bank->active |= w;
	bank->drop_active &= ~w;
	vgic_poke(g, n, w, true);
}

static RARE void active_clear(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	uint32_t loaded = w & bank->loaded;

	bank->active &= ~w;
	bank->drop_active |= loaded;
	hardware_settle(g, bank, n, w);
	vgic_poke(g, n, w, loaded != 0);
}

static RARE uint32_t pending_word(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n)
{
	uint32_t pending, active, word = vgic_pending(g, bank);

	vgic_lr_state(g, n, &pending, &active);
	word |= pending & ~bank->drop_pending;
	if (vgic_hardware(g->vgic, n))
		word |= gic_pending_word(n) & vgic_hardware(g->vgic, n);
	return word;
}

static RARE uint32_t active_word(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n)
{
	uint32_t pending, active;

	vgic_lr_state(g, n, &pending, &active);
	return bank->active | (active & ~bank->drop_active);
}

/* Pending and active states are spread over marks, list registers and lines: those are looked at before a word of them is read or
 * written. Enables are one word that nothing but such accesses changes. */
static void look(struct vgic_vcpu *g, unsigned n)
{
	vgic_collect(g->vgic);
	vgic_look(g, n);
}

static RARE __attribute__((noinline)) bool
state_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset,
	   uint32_t (*read_word)(struct vgic_vcpu *, struct vgic_bank *, unsigned))
{
	unsigned n = offset % 0x80 / 4;
	struct vgic_bank *bank = bank_at(g, offset, n);

	if (!bank)
		return answer(m, 0);
	LOCK_SCOPE(&g->vgic->lock);
	look(g, n);
	if (!vgic_states_known(vcpu_current()->vgic, g, n, m->ipa.raw))
		m->size = 0;
	return answer(m, read_word(g, bank, n));
}

static inline __attribute__((always_inline)) bool
word_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset, bool states,
	   void (*write_word)(struct vgic_vcpu *, struct vgic_bank *, unsigned, uint32_t))
{
	unsigned n = offset % 0x80 / 4;
	struct vgic_bank *bank = bank_at(g, offset, n);
	uint32_t w = (uint32_t)m->value;

	if (!bank)
		return true;
	if (unlikely(n == VGIC_BANKS - 1))
		w &= 0x0fffffff; /* 1020 to 1023 are none */
	LOCK_SCOPE(&g->vgic->lock);
	if (states)
		look(g, n);
	write_word(g, bank, n, w);
	return true;
}

static RARE __attribute__((noinline)) bool
state_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset,
	    void (*write_word)(struct vgic_vcpu *, struct vgic_bank *, unsigned, uint32_t))
{
	return word_write(g, m, offset, true, write_word);
}

static bool enabled_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	const struct vgic_bank *bank = bank_at(g, offset, offset % 0x80 / 4);

	return answer(m, bank ? bank->enabled : 0);
}
static bool isenabler_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return word_write(g, m, offset, false, enable_set);
}
static bool icenabler_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return word_write(g, m, offset, false, enable_clear);
}
static bool pending_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_read(g, m, offset, pending_word);
}
static bool ispendr_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_write(g, m, offset, pending_set);
}
static bool icpendr_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_write(g, m, offset, pending_clear);
}
static bool active_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_read(g, m, offset, active_word);
}
static bool isactiver_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_write(g, m, offset, active_set);
}
static bool icactiver_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	return state_write(g, m, offset, active_clear);
}

/* ---- IPRIORITYR: a byte for each interrupt, ICFGR: two bits ----------------------------------------------------------- */
static bool ipriorityr_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = offset % SGI_BASE - 0x400;
	struct vgic_bank *bank = bank_at(g, offset, intid / VGIC_BANK_BITS);
	uint64_t value = 0;

	for (unsigned k = 0; bank && k < m->size; k++)
		value |= (uint64_t)bank->priority[(intid + k) % VGIC_BANK_BITS] << (8 * k);
	return answer(m, value);
}

static bool ipriorityr_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = offset % SGI_BASE - 0x400, i = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = bank_at(g, offset, intid / VGIC_BANK_BITS);
	unsigned mask =
		0xff00u >> gic_virtual_priority_bits(); /* the low bits are RES0 */

	if (!bank)
		return true;
	LOCK_SCOPE(&g->vgic->lock);
	for (unsigned k = 0; k < m->size; k++)
		bank->priority[i + k] = (uint8_t)(m->value >> (8 * k) & mask);
	vgic_poke(g, intid / VGIC_BANK_BITS, (m->size == 4 ? 0xfu : 1u) << i & bank->loaded, true);
	return true;
}

/* Spreads bit k to bit 2k + 1, and back. */
static uint32_t spread(uint32_t x)
{
	x = (x | x << 8) & 0x00ff00ff;
	x = (x | x << 4) & 0x0f0f0f0f;
	x = (x | x << 2) & 0x33333333;
	x = (x | x << 1) & 0x55555555;
	return x << 1;
}
static uint32_t gather(uint32_t x)
{
	x = x >> 1 & 0x55555555;
	x = (x | x >> 1) & 0x33333333;
	x = (x | x >> 2) & 0x0f0f0f0f;
	x = (x | x >> 4) & 0x00ff00ff;
	return (x | x >> 8) & 0xffff;
}

static RARE bool icfgr_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = (offset % SGI_BASE - 0xc00) * 4;
	struct vgic_bank *bank = bank_at(g, offset, intid / VGIC_BANK_BITS);

	return answer(m, bank ? spread(bank->edge >> (intid % VGIC_BANK_BITS) & 0xffff) : 0);
}

static RARE bool icfgr_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = (offset % SGI_BASE - 0xc00) * 4, shift = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = bank_at(g, offset, intid / VGIC_BANK_BITS);
	uint32_t edge;

	if (!bank || intid == 0) /* SGIs are edges for good */
		return true;
	LOCK_SCOPE(&g->vgic->lock);
	edge = (bank->edge & ~(0xffffu << shift)) | gather((uint32_t)m->value) << shift;
	for (uint32_t w = (edge ^ bank->edge) & vgic_hardware(g->vgic, intid / VGIC_BANK_BITS); w;
	     w &= w - 1)
		irq_guest_trigger(intid - shift + bits_first(w), edge >> bits_first(w) & 1);
	bank->edge = edge;
	return true;
}

/* ---- GICD_IROUTER ---------------------------------------------------------------------------------------------------- */
static RARE void route_set(struct vgic_vcpu *g, unsigned intid, uint32_t route)
{
	unsigned n = intid / VGIC_BANK_BITS, i = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank(g, n);
	struct domain *d = g->vgic->domain;
	unsigned id = (route & 0xff) | (route >> 8 & 0xff) << 4;

	LOCK_SCOPE(&g->vgic->lock);
	vgic_collect(g->vgic);
	g->vgic->route[intid - VGIC_BANK_BITS] = route;
	vgic_poke(g, n, 1u << i & bank->loaded, true); /* who had it pending gives it back */
	if (route >> 16 || (route & 0xff) > 15 || id >= d->vcpus_max || !d->vcpu[id])
		id = VGIC_NO_TARGET;
	bank->target[i] = (uint8_t)id;
	if (id != VGIC_NO_TARGET && vgic_hardware(g->vgic, n) >> i & 1)
		irq_guest_target(intid, d->vcpu[id]->cpu);
	if (vgic_pending(g, bank) >> i & 1)
		vgic_poke(g, n, 1u << i, false);
}

static bool is_routed(const struct vgic_vcpu *g, unsigned intid)
{
	return intid >= VGIC_BANK_BITS && intid < g->vgic->banks * VGIC_BANK_BITS && intid < 1020;
}

/* Aff3 in the upper word is 0: TYPER.A3V is. */
static bool irouter_read(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = (offset - 0x6000) / 8;

	return answer(m, is_routed(g, intid) && !(offset & 4)
				 ? g->vgic->route[intid - VGIC_BANK_BITS]
				 : 0);
}
static RARE bool irouter_write(struct vgic_vcpu *g, struct mmio *m, unsigned offset)
{
	unsigned intid = (offset - 0x6000) / 8;

	if (is_routed(g, intid) && !(offset & 4)) /* IRM is RES0: TYPER.No1N */
		route_set(g, intid, (uint32_t)m->value & 0xffffff);
	return true;
}

/* ---- single registers ------------------------------------------------------------------------------------------------ */
/* GICD_CTLR.RWP: a vCPU elsewhere has not yet taken back what was disabled. */
static bool writes_pending(const struct vgic *s)
{
	for (unsigned i = 0; i < s->domain->vcpus_max; i++) {
		struct vcpu *v = s->domain->vcpu[i];

		if (v && v->online && ATOMIC_READ(s->vcpus[i].resync))
			return true;
	}
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
	return answer(
		m,
		0); /* TYPER2, STATUSR, SETSPI and CLRSPI (write only), reserved: RAZ/WI */
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
	case 0x4:
		return answer(m, m->size == 4 ? IIDR : 0);
	case 0x8:
		return answer(m, m->size == 8 ? typer : (uint32_t)typer);
	case 0xc:
		return answer(m, m->size == 4 ? typer >> 32 : 0);
	}
	return answer(m,
		      0); /* CTLR, STATUSR, WAKER (RAZ/WI to non-secure software), LPI registers */
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
FAMILY(isenabler, 4, enabled_read, isenabler_write);
FAMILY(icenabler, 4, enabled_read, icenabler_write);
FAMILY(ispendr, 4, pending_read, ispendr_write);
FAMILY(icpendr, 4, pending_read, icpendr_write);
FAMILY(isactiver, 4, active_read, isactiver_write);
FAMILY(icactiver, 4, active_read, icactiver_write);
FAMILY(ipriorityr, 1 | 4, ipriorityr_read, ipriorityr_write);
FAMILY(icfgr, 4, icfgr_read, icfgr_write);
FAMILY(irouter, 4 | 8, irouter_read, irouter_write);
FAMILY(id, 4, id_read, NULL);

/* The family of each 128 bytes of the first 4 KiB of the distributor and of SGI_base. Reserved ones are NULL. */
static const struct family *const frame_map[32] = {
	[0] = &d_control, /* of the distributor */
	[0x100 >> 7] = &isenabler,
	[0x180 >> 7] = &icenabler,
	[0x200 >> 7] = &ispendr,
	[0x280 >> 7] = &icpendr,
	[0x300 >> 7] = &isactiver,
	[0x380 >> 7] = &icactiver,
	[0x400 >> 7 ... 0x780 >> 7] = &ipriorityr,
	[0xc00 >> 7 ... 0xc80 >> 7] = &icfgr,
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
		f = &irouter;
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
