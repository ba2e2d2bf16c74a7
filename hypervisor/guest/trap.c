/* Exception classes of guests, as a table. What the architecture does not let us emulate is injected back. */
#include "guest/trap.h"
#include "arch/fault.h"
#include "arch/guest_va.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/sched.h"
#include "guest/aarch32.h"
#include "guest/load_store.h"
#include "guest/vgic.h"
#include "lib/bits.h"
#include "lib/print.h"
#include "sysreg.h"

typedef void trap_handler(struct vcpu *v, struct frame *f, uint64_t esr);

static RARE __attribute__((noinline)) void skip_aarch32(struct frame *f, uint64_t esr)
{
	f->elr += esr & ESR_IL ? 4 : 2;
	f->spsr = aarch32_advance(f->spsr) & ~SPSR_SS;
}

static inline void skip_aarch64(struct frame *f, uint64_t elr, uint64_t spsr)
{
	f->elr = elr + 4;
	spsr &= ~(3UL << 10);	  /* BTYPE of the skipped instruction is over */
	asm("" : "+r"(spsr));	  /* two masks that each fit into an instruction, not one that has to be loaded */
	f->spsr = spsr & ~SPSR_SS; /* and it was one step */
}

static inline void skip(struct frame *f, uint64_t esr)
{
	uint64_t elr = f->elr, spsr = f->spsr; /* read together: a pair */

	if (unlikely(spsr & SPSR_AARCH32))
		skip_aarch32(f, esr);
	else
		skip_aarch64(f, elr, spsr);
}

static RARE void trap_undefined(struct vcpu *v, struct frame *f, uint64_t esr)
{
	(void)v;
	if ((f->spsr & SPSR_AARCH32) && !aarch32_is_done(esr, f->spsr))
		skip_aarch32(f, esr);
	else
		inject_undefined(f);
}

static void wfx(struct vcpu *v, uint64_t esr)
{
	if ((esr & 1) == 0)
		sched_block(v);
	else
		sched_yield(v);
}

static RARE __attribute__((noinline)) void wfx_aarch32(struct vcpu *v, struct frame *f, uint64_t esr)
{
	if (aarch32_is_done(esr, f->spsr))
		wfx(v, esr);
	skip_aarch32(f, esr);
}

static void trap_wfx(struct vcpu *v, struct frame *f, uint64_t esr)
{
	uint64_t elr = f->elr, spsr = f->spsr;

	if (unlikely(spsr & SPSR_AARCH32)) {
		wfx_aarch32(v, f, esr);
		return;
	}
	skip_aarch64(f, elr, spsr);
	wfx(v, esr);
}

static void trap_hvc(struct vcpu *v, struct frame *f, uint64_t esr)
{
	switch (esr & 0xffff) {
	case 0xea1:
		hypercall(v, f);
		break;
	case 0:
		smccc_call(v, f);
		break;
	default:
		f->elr -= 4; /* the exception is taken on the HVC itself */
		inject_undefined(f);
	}
}

/* An SMC is trapped before it is done: ELR is on it. */
static void trap_smc(struct vcpu *v, struct frame *f, uint64_t esr)
{
	if ((esr & 0xffff) != 0) {
		inject_undefined(f);
		return;
	}
	skip_aarch64(f, f->elr, f->spsr);
	smccc_call(v, f);
}

static void trap_sysreg(struct vcpu *v, struct frame *f, uint64_t esr)
{
	if (sysreg_emulate(v, f, ESR_ISS(esr)))
		skip_aarch64(f, f->elr, f->spsr);
	else if (!vgic_unwatch(v))
		inject_undefined(f);
}

#define ISS_VALID      (1UL << 24)
#define ISS_SIGNED     (1UL << 21)
#define ISS_REG64      (1UL << 15)
#define ISS_CACHE      (1UL << 8)
#define ISS_STAGE1WALK (1UL << 7)
#define ISS_WRITE      (1UL << 6)

/* The guest-physical address of an abort. HPFAR_EL2 is valid for translation and access flag faults, not for permission faults
 * (Arm ARM D24.2.58). */
static bool fault_address(uint64_t esr, uint64_t far, ipa_t *out)
{
	unsigned status = esr & 0x3c;

	if (status == 0x0c && !(esr & ISS_STAGE1WALK)) /* permission fault, not on a stage 1 walk */
		return guest_va_to_ipa(GVA(far), out);
	*out = IPA(bits_get(sysreg_read(hpfar_el2), 43, 4) << 12 | (far & PAGE_MASK));
	return true;
}

#define EXTERNAL_ABORT	    0x10u
#define EXTERNAL_ABORT_WALK 0x14u /* and the level of stage 1 */

/* An access to what is not there: on a bus it would be an external abort, of the walk's own access or of the guest's. */
static RARE void take_abort(struct vcpu *v, struct frame *f, gva_t far, uint64_t esr)
{
	inject_abort(f, far, esr,
		     esr & ISS_STAGE1WALK ? EXTERNAL_ABORT_WALK + walk_level(v->domain, far) : EXTERNAL_ABORT);
}

static RARE void trap_insn_abort(struct vcpu *v, struct frame *f, uint64_t esr)
{
	uint64_t far = sysreg_read(far_el2);
	ipa_t at;

	/* as in abort_other() */
	if ((esr & 0x3c) == 0x04 && fault_address(esr, far, &at) &&
	    memory_lookup(v->domain, at).kind != STAGE2_NONE)
		return;
	if (log_guest(v->domain))
		log_debug("d%uv%u jumps to %lx, where nothing is", v->domain->id, v->id, far);
	take_abort(v, f, GVA(far), esr);
}

