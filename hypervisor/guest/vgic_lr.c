/* List registers: which interrupts of a vCPU the machine delivers by itself, and what happens when there are more of them than
 * list registers. Arm IHI 0069H, 12.4 (ICH_*), 4.8 and 6.2 (virtual interrupts).
 *
 * The usual way: new interrupts go into free list registers in any order, since the machine picks the highest priority among
 * them. Only when there is no free one, everything is taken back and the best are chosen: pending ones first, by priority,
 * then active ones, first of all those that were in list registers. What stays outside is watched by maintenance interrupts: NPIE
 * and UIE for pending ones, LRENPIE for active ones, whose end the machine then counts in EOIcount. That is their deactivation too,
 * unless the guest deactivates apart (EOImode 1), with ICC_DIR_EL1, which traps meanwhile: vgic_deactivate(). */
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "guest/vgic.h"
#include "lib/bits.h"

/* Bits of the bank that want a list register now. */
static uint32_t wanted(const struct vgic_vcpu *g, const struct vgic_bank *bank)
{
	uint32_t ready = g->vgic->enabled ? vgic_pending(g, bank) & bank->enabled : 0;

	return (ready | bank->active) & ~bank->loaded;
}

/* The vCPU that interrupt i of the bank is for: who has it active, else where it is routed. */
static unsigned owner(const struct vgic_vcpu *g, const struct vgic_bank *bank, unsigned i)
{
	if (bank == &g->own)
		return g->vcpu->id;
	return bank->active >> i & 1 ? bank->holder[i] : bank->target[i];
}

static void lr_write(struct vgic_vcpu *g, unsigned n, uint64_t lr)
{
	g->lr[n] = lr;
	gic_lr_write(n, lr);
}

/* What interrupt i of bank n looks like in a list register, moved out of the bank. */
static uint64_t lr_make(struct vgic_vcpu *g, unsigned n, unsigned i, bool *latched)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t bit = 1u << i;
	uint64_t lr = LR_GROUP1 | LR_PRIORITY(bank->priority[i]) | (n * VGIC_BANK_BITS + i);
	bool active = bank->active & bit;
	bool pending = g->vgic->enabled && (vgic_pending(g, bank) & bank->enabled & bit);

	*latched = pending && (bank->pending & bit);
	if (bank->owed & bit) {
		if (active && (bank->pending & bit)) {
			/* software made it active, then the device spoke: with HW=1 both at once are not allowed */
			*latched = false;
			lr |= LR_ACTIVE | LR_EOI;
		} else {
			lr |= LR_HW | LR_PHYSICAL(n * VGIC_BANK_BITS + i) |
			      (active ? LR_ACTIVE : LR_PENDING);
		}
	} else {
		lr |= (active ? LR_ACTIVE : 0) | (pending ? LR_PENDING : 0);
		if (vgic_lines(g, bank) & ~bank->edge & bit)
			lr |= LR_EOI; /* the line is sampled again when the guest is done */
	}
	if (*latched)
		bank->pending &= ~bit;
	if (n == 0)
		g->by_line = *latched || !pending ? g->by_line & ~bit : g->by_line | bit;
	bank->active &= ~bit;
	bank->loaded |= bit;
	bank->holder[i] = (uint8_t)g->vcpu->id;
	return lr;
}

static void lr_load(struct vgic_vcpu *g, unsigned slot, unsigned n, unsigned i)
{
	bool latched;

	lr_write(g, slot, lr_make(g, n, i, &latched));
	if (n == 0)
		g->slot[i] = (uint8_t)slot;
	g->used |= (uint16_t)(1u << slot);
	g->latched = (uint16_t)((g->latched & ~(1u << slot)) | (unsigned)latched << slot);
}

/* The interrupt in a list register goes back into its bank; lr is what the machine says of it now. */
static void lr_release(struct vgic_vcpu *g, unsigned slot, uint64_t lr)
{
	unsigned intid = LR_INTID(lr), n = intid / VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t bit = 1u << (intid % VGIC_BANK_BITS);
	bool pending = (lr & LR_PENDING) && !(bank->drop_pending & bit);
	bool active = (lr & LR_ACTIVE) && !(bank->drop_active & bit);

	if (pending && (g->latched >> slot & 1))
		bank->pending |= bit;
	if (active) {
		bank->active |= bit;
		bank->was_loaded |= bit;
	}
	if ((lr & LR_HW) && !pending && !active) {
		if (lr &
		    LR_STATE) /* dropped by software; else the guest's own deactivation did it */
			irq_guest_deactivate(intid);
		/* a line that is still up interrupts again as soon as the guest runs */
		if (n == 0 && !(bank->renewed & bit))
			bits_clear32(&g->vcpu->lines, bit);
		else if (!(bank->renewed & bit))
			bank->line &= ~bit;
		bank->owed = (bank->owed & ~bit) | (bank->renewed & bit);
		bank->renewed &= ~bit;
	}
	bank->drop_pending &= ~bit;
	bank->drop_active &= ~bit;
	bank->loaded &= ~bit;
	/* its line went down before the guest acknowledged it */
	if ((bank->owed & bit) && !((vgic_pending(g, bank) | bank->active) & bit)) {
		bank->owed &= ~bit;
		irq_guest_deactivate(intid);
	}
	g->used &= (uint16_t) ~(1u << slot);
	g->todo |= 1u << n;
}

