/* The guest's GICv3 under any sequence of register accesses, interrupts, acknowledgements and ends, on two vCPUs. What must
 * hold after each: an interrupt is in one list register at most, `loaded` says exactly which are in one, and when everything
 * is ended and disabled, nothing is left over. */
#include "guest/vgic.h"
#include "drivers/gicv3.h"
#include "fake/machine.h"
#include "guest/trap.h"
#include "lib/bits.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct domain *d)
{
	uint32_t in[2][VGIC_BANKS] = {0};

	for (unsigned c = 0; c < d->vcpus_max; c++) {
		struct vgic_vcpu *g = d->vcpu[c]->vgic;

		for (uint32_t w = g->used; w; w &= w - 1) {
			unsigned intid = LR_INTID(g->lr[bits_first(w)]), n = intid / 32;
			uint32_t *at = &in[n == 0 ? c : 0][n], bit = 1u << intid % 32;

			if (bits_first(w) >= FAKE_LRS || n >= g->vgic->banks || (*at & bit))
				abort();
			*at |= bit;
		}
		if (in[c][0] != g->own.loaded)
			abort();
	}
	for (unsigned n = 1; n < d->vgic->banks; n++)
		if (in[0][n] != d->vgic->shared[n - 1].loaded)
			abort();
}

/* Any access, odd ones and those over a frame's end too: what lies inside answers, the rest is refused. */
static void access(struct domain *d, uint64_t base, uint64_t size, uint64_t offset, unsigned width,
		   bool write, uint64_t value)
{
	struct mmio m = {
		.ipa = IPA(base + offset), .size = (uint8_t)width, .write = write, .value = value};

	if (mmio_emulate(fake_cpu->vcpu, &m) != (offset + width <= size))
		abort();
	fake_run(d, fake_cpu->id);
}

static void distributor(struct domain *d, uint64_t offset, unsigned width, bool write,
			uint64_t value)
{
	access(d, FAKE_GICD, KIB(64), offset, width, write, value);
}

static void redistributor(struct domain *d, uint64_t offset, unsigned width, bool write,
			  uint64_t value)
{
	access(d, FAKE_GICR, d->vcpus_max * (uint64_t)VGIC_REDIST, offset, width, write, value);
}

/* Everything the guest can do to come to rest: end what is active, clear what is pending. */
static void settle(struct domain *d)
{
	for (unsigned c = 0; c < 2; c++) {
		uint64_t sgi = FAKE_GICR + c * 0x20000 + 0x10000;

		fake_run(d, c);
		for (unsigned n = 0; n < d->vgic->banks; n++) {
			uint64_t at = n == 0 ? sgi : FAKE_GICD + n * 4;

			fake_write(at + 0x180, 4, ~0u);
			fake_write(at + 0x280, 4, ~0u);
			fake_write(at + 0x380, 4, ~0u);
		}
	}
	for (unsigned c = 0; c < 4; c++)
		fake_run(d, c % 2);
	for (unsigned n = 1; n < d->vgic->banks; n++) {
		struct vgic_bank *b = &d->vgic->shared[n - 1];

		if (b->loaded | b->active | b->owed | b->renewed | b->drop_active | b->drop_pending)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain *d = fake_domain(2);

	for (; size >= 8; data += 8, size -= 8) {
		struct vcpu *v = fake_run(d, data[0] >> 7);
		uint32_t value = data[4] | (uint32_t)data[5] << 8 | (uint32_t)data[6] << 16 |
				 (uint32_t)data[7] << 24;
		uint64_t offset = data[1] | (uint64_t)data[2] << 8;
		unsigned width = 1u << (data[3] & 3), intid;

		switch (data[0] & 7) {
		case 0:
			distributor(d, offset, width, true, value);
			break;
		case 1:
			distributor(d, offset, width, false, 0);
			break;
		case 2: /* the busy part of the frames */
			distributor(d, offset % 0x1000, width, true, value);
			break;
		case 3:
			redistributor(d,
				      (data[0] >> 3 & 1) * VGIC_REDIST + 0x10000 + offset % 0x1000,
				      width, true, value);
			break;
		case 4:
			redistributor(d,
				      (data[0] >> 3 & 1) * VGIC_REDIST +
					      (data[0] >> 5 & 1) * 0x10000 + offset,
				      width, false, 0);
			break;
		case 5:
			intid = value % (32 + FAKE_SPIS);
			if (intid != FAKE_DEVICE ||
			    !(d->vgic->shared[0].owed >> (FAKE_DEVICE - 32) & 1))
				vcpu_mark_irq(v, intid);
			break;
		case 6:
			intid = fake_acknowledge();
			if (intid < 1020 && (data[3] & 4))
				fake_end(intid);
			else if (data[3] & 8)
				vgic_set_spi(d, value % (40 + FAKE_SPIS), data[3] & 16);
			break;
		case 7:
			vgic_send_sgi(v, value | (uint64_t)data[1] << 32);
			if (data[3] & 4)
				vgic_maintenance(25, NULL);
			if (data[3] & 8)
				fake_end(offset % (32 + FAKE_SPIS));
			break;
		}
		fake_run(d, v->id);
		check(d);
	}
	for (unsigned intid = 32; intid < 32 + FAKE_SPIS; intid++)
		vgic_set_spi(d, intid, false);
	settle(d);
	fake_domain_free(d);
	return 0;
}