static uint64_t extend(uint64_t value, uint64_t esr, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	value = value << shift >> shift;
	if ((esr & ISS_SIGNED) && size < 8)
		value = (uint64_t)((int64_t)(value << shift) >> shift);
	return esr & ISS_REG64 ? value : (uint32_t)value;
}

/* An abort with a valid syndrome: one register, loaded or stored, whose number and size the machine tells. */
static inline bool emulate(struct vcpu *v, struct frame *f, uint64_t esr, ipa_t at)
{
	unsigned reg = (unsigned)bits_get(esr, 20, 16), log = (unsigned)bits_get(esr, 23, 22);
	unsigned unused = (64 - (8u << log)) & 63; /* bits of a register beyond the size */
	struct mmio m;

	m.ipa = at;
	m.size = (uint8_t)(1u << log);
	m.write = (esr & ISS_WRITE) != 0;
	m.value = esr & ISS_WRITE ? frame_get(f, reg) << unused >> unused : 0;
	if (unlikely(!mmio_emulate(v, &m)))
		return false;
	if (!(esr & ISS_WRITE)) {
		if (m.size == 0)
			return true; /* the guest does it again */
		frame_set(f, reg, esr & ISS_SIGNED ? extend(m.value, esr, m.size) : m.value);
	}
	skip(f, esr);
	return true;
}

/* noinline, so that the way before it is short */
static RARE __attribute__((noinline)) void abort_other(struct vcpu *v, struct frame *f, uint64_t esr)
{
	uint64_t far = sysreg_read(far_el2);
	unsigned status = esr & 0x3f;
	ipa_t at;

	if ((status & 0x3c) != 0x04 && (status & 0x3c) != 0x08 && (status & 0x3c) != 0x0c) {
		take_abort(v, f, GVA(far),
			   esr); /* a synchronous external abort of the machine, an alignment fault */
		return;
	}
	if (!fault_address(esr, far, &at))
		return; /* stage 1 changed under us: the guest tries again */
	if (!(esr & ISS_STAGE1WALK)) {
		if (esr &
		    ISS_CACHE) { /* cache maintenance on an address without memory: nothing to do */
			skip(f, esr);
			return;
		}
		if (esr & ISS_VALID) {
			if (emulate(v, f, esr, at))
				return;
		} else if (load_store_emulate(v, f, (esr & ISS_WRITE) != 0, GVA(far), at)) {
			skip(f, esr);
			return;
		}
	}
	/* another CPU may have been between break and make: under its lock the mapping is there */
	if ((status & 0x3c) == 0x04 && memory_lookup(v->domain, at).kind != STAGE2_NONE)
		return;
	if (log_guest(v->domain))
		log_debug("d%uv%u: %s at %lx (physical %lx), where nothing is; pc %lx",
			  v->domain->id, v->id, esr & ISS_WRITE ? "write" : "read", far, at.raw,
			  f->elr);
	take_abort(v, f, GVA(far), esr);
}

/* Nearly all are accesses to emulated registers, told by one comparison: a valid syndrome, a translation fault at a known
 * address, no cache maintenance, no walk of stage 1. */
#define ISS_FAR_UNKNOWN (1UL << 10)
#define ACCESS_MASK	(ISS_VALID | ISS_FAR_UNKNOWN | ISS_CACHE | ISS_STAGE1WALK | 0x3cUL)
#define ACCESS_IS	(ISS_VALID | 0x04UL)

static void trap_data_abort(struct vcpu *v, struct frame *f, uint64_t esr)
{
	if ((esr & ACCESS_MASK) != ACCESS_IS ||
	    !emulate(v, f, esr,
		     IPA(bits_get(sysreg_read(hpfar_el2), 43, 4) << 12 |
			 (sysreg_read(far_el2) & PAGE_MASK))))
		abort_other(v, f, esr);
}

/* Undefined unless said otherwise, so that no trap has to ask whether there is a handler. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static trap_handler *const handlers[64] = {
	[0 ... 63] = trap_undefined,
	[ESR_WFX] = trap_wfx,
	[ESR_HVC64] = trap_hvc,
	[ESR_SMC64] = trap_smc,
	[ESR_SYSREG] = trap_sysreg,
	[ESR_INSN_ABORT_LOWER] = trap_insn_abort,
	[ESR_DATA_ABORT_LOWER] = trap_data_abort,
};
#pragma GCC diagnostic pop

void trap_sync(struct frame *f)
{
	uint64_t esr = sysreg_read(esr_el2);
	register trap_handler *handler asm("x16") = handlers[ESR_CLASS(esr)];

	asm("" : "+r"(handler)); /* where the compiler would move it */
	handler(vcpu_current(), f, esr);
}

void trap_irq(struct frame *f)
{
	(void)f;
	irq_dispatch();
}

RARE void trap_serror(struct frame *f)
{
	struct vcpu *v = vcpu_current();

	/* asynchronous: whose access it was is not known for sure, so the guest that ran takes it */
	log_error("SError while domain %u vCPU %u ran: ESR %lx, pc %lx", v->domain->id, v->id,
		  sysreg_read(esr_el2), f->elr);
	domain_shutdown(v->domain, SHUT_CRASH);
}
