/* The registers that the guest's distributor and redistributors have for each interrupt: one bit of it (enabled, pending, active),
 * its priority, trigger and route. What is common to all registers, and where they are, is in vgic_mmio.c. */
#include "guest/vgic_registers.h"
#include "core/event.h"
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "guest/vtimer.h"
#include "lib/bits.h"

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

RARE void vgic_active_clear(struct vgic_vcpu *g, struct vgic_bank *bank, unsigned n, uint32_t w)
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
	if (n == 0)
		word |= vgic_lines_away(g);
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
	return state_write(g, m, offset, vgic_active_clear);
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
	unsigned mask = 0xff00u >> gic_virtual_priority_bits(); /* the low bits are RES0 */
	uint32_t w;

	if (!bank)
		return true;
	LOCK_SCOPE(&g->vgic->lock);
	for (unsigned k = 0; k < m->size; k++)
		bank->priority[i + k] = (uint8_t)(m->value >> (8 * k) & mask);
	w = (m->size == 4 ? 0xfu : 1u) << i & (bank->loaded | vgic_pending(g, bank));
	if (unlikely(w)) /* those outside of the list registers are chosen anew too */
		vgic_poke(g, intid / VGIC_BANK_BITS, w, true);
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
	if (bank == &g->own) /* the machine's timer is a level, whatever the guest thinks of it */
		edge &= ~(1u << vtimer_virtual_ppi);
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

/* ---- the families ---------------------------------------------------------------------------------------------------- */
#define FAMILY(name, sizes, read, write) const struct family vgic_##name = {sizes, read, write}
FAMILY(isenabler, 4, enabled_read, isenabler_write);
FAMILY(icenabler, 4, enabled_read, icenabler_write);
FAMILY(ispendr, 4, pending_read, ispendr_write);
FAMILY(icpendr, 4, pending_read, icpendr_write);
FAMILY(isactiver, 4, active_read, isactiver_write);
FAMILY(icactiver, 4, active_read, icactiver_write);
FAMILY(ipriorityr, 1 | 4, ipriorityr_read, ipriorityr_write);
FAMILY(icfgr, 4, icfgr_read, icfgr_write);
FAMILY(irouter, 4 | 8, irouter_read, irouter_write);
