/* The guest's GICv3: life, marks from below, software interrupts. */
#include "guest/vgic.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/time.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "guest/vtimer.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Marks of interrupts w of bank n: they become pending. The machine's ones were acknowledged: a deactivation is owed. */
static void bank_mark(struct vgic_vcpu *g, unsigned n, uint32_t w)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	uint32_t machine = w & vgic_hardware(g->vgic, n), level = machine & ~bank->edge;

	if (n == 0)
		w &= ~(g->vcpu->lines & ~bank->edge); /* the line itself says it */
	bank->line |= level;
	bank->pending |= w & ~level;
	bank->renewed |= machine & bank->owed & bank->loaded;
	bank->owed |= machine;
	g->todo |= 1u << n;
}

static void collect(struct vgic_vcpu *g)
{
	unsigned first;
	uint64_t bits;

	while (vcpu_take_marks(g->vcpu, &first, &bits)) {
		unsigned n = first / VGIC_BANK_BITS;

		if ((uint32_t)bits && n < g->vgic->banks)
			bank_mark(g, n, (uint32_t)bits);
		if (bits >> 32 && n + 1 < g->vgic->banks)
			bank_mark(g, n + 1, (uint32_t)(bits >> 32));
	}
}

void vgic_collect(struct vgic *s)
{
	struct domain *d = s->domain;

	for (unsigned i = 0; i < d->vcpus_max; i++)
		if (d->vcpu[i] && ATOMIC_READ(d->vcpu[i]->marked)) {
			collect(d->vcpu[i]->vgic);
			vcpu_kick(d->vcpu[i], WORK_VGIC);
		}
}

static __attribute__((noinline)) void poke(struct vgic_vcpu *g, uint32_t todo, bool resync)
{
	if ((g->todo & todo) == todo && g->resync >= resync)
		return; /* it was told before and has not looked yet */
	g->todo |= todo;
	g->resync |= resync;
	vcpu_kick(g->vcpu, WORK_VGIC);
}

void vgic_poke(struct vgic_vcpu *g, unsigned n, uint32_t bits, bool resync)
{
	struct vgic_bank *bank = vgic_bank(g, n);
	struct domain *d = g->vgic->domain;

	if (n == 0) {
		if (bits)
			poke(g, 1, resync && (bits & bank->loaded));
		return;
	}
	for (; bits; bits &= bits - 1) {
		unsigned i = bits_first(bits);
		bool held = (bank->loaded | bank->active) >> i & 1;
		unsigned id = held ? bank->holder[i] : bank->target[i];

		if (id < d->vcpus_max && d->vcpu[id])
			poke(d->vcpu[id]->vgic, 1u << n, resync && (bank->loaded >> i & 1));
	}
}

/* Looks at the lines of the vCPU whose registers are here. What is pending because of a line that is down by now no longer is. */
static void sample_lines(struct vgic_vcpu *g)
{
	struct vcpu *v = g->vcpu;
	uint32_t timer = 1u << vtimer_virtual_ppi;

	/* the timer's line only needs a look while the machine's interrupt is active: else it interrupts when it goes up */
	if (g->own.owed & timer) {
		if (guest_timer_line()) {
			bits_set32(&v->lines, timer);
		} else {
			bits_clear32(&v->lines, timer);
			vgic_lr_settle(
				g); /* else the machine would not tell when it goes up again */
		}
	}
	for (uint32_t w = g->own.loaded & g->by_line & ~v->lines; w; w &= w - 1)
		if (gic_lr_read(g->slot[bits_first(w)]) & LR_PENDING)
			g->resync = true;
}

/* On the way to the guest, or instead of it. Lock held. */
void vgic_update(struct vgic_vcpu *g)
{
	if (ATOMIC_READ(g->vcpu->marked))
		collect(g);
	sample_lines(g);
	vgic_lr_fill(g);
	if (g->wanted)
		vgic_lr_note(g);
}

void vgic_enter(struct vcpu *v)
{
	LOCK_SCOPE(&v->vgic->vgic->lock);
	vgic_update(v->vgic);
}

bool vgic_irq_pending(struct vcpu *v)
{
	struct vgic_vcpu *g = v->vgic;

	LOCK_SCOPE(&g->vgic->lock);
	vgic_update(g);
	vgic_lr_note(g);
	for (uint32_t w = g->used; w; w &= w - 1)
		if (gic_lr_read(bits_first(w)) & LR_PENDING)
			return true;
	return false;
}

