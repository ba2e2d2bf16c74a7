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

/* Where an access goes: frame of vCPU g (distributor: the accessing vCPU), register offset in it. */
struct access {
	struct vgic_vcpu *g;
	unsigned offset;
	struct mmio *m;
};

struct family {
	uint8_t sizes; /* allowed access sizes, ORed: 1, 2, 4, 8 */
	uint64_t (*read)(const struct access *a);
	void (*write)(const struct access *a, uint64_t value);
};

/* Bank of a register of one bit for each interrupt. In the distributor, bank 0 is reserved with affinity routing; in SGI_base
 * only bank 0 exists. */
static struct vgic_bank *bank_at(const struct access *a, bool distributor, unsigned *n)
{
	*n = a->offset % 0x80 / 4;
	if (distributor ? *n == 0 || *n >= a->g->vgic->banks : *n != 0)
		return NULL;
	return vgic_bank(a->g, *n);
}

/* ---- one bit for each interrupt: the same for both frames ------------------------------------------------------------ */
static void hardware_enable(const struct access *a, unsigned n, uint32_t w, bool on)
{
	w &= vgic_hardware(a->g->vgic, n);
	if (w)
		gic_enable_word(n, w, on);
}

static void enable_set(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= ~bank->enabled;
	bank->enabled |= w;
	hardware_enable(a, n, w, true);
	if (n == 0 && w >> a->g->vgic->domain->event_intid & 1)
		event_resample(a->g->vcpu); /* its line may be up since before */
	w &= vgic_pending(a->g, bank) | bank->active | bank->loaded;
	if (w)
		vgic_poke(a->g, n, w, true);
}

static void enable_clear(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= bank->enabled;
	bank->enabled &= ~w;
	hardware_enable(a, n, w, false);
	vgic_poke(a->g, n, w & bank->loaded, true);
}

/* Splits w: the bits that the machine's GIC has to be told of are told, the others are returned. Levels are latched here: the
 * machine's latch would be gone with the acknowledge, and could not be told from the line. */
static uint32_t hardware_pending(const struct access *a, unsigned n, uint32_t w, bool pending)
{
	uint32_t hardware = w & vgic_hardware(a->g->vgic, n) & vgic_bank(a->g, n)->edge;

	for (w &= ~hardware; hardware; hardware &= hardware - 1)
		gic_set_pending(n * VGIC_BANK_BITS + bits_first(hardware), pending);
	return w;
}

/* The machine's interrupts that are neither pending nor active for the guest any more: deactivated there. */
static void hardware_settle(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w &= bank->owed & ~(bank->pending | bank->active | bank->loaded);
	if (n == 0) { /* by the CPU whose they are: vgic_lr_settle() */
		if (w) {
			a->g->resync = true;
			vcpu_kick(a->g->vcpu, WORK_VGIC);
		}
		return;
	}
	bank->owed &= ~w;
	for (; w; w &= w - 1)
		irq_guest_deactivate(n * VGIC_BANK_BITS + bits_first(w));
}

static void pending_set(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	w = hardware_pending(a, n, w, true);
	bank->pending |= w;
	vgic_poke(a->g, n, w, false);
}

static void pending_clear(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	hardware_pending(a, n, w, false);
	bank->pending &= ~w;
	bank->drop_pending |= w & bank->loaded;
	hardware_settle(a, bank, n, w);
	vgic_poke(a->g, n, w & bank->loaded, true);
}

static void active_set(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	for (uint32_t new = w & ~(bank->active | bank->loaded); new; new &= new - 1) {
		unsigned i = bits_first(new);

		bank->holder[i] = n == 0 ? (uint8_t)a->g->vcpu->id : bank->target[i];
	}
	bank->active |= w;
	bank->drop_active &= ~w;
	vgic_poke(a->g, n, w, true);
}

static void active_clear(const struct access *a, struct vgic_bank *bank, unsigned n, uint32_t w)
{
	uint32_t loaded = w & bank->loaded;

	bank->active &= ~w;
	bank->drop_active |= loaded;
	hardware_settle(a, bank, n, w);
	vgic_poke(a->g, n, w, loaded != 0);
}