/* The guest ended and deactivated `count` interrupts that were active and in no list register: the ones of highest priority, as it ends
 * them in that order. */
static void deactivate_spilled(struct vgic_vcpu *g, unsigned count)
{
	while (count-- > 0) {
		struct vgic_bank *best = NULL;
		unsigned best_n = 0, best_i = 0;

		for (unsigned n = 0; n < g->vgic->banks; n++) {
			struct vgic_bank *bank = vgic_bank(g, n);

			for (uint32_t w = bank->active & ~bank->loaded; w; w &= w - 1) {
				unsigned i = bits_first(w);

				if (owner(g, bank, i) == g->vcpu->id &&
				    (!best || bank->priority[i] < best->priority[best_i])) {
					best = bank;
					best_n = n;
					best_i = i;
				}
			}
		}
		if (!best)
			return;
		best->active &= ~(1u << best_i);
		if (best->owed & ~best->pending & (1u << best_i)) {
			best->owed &= ~(1u << best_i);
			irq_guest_deactivate(best_n * VGIC_BANK_BITS + best_i);
		}
	}
}

bool vgic_lr_again(struct vgic_vcpu *g, unsigned i, bool hardware)
{
	unsigned slot = g->slot[i];
	uint64_t lr = g->lr[slot];

	/* whatever the guest changed about it since then asks for a resync or left something to do */
	if (!(g->own.loaded >> i & 1) || g->own.renewed >> i & 1 || g->resync || g->spilled ||
	    g->todo || ((lr & LR_HW) != 0) != hardware)
		return false;
	lr = (lr & ~LR_STATE) | LR_PENDING;
	if (!gic_lr_write_empty(slot, lr))
		return false;
	g->lr[slot] = lr;
	if (hardware)
		g->by_line |= 1u << i;
	else
		g->latched |= (uint16_t)(1u << slot);
	return true;
}

void vgic_lr_settle(struct vgic_vcpu *g)
{
	struct vgic_bank *bank = &g->own;
	uint32_t w = bank->owed & ~(vgic_pending(g, bank) | bank->active | bank->loaded);

	bank->owed &= ~w;
	for (; w; w &= w - 1)
		irq_guest_deactivate(bits_first(w));
}

void vgic_lr_take_back(struct vgic_vcpu *g)
{
	if (g->spilled && !vgic_end_is_split()) /* or ICC_DIR does not trap: the likely one */
		deactivate_spilled(g, HCR_EOICOUNT(gic_hcr_read()));
	for (uint32_t w = g->used; w; w &= w - 1) {
		unsigned slot = bits_first(w);

		lr_release(g, slot, gic_lr_read(slot));
		lr_write(g, slot, 0);
	}
}

/* Empties list registers whose interrupt is over. */
static void lr_reap(struct vgic_vcpu *g)
{
	for (uint32_t w = g->used & gic_lr_done(); w; w &= w - 1) {
		unsigned slot = bits_first(w);

		/* what was loaded, without its state: all that is done looks the same */
		lr_release(g, slot, g->lr[slot] & ~LR_STATE);
		lr_write(g, slot, 0);
	}
}

unsigned vgic_lr_slot(const struct vgic_vcpu *g, unsigned intid)
{
	for (uint32_t w = g->used; w; w &= w - 1)
		if (LR_INTID(g->lr[bits_first(w)]) == intid)
			return bits_first(w);
	return VGIC_LRS;
}

/* An interrupt in one of our list registers became pending again. */
static void lr_merge(struct vgic_vcpu *g, unsigned n, unsigned i)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t bit = 1u << i;
	unsigned slot = vgic_lr_slot(g, n * VGIC_BANK_BITS + i);
	uint64_t lr;

	if (slot == VGIC_LRS)
		return;
	lr = gic_lr_read(slot);
	if (!(lr & LR_HW) && (bank->pending & ~bank->owed & bit)) {
		bank->pending &= ~bit; /* pending twice is pending once */
		g->latched |= (uint16_t)(1u << slot);
		lr_write(g, slot, lr | LR_PENDING);
	} else if (!(lr & (LR_HW | LR_EOI))) {
		/* a line that went up, or the machine's interrupt, comes after the end of this one */
		lr_write(g, slot, lr | LR_EOI);
	}
}

/* Loads what is new in bank n. False when the list registers do not suffice. */
static bool bank_load(struct vgic_vcpu *g, unsigned n)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t again =
		g->vgic->enabled ? vgic_pending(g, bank) & bank->enabled & bank->loaded : 0;
	uint32_t all = (1u << gic.list_registers) - 1;

	for (uint32_t w = wanted(g, bank); w; w &= w - 1) {
		unsigned i = bits_first(w);

		if (owner(g, bank, i) != g->vcpu->id) {
			vgic_poke(g, n, 1u << i, false);
			continue;
		}
		if ((g->used & all) == all)
			return false;
		lr_load(g, bits_first(~g->used & all), n, i);
	}
	for (; again; again &= again - 1) {
		unsigned i = bits_first(again);

		if (n == 0 || bank->holder[i] == g->vcpu->id)
			lr_merge(g, n, i);
		else
			vgic_poke(g, n, 1u << i, false);
	}
	return true;
}