static __attribute__((noinline)) void load_private(struct vgic_vcpu *g, unsigned intid,
						   bool hardware)
{
	struct vgic_bank *bank = &g->own;
	uint32_t bit = 1u << intid;

	if (hardware) {
		bank->renewed |= bit & bank->owed & bank->loaded;
		bank->owed |= bit;
	} else {
		bank->pending |= bit;
	}
	g->todo |= 1;
	vgic_lr_fill(g);
}

/* A private interrupt becomes pending for the vCPU whose registers are here: into a list register now, without marks and work.
 * `hardware`: the machine's of the same number is behind it. Lock held. */
static inline void raise(struct vgic_vcpu *g, unsigned intid, bool hardware)
{
	if (!vgic_lr_again(g, intid, hardware))
		load_private(g, intid, hardware);
	if (g->vcpu->run != VCPU_RUNNING)
		vcpu_kick(g->vcpu, WORK_VGIC); /* it waits, with its registers here */
}

/* The guest has interrupts masked: it may lower the timer's line, which is its own, before it acknowledges. It shall not do that
 * without a look at the line (vgic_cpu.c). */
static RARE __attribute__((noinline)) void watch(struct vgic_vcpu *g)
{
	g->watched = HCR_TALL1;
	gic_hcr_write(gic_hcr_read() | HCR_TALL1);
}

void vgic_forward(struct vcpu *v, unsigned intid)
{
	struct vgic_vcpu *g = v->vgic;

	LOCK_SCOPE(&g->vgic->lock);
	if (!(ATOMIC_READ(v->lines) >> intid & 1))
		bits_set32(&v->lines, 1u << intid);
	raise(g, intid, true);
	if (unlikely(cpu_guest_masked()))
		watch(g);
}

bool vgic_is_enabled(const struct vcpu *v, unsigned intid)
{
	return v->vgic->own.enabled >> intid & 1;
}

void vgic_line_down(struct vcpu *v, unsigned intid)
{
	vcpu_set_line(v, intid, false);
	if (v->vgic->own.loaded >> intid & 1)
		vcpu_kick(v, WORK_VGIC);
}

static void send_self(struct vcpu *v, unsigned sgi)
{
	LOCK_SCOPE(&v->vgic->vgic->lock);
	raise(v->vgic, sgi, false);
}

void vgic_leave(struct vcpu *v)
{
	struct vgic_vcpu *g = v->vgic;
	struct vgic_bank *bank = &g->own;

	LOCK_SCOPE(&g->vgic->lock);
	if (ATOMIC_READ(v->marked))
		collect(g);
	vgic_lr_take_back(g);
	gic_virtual_save(&g->interface);
	g->spilled = g->resync = false;
	g->watched = g->todo = 0; /* all of it is chosen anew on arrival; who finds it set had the vCPU kicked */
	/* the next vCPU needs the machine's private interrupts; a line that is up raises them again on the next CPU */
	if (bank->owed) {
		for (uint32_t w = bank->owed; w; w &= w - 1)
			irq_guest_deactivate(bits_first(w));
		bits_clear32(&v->lines, bank->owed);
		bank->owed &= bank->active;
	}
}

/* The vCPU came to another CPU: the machine's interrupts that are routed to it come too. */
static RARE void follow(struct vgic_vcpu *g)
{
	struct vgic *s = g->vgic;

	g->at = g->vcpu->cpu;
	for (unsigned n = 1; n < s->banks; n++)
		for (uint32_t w = vgic_hardware(s, n); w; w &= w - 1)
			if (s->shared[n - 1].target[bits_first(w)] == g->vcpu->id)
				irq_guest_target(n * VGIC_BANK_BITS + bits_first(w), g->at);
}

void vgic_arrive(struct vcpu *v)
{
	struct vgic_vcpu *g = v->vgic;

	LOCK_SCOPE(&g->vgic->lock);
	if (g->at != v->cpu)
		follow(g);
	gic_virtual_load(&g->interface);
	for (uint32_t w = g->own.owed; w; w &= w - 1)
		gic_set_active(bits_first(w), true);
	g->resync = true;
	vgic_update(g);
}