static uint32_t pending_read(const struct access *a, struct vgic_bank *bank, unsigned n)
{
	uint32_t pending, active, word = vgic_pending(a->g, bank);

	vgic_lr_state(a->g, n, &pending, &active);
	word |= pending & ~bank->drop_pending;
	if (vgic_hardware(a->g->vgic, n))
		word |= gic_pending_word(n) & vgic_hardware(a->g->vgic, n);
	return word;
}

static uint32_t active_read(const struct access *a, struct vgic_bank *bank, unsigned n)
{
	uint32_t pending, active;

	vgic_lr_state(a->g, n, &pending, &active);
	return bank->active | (active & ~bank->drop_active);
}

static uint32_t enabled_read(const struct access *a, struct vgic_bank *bank, unsigned n)
{
	(void)a;
	(void)n;
	return bank->enabled;
}

/* The two frames' functions of a family. Enables are one word that nothing but such accesses changes. Pending and active states
 * are spread over marks, list registers and lines: those are looked at first. */
#define BITMAP(name, distributor, spread_out, read_word, write_word)                               \
	static uint64_t name##_read(const struct access *a)                                        \
	{                                                                                          \
		unsigned n;                                                                        \
		struct vgic_bank *bank = bank_at(a, distributor, &n);                              \
                                                                                                   \
		if (!bank)                                                                         \
			return 0;                                                                  \
		if (!(spread_out))                                                                 \
			return read_word(a, bank, n);                                              \
		LOCK_SCOPE(&a->g->vgic->lock);                                                     \
		look(a, n);                                                                        \
		if (!vgic_states_known(vcpu_current()->vgic, a->g, n, a->m->ipa.raw))              \
			a->m->size = 0;                                                            \
		return read_word(a, bank, n);                                                      \
	}                                                                                          \
	static void name##_write(const struct access *a, uint64_t value)                           \
	{                                                                                          \
		unsigned n;                                                                        \
		struct vgic_bank *bank = bank_at(a, distributor, &n);                              \
                                                                                                   \
		if (!bank)                                                                         \
			return;                                                                    \
		value &= n == VGIC_BANKS - 1 ? 0x0fffffff : ~0u; /* 1020 to 1023 are none */       \
		LOCK_SCOPE(&a->g->vgic->lock);                                                     \
		if (spread_out)                                                                    \
			look(a, n);                                                                \
		write_word(a, bank, n, (uint32_t)value);                                           \
	}
static void look(const struct access *a, unsigned n)
{
	vgic_collect(a->g->vgic);
	vgic_look(a->g, n);
}
BITMAP(d_isenabler, true, false, enabled_read, enable_set)
BITMAP(d_icenabler, true, false, enabled_read, enable_clear)
BITMAP(d_ispendr, true, true, pending_read, pending_set)
BITMAP(d_icpendr, true, true, pending_read, pending_clear)
BITMAP(d_isactiver, true, true, active_read, active_set)
BITMAP(d_icactiver, true, true, active_read, active_clear)
BITMAP(r_isenabler, false, false, enabled_read, enable_set)
BITMAP(r_icenabler, false, false, enabled_read, enable_clear)
BITMAP(r_ispendr, false, true, pending_read, pending_set)
BITMAP(r_icpendr, false, true, pending_read, pending_clear)
BITMAP(r_isactiver, false, true, active_read, active_set)
BITMAP(r_icactiver, false, true, active_read, active_clear)

/* ---- IPRIORITYR: a byte for each interrupt, ICFGR: two bits ----------------------------------------------------------- */
static struct vgic_bank *bank_of_intid(const struct access *a, unsigned intid, bool distributor)
{
	unsigned n = intid / VGIC_BANK_BITS;

	if (distributor ? n == 0 || n >= a->g->vgic->banks : n != 0)
		return NULL;
	return vgic_bank(a->g, n);
}

