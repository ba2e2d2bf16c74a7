/* The truth about states that are in list registers and lines: of this CPU's vCPU, of devices, of vCPUs that run elsewhere or nowhere. */
#include "core/irq.h"
#include "core/time.h"
#include "guest/vgic.h"
#include "guest/vtimer.h"
#include "lib/bits.h"

/* Does only its CPU know the states of some of bank n: those in list registers, and whether its timer's line is still up? */
static bool holds(const struct vgic_vcpu *g, unsigned n)
{
	if (n == 0)
		return g->own.loaded | g->own.owed;
	for (uint32_t w = g->used; w; w &= w - 1)
		if (LR_INTID(g->lr[bits_first(w)]) / VGIC_BANK_BITS == n)
			return true;
	return false;
}

/* It runs, or has stopped with its registers still on its CPU. One that waits has told its states before (sched_block). */
static bool is_on_its_cpu(const struct vgic_vcpu *g)
{
	return ATOMIC_READ(g->vcpu->run) == VCPU_RUNNING || (g->used && !ATOMIC_READ(g->vcpu->blocked));
}

/* How long a CPU has to say what its list registers hold, before what it said last is taken. The reader takes interrupts meanwhile,
 * and where CPUs are themselves virtual (QEMU on a busy host) an answer may take long. */
#define ANSWER_NS 1000000000

bool vgic_states_known(struct vgic_vcpu *reader, struct vgic_vcpu *g, unsigned n, uint64_t address)
{
	struct domain *d = g->vgic->domain;
	bool first = reader->asked_at == 0 || reader->asked_for != address, waits = false;

	for (unsigned i = 0; i < d->vcpus_max; i++) {
		struct vgic_vcpu *h = d->vcpu[i] ? d->vcpu[i]->vgic : NULL;

		if (!h || h == reader || (n == 0 && h != g) ||
		    !is_on_its_cpu(h) || !holds(h, n))
			continue;
		if (first) {
			h->wanted = true;
			vcpu_kick(h->vcpu, WORK_VGIC);
		}
		waits |= h->wanted;
	}
	if (waits && first) {
		reader->asked_at = cpu_counter();
		reader->asked_for = address;
	}
	if (waits && cpu_counter() - reader->asked_at < time_ticks_of_ns(ANSWER_NS))
		return false;
	reader->asked_at = 0;
	return true;
}

void vgic_look(struct vgic_vcpu *g, unsigned n)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t level = bank->owed & ~bank->edge;

	if (n == 0) {
		if (g->vcpu == vcpu_current())
			vgic_update(g);
		return;
	}
	if (!level)
		return;
	/* devices' lines: while they are up, the machine's interrupt is pending, though active */
	bank->line = (bank->line & ~level) | (gic_pending_word(n) & level);
	level &= ~bank->line;
	vgic_poke(g, n, level & bank->loaded, true);
	level &= ~(bank->pending | bank->active | bank->loaded);
	bank->owed &= ~level;
	for (; level; level &= level - 1)
		irq_guest_deactivate(n * VGIC_BANK_BITS + bits_first(level));
}

uint32_t vgic_lines_away(const struct vgic_vcpu *g)
{
	struct vcpu *v = g->vcpu;

	/* its CPU lets go of it after vgic_leave(), for which it needed the lock */
	return ATOMIC_READ(v->cpu->vcpu) == v ? 0 : vtimer_lines(v) & ~g->own.edge;
}