void vgic_maintenance(unsigned intid, void *arg)
{
	struct vcpu *v = vcpu_current();

	(void)intid;
	(void)arg;
	if (!v)
		return;
	vgic_end_found_none(v->vgic);
	LOCK_SCOPE(&v->vgic->vgic->lock);
	v->vgic->resync |= v->vgic->spilled; /* there is room for what waits outside */
	vgic_update(v->vgic); /* at once: the interrupt is a level that lasts as long as its reason */
}

void vgic_send_sgi(struct vcpu *v, uint64_t value)
{
	struct domain *d = v->domain;
	unsigned sgi = (unsigned)bits_get(value, 27, 24),
		 first = (unsigned)bits_get(value, 23, 16) * 16;

	if (value & BIT(40)) { /* IRM: all but self */
		for (unsigned i = 0; i < d->vcpus_max; i++)
			if (d->vcpu[i] && d->vcpu[i] != v)
				vcpu_mark_irq(d->vcpu[i], sgi);
		return;
	}
	if (bits_get(value, 55, 44) || bits_get(value, 39, 32))
		return; /* Aff3, RS, Aff2: no vCPU has them */
	for (uint64_t list = value & 0xffff; list; list &= list - 1) {
		unsigned id = first + bits_first(list);

		if (id == v->id)
			send_self(v, sgi);
		else if (id < d->vcpus_max && d->vcpu[id])
			vcpu_mark_irq(d->vcpu[id], sgi);
	}
}

int vgic_set_spi(struct domain *d, unsigned intid, bool up)
{
	struct vgic *s = d->vgic;
	unsigned n = intid / VGIC_BANK_BITS;
	uint32_t bit = 1u << (intid % VGIC_BANK_BITS);
	struct vgic_bank *bank;

	if (n == 0 || n >= s->banks)
		return -EINVAL;
	bank = &s->shared[n - 1];
	LOCK_SCOPE(&s->lock);
	if (up && !(bank->line & bit) && (bank->edge & bit))
		bank->pending |= bit;
	bank->line = up ? bank->line | bit : bank->line & ~bit;
	vgic_poke(&s->vcpus[0], n, bit, !up);
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */
/* Of the CPU interface alone: the redistributor is the GIC's, and keeps what others have set up or made pending meanwhile. */
RARE void vgic_reset(struct vcpu *v)
{
	v->vgic->interface = (struct gic_virtual){0};
	vgic_arrive(v);
}

static RARE int vgic_domain_create(struct domain *d)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < sizeof(struct vgic))
		order++;
	d->vgic = heap_pages(order);
	if (!d->vgic)
		return -ENOMEM;
	lock_init(&d->vgic->lock, LOCK_VGIC);
	d->vgic->domain = d;
	d->vgic->banks = 1;
	return d->config.distributor.raw ? vgic_place(d, d->config.distributor,
						      d->config.redistributors, d->config.spis)
					 : 0;
}

static RARE void vgic_domain_destroy(struct domain *d)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < sizeof(struct vgic))
		order++;
	if (d->vgic)
		heap_free(d->vgic, order);
	d->vgic = NULL;
}

static RARE int vgic_vcpu_create(struct vcpu *v)
{
	struct vgic_vcpu *g = &v->domain->vgic->vcpus[v->id];

	g->vcpu = v;
	g->vgic = v->domain->vgic;
	g->own.edge = 0xffff; /* SGIs are edges */
	v->vgic = g;
	return 0;
}

UNIT(vgic_unit) = {
	.name = "vgic",
	.domain_create = vgic_domain_create,
	.domain_destroy = vgic_domain_destroy,
	.vcpu_create = vgic_vcpu_create,
};

RARE int vgic_place(struct domain *d, ipa_t distributor, ipa_t redistributors, unsigned spis)
{
	int error;

	if (spis > VGIC_BANK_BITS * (VGIC_BANKS - 1))
		spis = VGIC_BANK_BITS * (VGIC_BANKS - 1);
	d->vgic->banks = 1 + (spis + VGIC_BANK_BITS - 1) / VGIC_BANK_BITS;
	error = mmio_register(d, distributor, KIB(64), vgic_distributor);
	if (!error)
		error = mmio_register(d, redistributors, (uint64_t)VGIC_REDIST * d->vcpus_max,
				      vgic_redistributor);
	return error;
}