struct candidate {
	uint16_t key; /* smaller is better */
	uint16_t intid;
};

/* Keeps the best `room` candidates sorted. Returns how many there are now. */
static unsigned candidate_insert(struct candidate *best, unsigned count, unsigned room,
				 struct candidate c)
{
	unsigned at = count < room ? count : room;

	while (at > 0 && best[at - 1].key > c.key) {
		if (at < room)
			best[at] = best[at - 1];
		at--;
	}
	if (at < room)
		best[at] = c;
	return count < room ? count + 1 : room;
}

/* Chooses anew from everything. All list registers are empty. */
static void refill(struct vgic_vcpu *g)
{
	struct candidate best[VGIC_LRS];
	unsigned count = 0, pending_all = 0, active_all = 0, pending_in = 0;
	uint64_t hcr = HCR_EN | HCR_LRENPIE | g->watched;

	for (unsigned n = 0; n < g->vgic->banks; n++) {
		struct vgic_bank *bank = vgic_bank(g, n);

		for (uint32_t w = wanted(g, bank); w; w &= w - 1) {
			unsigned i = bits_first(w);
			bool active = bank->active >> i & 1;
			unsigned order = 0;

			if (owner(g, bank, i) != g->vcpu->id) {
				vgic_poke(g, n, 1u << i, false);
				continue;
			}
			*(active ? &active_all : &pending_all) += 1;
			if (active) /* what was in a list register is what the guest ends soon */
				order = bank->was_loaded >> i & 1 ? 0x100 : 0x200;
			bank->was_loaded &= ~(1u << i);
			count = candidate_insert(
				best, count, gic.list_registers,
				(struct candidate){(uint16_t)(bank->priority[i] | order),
						   (uint16_t)(n * VGIC_BANK_BITS + i)});
		}
	}
	for (unsigned slot = 0; slot < count; slot++) {
		pending_in += best[slot].key < 0x100;
		lr_load(g, slot, best[slot].intid / VGIC_BANK_BITS,
			best[slot].intid % VGIC_BANK_BITS);
	}
	g->todo = 0;
	g->spilled = pending_all + active_all > count;
	if (pending_all > pending_in)
		hcr |= HCR_NPIE | HCR_UIE;
	if (active_all > count - pending_in)
		hcr |= gic.trap_dir;
	else if (g->vgic->domain->vcpus_max > 1 && vgic_end_is_split())
		hcr |= HCR_TDIR;
	gic_hcr_write(hcr); /* EOIcount too is 0 now */
}

void vgic_lr_fill(struct vgic_vcpu *g)
{
	if (!g->resync && !g->spilled) {
		lr_reap(g);
		while (g->todo) {
			unsigned n = bits_first(g->todo);

			if (!bank_load(g, n))
				break;
			g->todo &= ~(1u << n);
		}
		if (!g->todo)
			return;
	} else if (!g->resync && !g->todo && !(g->used & gic_lr_done()) && !HCR_EOICOUNT(gic_hcr_read())) {
		return; /* what waits outside still does: nothing came, nothing is over */
	}
	g->resync = false;
	vgic_lr_take_back(g);
	vgic_lr_settle(g);
	refill(g);
}

void vgic_lr_note(struct vgic_vcpu *g)
{
	for (uint32_t w = g->used; w; w &= w - 1) {
		unsigned slot = bits_first(w);

		g->lr[slot] = (g->lr[slot] & ~LR_STATE) | (gic_lr_read(slot) & LR_STATE);
	}
	g->wanted = false;
}

void vgic_lr_state(struct vgic_vcpu *g, unsigned n, uint32_t *pending, uint32_t *active)
{
	struct domain *d = g->vgic->domain;

	*pending = *active = 0;
	if (!vgic_bank(g, n)->loaded)
		return;
	for (unsigned c = 0; c < d->vcpus_max; c++) {
		struct vgic_vcpu *h = d->vcpu[c] ? d->vcpu[c]->vgic : NULL;

		if (!h || (n == 0 && h != g))
			continue;
		for (uint32_t w = h->used; w; w &= w - 1) {
			unsigned slot = bits_first(w);
			uint64_t lr = h->lr[slot];
			uint32_t bit = 1u << (LR_INTID(lr) % VGIC_BANK_BITS);

			if (LR_INTID(lr) / VGIC_BANK_BITS != n)
				continue;
			if (h->vcpu == vcpu_current())
				lr = gic_lr_read(slot);
			/* whether a machine's level is pending, its line tells */
			if ((lr & LR_PENDING) && (!(lr & LR_HW) || (vgic_bank(g, n)->edge & bit)))
				*pending |= bit;
			if (lr & LR_ACTIVE)
				*active |= bit;
		}
	}
}