static uint64_t priority_read(const struct access *a, bool distributor)
{
	unsigned intid = a->offset - 0x400;
	struct vgic_bank *bank = bank_of_intid(a, intid, distributor);
	uint64_t value = 0;

	for (unsigned k = 0; bank && k < a->m->size; k++)
		value |= (uint64_t)bank->priority[(intid + k) % VGIC_BANK_BITS] << (8 * k);
	return value;
}

static void priority_write(const struct access *a, uint64_t value, bool distributor)
{
	unsigned intid = a->offset - 0x400, i = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = bank_of_intid(a, intid, distributor);
	unsigned mask =
		0xff00u >> gic_virtual_priority_bits(); /* the low bits are not implemented */

	if (!bank)
		return;
	LOCK_SCOPE(&a->g->vgic->lock);
	for (unsigned k = 0; k < a->m->size; k++)
		bank->priority[i + k] = (uint8_t)(value >> (8 * k) & mask);
	vgic_poke(a->g, intid / VGIC_BANK_BITS, (a->m->size == 4 ? 0xfu : 1u) << i & bank->loaded,
		  true);
}

static uint64_t d_ipriorityr_read(const struct access *a)
{
	return priority_read(a, true);
}
static void d_ipriorityr_write(const struct access *a, uint64_t value)
{
	priority_write(a, value, true);
}
static uint64_t r_ipriorityr_read(const struct access *a)
{
	return priority_read(a, false);
}
static void r_ipriorityr_write(const struct access *a, uint64_t value)
{
	priority_write(a, value, false);
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

static uint64_t config_read(const struct access *a, bool distributor)
{
	unsigned intid = (a->offset - 0xc00) * 4;
	struct vgic_bank *bank = bank_of_intid(a, intid, distributor);

	return bank ? spread(bank->edge >> (intid % VGIC_BANK_BITS) & 0xffff) : 0;
}

static void config_write(const struct access *a, uint64_t value, bool distributor)
{
	unsigned intid = (a->offset - 0xc00) * 4, shift = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = bank_of_intid(a, intid, distributor);
	uint32_t edge;

	if (!bank || intid == 0) /* SGIs are edges for good */
		return;
	LOCK_SCOPE(&a->g->vgic->lock);
	edge = (bank->edge & ~(0xffffu << shift)) | gather((uint32_t)value) << shift;
	for (uint32_t w = (edge ^ bank->edge) & vgic_hardware(a->g->vgic, intid / VGIC_BANK_BITS);
	     w; w &= w - 1)
		irq_guest_trigger(intid - shift + bits_first(w), edge >> bits_first(w) & 1);
	bank->edge = edge;
}

static uint64_t d_icfgr_read(const struct access *a)
{
	return config_read(a, true);
}
static void d_icfgr_write(const struct access *a, uint64_t value)
{
	config_write(a, value, true);
}
static uint64_t r_icfgr_read(const struct access *a)
{
	return config_read(a, false);
}
static void r_icfgr_write(const struct access *a, uint64_t value)
{
	config_write(a, value, false);
}

/* ---- GICD_IROUTER ---------------------------------------------------------------------------------------------------- */
static void route_set(const struct access *a, unsigned intid, uint32_t route)
{
	unsigned n = intid / VGIC_BANK_BITS, i = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank(a->g, n);
	struct domain *d = a->g->vgic->domain;
	unsigned id = (route & 0xff) | (route >> 8 & 0xff) << 4;

	LOCK_SCOPE(&a->g->vgic->lock);
	vgic_collect(a->g->vgic);
	a->g->vgic->route[intid - VGIC_BANK_BITS] = route;
	vgic_poke(a->g, n, 1u << i & bank->loaded, true); /* who had it pending gives it back */
	if (route >> 16 || (route & 0xff) > 15 || id >= d->vcpus_max || !d->vcpu[id])
		id = VGIC_NO_TARGET;
	bank->target[i] = (uint8_t)id;
	if (id != VGIC_NO_TARGET && vgic_hardware(a->g->vgic, n) >> i & 1)
		irq_guest_target(intid, d->vcpu[id]->cpu);
	if (vgic_pending(a->g, bank) >> i & 1)
		vgic_poke(a->g, n, 1u << i, false);
}

static uint64_t irouter_read(const struct access *a)
{
	unsigned intid = (a->offset - 0x6000) / 8;

	if (intid < VGIC_BANK_BITS || intid >= a->g->vgic->banks * VGIC_BANK_BITS || intid >= 1020)
		return 0;
	/* Aff3 in the upper word is 0: TYPER.A3V is */
	return a->offset & 4 ? 0 : a->g->vgic->route[intid - VGIC_BANK_BITS];
}
static void irouter_write(const struct access *a, uint64_t value)
{
	unsigned intid = (a->offset - 0x6000) / 8;

	if (intid < VGIC_BANK_BITS || intid >= a->g->vgic->banks * VGIC_BANK_BITS || intid >= 1020)
		return;
	if (!(a->offset & 4)) /* IRM is RES0: TYPER.No1N */
		route_set(a, intid, (uint32_t)value & 0xffffff);
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

static uint64_t d_control_read(const struct access *a)
{
	switch (a->offset) {
	case 0x0:
		return CTLR_ARE | (a->g->vgic->enabled ? CTLR_G1A : 0) |
		       (writes_pending(a->g->vgic) ? CTLR_RWP : 0);
	case 0x4:
		return (a->g->vgic->banks - 1) | TYPER_TWO_SECURITY | TYPER_ID_BITS | TYPER_NO_1OFN;
	case 0x8:
		return IIDR;
	}
	return 0; /* TYPER2, STATUSR, SETSPI and CLRSPI (write only, not implemented), reserved */
}

static void d_control_write(const struct access *a, uint64_t value)
{
	struct domain *d = a->g->vgic->domain;
	bool enable = value & CTLR_G1A;

	if (a->offset != 0 || enable == a->g->vgic->enabled)
		return;
	LOCK_SCOPE(&a->g->vgic->lock);
	a->g->vgic->enabled = enable;
	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i]) {
			a->g->vgic->vcpus[i].resync = true;
			vcpu_kick(d->vcpu[i], WORK_VGIC);
		}
}

