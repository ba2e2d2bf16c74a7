/* The machine tells of most aborts which register was loaded or stored, but not of these: they are read and decoded. Another CPU
 * of the guest may change the instruction meanwhile; then what is emulated is what it has written there: all that it can reach
 * this way are its own registers and its own devices. */
#include "guest/load_store.h"
#include "guest/trap.h"
#include "lib/bits.h"
#include "xen/guest_copy.h"

/* Signed field of `bits` bits at `lsb`. */
static int16_t field(uint32_t instruction, unsigned lsb, unsigned bits)
{
	return (int16_t)((int32_t)(instruction << (32 - lsb - bits)) >> (32 - bits));
}

/* LDP, STP, LDPSW, LDNP, STNP: opc:101:0:index:L:imm7:Rt2:Rn:Rt. */
static bool decode_pair(uint32_t i, struct load_store *out)
{
	unsigned opc = i >> 30, index = i >> 23 & 3;

	out->load = i >> 22 & 1;
	if (opc == 3 || (opc == 1 && (!out->load || index == 0)))
		return false;
	out->count = 2;
	out->size = opc == 2 ? 8 : 4;
	out->sign_extend = opc == 1;
	out->to64 = opc != 0;
	out->reg[0] = i & 0x1f;
	out->reg[1] = i >> 10 & 0x1f;
	out->offset = (int16_t)(field(i, 15, 7) * out->size);
	out->advance = index & 1 ? out->offset : 0;
	if (index == 1) /* afterwards */
		out->offset = 0;
	return !(out->load && out->reg[0] == out->reg[1]);
}

/* LDR, STR and their like with an immediate that is written back: size:111:0:00:opc:0:imm9:pre:1:Rn:Rt. */
static bool decode_single(uint32_t i, struct load_store *out)
{
	unsigned log = i >> 30, opc = i >> 22 & 3;

	if ((log == 3 && opc >= 2) || (log == 2 && opc == 3))
		return false;
	out->load = opc != 0;
	out->count = 1;
	out->size = (uint8_t)(1u << log);
	out->sign_extend = opc >= 2;
	out->to64 = log == 3 || opc == 2;
	out->reg[0] = out->reg[1] = i & 0x1f;
	out->advance = field(i, 12, 9);
	out->offset = i >> 11 & 1 ? out->advance : 0;
	return true;
}

bool load_store_decode(uint32_t instruction, struct load_store *out)
{
	out->base = instruction >> 5 & 0x1f;
	if ((instruction & 0x3e000000) == 0x28000000) {
		if (!decode_pair(instruction, out))
			return false;
	} else if ((instruction & 0x3f200400) == 0x38000400) {
		if (!decode_single(instruction, out))
			return false;
	} else {
		return false;
	}
	/* a base that is also loaded or stored: constrained unpredictable */
	return out->advance == 0 || out->base == 31 ||
	       (out->base != out->reg[0] && out->base != out->reg[1]);
}

static uint64_t extend(const struct load_store *l, uint64_t value)
{
	unsigned unused = (64 - 8u * l->size) & 63;

	if (l->sign_extend)
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	return l->to64 ? value : (uint32_t)value;
}

bool load_store_emulate(struct vcpu *v, struct frame *f, bool write, gva_t far, ipa_t at)
{
	struct load_store l;
	uint32_t instruction;
	uint64_t base, value[2];

	if ((f->spsr & SPSR_AARCH32) ||
	    guest_copy_in(v, &instruction, GVA(f->elr), sizeof(instruction)) ||
	    !load_store_decode(instruction, &l) || l.load == write)
		return false;
	base = l.base == 31 ? guest_sp_read(f) : frame_get(f, l.base);
	/* the address that aborted is the first one, and the second one lies in the same page */
	if (base + (uint64_t)l.offset != far.raw ||
	    (at.raw & PAGE_MASK) + l.count * l.size > PAGE_SIZE)
		return false;
	for (unsigned i = 0; i < l.count; i++) {
		unsigned unused = (64 - 8u * l.size) & 63;
		struct mmio m = {.ipa = IPA(at.raw + i * l.size), .size = l.size, .write = write};

		m.value = write ? frame_get(f, l.reg[i]) << unused >> unused : 0;
		if (!mmio_emulate(v, &m))
			return false;
		if (m.size == 0) { /* once more: our caller skips the instruction */
			f->elr -= 4;
			return true;
		}
		value[i] = m.value;
	}
	for (unsigned i = 0; l.load && i < l.count; i++)
		frame_set(f, l.reg[i], extend(&l, value[i]));
	if (l.advance != 0 && l.base == 31)
		guest_sp_write(f, base + (uint64_t)l.advance);
	else if (l.advance != 0)
		frame_set(f, l.base, base + (uint64_t)l.advance);
	return true;
}
