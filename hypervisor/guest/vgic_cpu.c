/* Registers of the guest's CPU interface that trap for a while, since the list registers alone cannot tell what is right. All on the
 * vCPU's own pCPU. */
#include "core/irq.h"
#include "drivers/gicv3.h"
#include "guest/vgic.h"
#include "lib/bits.h"

bool vgic_names_others(void)
{
	return gic.trap_dir == HCR_TDIR && gic_virtual_splits_end();
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

	if (n >= g->vgic->banks || !gic_virtual_splits_end())
		return;
	LOCK_SCOPE(&g->vgic->lock);
	slot = vgic_lr_slot(g, intid);
	if (slot < VGIC_LRS)
		deactivate_loaded(slot);
	else
		vgic_active_clear(g, vgic_bank(g, n), n, 1u << intid % VGIC_BANK_BITS);
}

bool vgic_unwatch(struct vcpu *v)
{
	uint64_t hcr = gic_hcr_read();

	if (!(hcr & HCR_TALL1))
		return false;
	gic_hcr_write(hcr & ~HCR_TALL1);
	vgic_enter(v);
	return true;
}

unsigned vgic_highest_pending(struct vcpu *v)
{
	unsigned best = 0x100, intid = GIC_NONE;

	vgic_enter(v);
	for (uint32_t w = v->vgic->used; w && gic_virtual_is_on(); w &= w - 1) {
		uint64_t lr = gic_lr_read(bits_first(w));

		if ((lr & LR_STATE) == LR_PENDING && (lr >> 48 & 0xff) < best) {
			best = lr >> 48 & 0xff;
			intid = LR_INTID(lr);
		}
	}
	return intid;
}