static uint64_t r_typer(const struct access *a)
{
	unsigned id = a->g->vcpu->id;
	bool last = id + 1 == a->g->vgic->domain->vcpus_max;

	return vcpu_affinity(id) << 32 | (uint64_t)id << 8 | (last ? 1u << 4 : 0);
}

static uint64_t r_control_read(const struct access *a)
{
	switch (a->offset) {
	case 0x4:
		return a->m->size == 4 ? IIDR : 0;
	case 0x8:
		return a->m->size == 8 ? r_typer(a) : (uint32_t)r_typer(a);
	case 0xc:
		return a->m->size == 4 ? r_typer(a) >> 32 : 0;
	}
	return 0; /* CTLR, STATUSR, WAKER (RAZ/WI to non-secure software), LPI registers */
}

/* PIDR4-7, PIDR0-3, CIDR0-3 (12.1.3): an Arm GICv3. */
static uint64_t id_read(const struct access *a)
{
	static const uint8_t id[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	return (a->offset & 0xffff) >= 0xffd0 ? id[((a->offset & 0xffff) - 0xffd0) / 4] : 0;
}

/* ---- the frames ------------------------------------------------------------------------------------------------------ */
#define FAMILY(name, sizes, read, write) static const struct family name = {sizes, read, write}
FAMILY(d_control, 4, d_control_read, d_control_write);
FAMILY(d_isenabler, 4, d_isenabler_read, d_isenabler_write);
FAMILY(d_icenabler, 4, d_icenabler_read, d_icenabler_write);
FAMILY(d_ispendr, 4, d_ispendr_read, d_ispendr_write);
FAMILY(d_icpendr, 4, d_icpendr_read, d_icpendr_write);
FAMILY(d_isactiver, 4, d_isactiver_read, d_isactiver_write);
FAMILY(d_icactiver, 4, d_icactiver_read, d_icactiver_write);
FAMILY(d_ipriorityr, 1 | 4, d_ipriorityr_read, d_ipriorityr_write);
FAMILY(d_icfgr, 4, d_icfgr_read, d_icfgr_write);
FAMILY(d_irouter, 4 | 8, irouter_read, irouter_write);
FAMILY(r_control, 4 | 8, r_control_read, NULL);
FAMILY(r_isenabler, 4, r_isenabler_read, r_isenabler_write);
FAMILY(r_icenabler, 4, r_icenabler_read, r_icenabler_write);
FAMILY(r_ispendr, 4, r_ispendr_read, r_ispendr_write);
FAMILY(r_icpendr, 4, r_icpendr_read, r_icpendr_write);
FAMILY(r_isactiver, 4, r_isactiver_read, r_isactiver_write);
FAMILY(r_icactiver, 4, r_icactiver_read, r_icactiver_write);
FAMILY(r_ipriorityr, 1 | 4, r_ipriorityr_read, r_ipriorityr_write);
FAMILY(r_icfgr, 4, r_icfgr_read, r_icfgr_write);
FAMILY(id, 4, id_read, NULL);

/* The family of each 128 bytes: of the first 4 KiB of the distributor, and of SGI_base. Reserved ones are NULL. */
typedef const struct family *const family_map[32];
static family_map distributor_map = {
	[0] = &d_control,
	[0x100 >> 7] = &d_isenabler,
	[0x180 >> 7] = &d_icenabler,
	[0x200 >> 7] = &d_ispendr,
	[0x280 >> 7] = &d_icpendr,
	[0x300 >> 7] = &d_isactiver,
	[0x380 >> 7] = &d_icactiver,
	[0x400 >> 7 ... 0x780 >> 7] = &d_ipriorityr,
	[0xc00 >> 7 ... 0xc80 >> 7] = &d_icfgr,
};
static family_map sgi_base_map = {
	[0x100 >> 7] = &r_isenabler,  [0x180 >> 7] = &r_icenabler, [0x200 >> 7] = &r_ispendr,
	[0x280 >> 7] = &r_icpendr,    [0x300 >> 7] = &r_isactiver, [0x380 >> 7] = &r_icactiver,
	[0x400 >> 7] = &r_ipriorityr, [0xc00 >> 7] = &r_icfgr,
};

static inline bool access_do(const struct family *f, const struct access *a, struct mmio *m)
{
	bool allowed = f && (f->sizes & a->m->size) && !(a->offset & (a->m->size - 1));

	if (m->write) {
		if (allowed && f->write)
			f->write(a, m->value);
	} else {
		m->value = allowed ? f->read(a) : 0;
	}
	return true;
}

bool vgic_distributor(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	struct access a = {v->vgic, (unsigned)offset, m};
	const struct family *f = NULL;

	if (offset < 0x1000)
		f = distributor_map[offset >> 7];
	else if (offset >= 0x6000 && offset < 0x8000)
		f = &d_irouter;
	else if (offset >= 0xffd0)
		f = &id;
	return access_do(f, &a, m);
}

bool vgic_redistributor(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	unsigned cpu = (unsigned)(offset / VGIC_REDIST), in = (unsigned)(offset % VGIC_REDIST);
	struct access a = {NULL, in, m};
	const struct family *f = NULL;

	if (cpu >= v->domain->vcpus_max || !v->domain->vcpu[cpu])
		return access_do(f, &a, m);
	a.g = v->domain->vcpu[cpu]->vgic;
	if (in < 0x80) {
		f = &r_control;
	} else if (in >= 0xffd0 && in < 0x10000) {
		f = &id;
	} else if (in >= 0x10000 && in < 0x11000) {
		a.offset = in - 0x10000;
		f = sgi_base_map[a.offset >> 7];
	}
	return access_do(f, &a, m);
}
