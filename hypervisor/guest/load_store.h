/* Loads and stores of general registers whose abort has no syndrome (ESR_EL2.ISV 0): pairs, and those that write their base
 * register back. Arm ARM C4.1.94, "Loads and Stores". */
#ifndef GUEST_LOAD_STORE_H
#define GUEST_LOAD_STORE_H
#include "core/vcpu.h"

struct load_store {
	bool load;
	bool sign_extend, to64; /* loads: the value is signed, and goes to the whole register */
	uint8_t size;		/* bytes of one register */
	uint8_t count;		/* registers: 1 or 2 */
	uint8_t reg[2];		/* 31: zero */
	uint8_t base;		/* 31: stack pointer */
	int16_t offset;		/* from the base to the address */
	int16_t advance;	/* what the base goes on by; 0: it stays */
};

/* False: another instruction, or one whose effect is not predictable. Pure. */
bool load_store_decode(uint32_t instruction, struct load_store *out);
/* Emulates the instruction that aborted at guest virtual address `far`, physical `at`. False: it cannot be (the guest takes an
 * abort); registers are as they were then. On v's CPU, no locks. */
bool load_store_emulate(struct vcpu *v, struct frame *f, bool write, gva_t far, ipa_t at);

#endif
