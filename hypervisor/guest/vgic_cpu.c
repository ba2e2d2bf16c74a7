/* Registers of the guest's CPU interface that trap for a while, since the list registers alone cannot tell what is right. All on the
 * vCPU's own pCPU. */
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "guest/vgic.h"
#include "lib/bits.h"

bool vgic_end_is_split(void)
{
	return gic.trap_dir && (gic_virtual_masks() & VMCR_EOIM);
}

/* An interrupt in one of our list registers: as the machine does it. */
static void deactivate_loaded(unsigned slot)
{
	uint64_t lr = gic_lr_read(slot);

	gic_lr_write(slot, lr & ~LR_ACTIVE);
	if ((lr & LR_HW) && (lr & LR_ACTIVE))
		irq_guest_deactivate(LR_INTID(lr));
}

/* An SPI may be active on another CPU than the one that deactivates it. */
void vgic_deactivate(struct vcpu *v, uint64_t value)
{
	struct vgic_vcpu *g = v->vgic;
	unsigned intid = value & 0xffffff, n = intid / VGIC_BANK_BITS, slot;

	if (n >= g->vgic->banks || !vgic_end_is_split())
		return;
	slot = vgic_lr_slot(g, intid);
	if (slot < VGIC_LRS) {
		deactivate_loaded(slot);
		return;
	}
	LOCK_SCOPE(&g->vgic->lock);
	vgic_active_clear(g, vgic_bank(g, n), n, 1u << intid % VGIC_BANK_BITS);
}

/* The only SPI that other vCPUs have, if there is just one. */
static void deactivate_elsewhere(struct vgic_vcpu *g)
{
	uint32_t found = 0;
	unsigned n = 0;

	for (unsigned k = 1; k < g->vgic->banks; k++) {
		struct vgic_bank *bank = vgic_bank(g, k);

		for (uint32_t w = bank->loaded | bank->active; w; w &= w - 1) {
			if (bank->holder[bits_first(w)] == g->vcpu->id)
				continue;
			if (found)
				return;
			found = w & -w;
			n = k;
		}
	}
	if (found)
		vgic_active_clear(g, vgic_bank(g, n), n, found);
}

void vgic_end_found_none(struct vgic_vcpu *g)
{
	uint64_t hcr = gic_hcr_read();

	if (!HCR_EOICOUNT(hcr))
		return;
	LOCK_SCOPE(&g->vgic->lock);
	g->resync = true;
	if (!(hcr & HCR_TDIR) && vgic_end_is_split())
		deactivate_elsewhere(g);
}

bool vgic_unwatch(struct vcpu *v)
{
	if (!v->vgic->watched)
		return false;
	v->vgic->watched = 0;
	gic_hcr_write(gic_hcr_read() & ~HCR_TALL1);
	vgic_enter(v);
	return true;
}

unsigned vgic_highest_pending(struct vcpu *v)
{
	unsigned best = 0x100, intid = GIC_NONE;

	vgic_enter(v);
	for (uint32_t w = v->vgic->used; w && (gic_virtual_masks() & VMCR_ENG1); w &= w - 1) {
		uint64_t lr = gic_lr_read(bits_first(w));

		if ((lr & LR_STATE) == LR_PENDING && (lr >> 48 & 0xff) < best) {
			best = lr >> 48 & 0xff;
			intid = LR_INTID(lr);
		}
	}
	return intid;
}
