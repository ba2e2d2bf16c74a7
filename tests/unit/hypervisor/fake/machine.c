#include "fake/machine.h"
#include "core/event.h"
#include "core/grant.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "lib/print.h"
#include <stdio.h>
#include <stdlib.h>

struct gic_info gic = {.interrupts = 32 + FAKE_SPIS,
		       .maintenance = 25,
		       .list_registers = FAKE_LRS,
		       .trap_dir = HCR_TDIR};
struct cpu cpus[MAX_CPUS];
unsigned cpu_count = MAX_CPUS;
struct fake_cpu_state fake_state[MAX_CPUS];
unsigned fake_deactivated;
uint32_t fake_pending_word;
bool fake_enabled;
irq_handler *fake_timer_irq;

/* shared frames are given back to nobody here, see page_put() of fake/xen_machine.c */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static struct fake_cpu_state *here(void)
{
	return &fake_state[fake_cpu->id];
}

/* ---- GIC ------------------------------------------------------------------------------------------------------------- */
uint64_t gic_lr_read(unsigned n)
{
	return here()->lr[n];
}
void gic_lr_write(unsigned n, uint64_t lr)
{
	if ((lr & LR_HW) && (lr & LR_STATE) == LR_STATE)
		abort(); /* not allowed (GIC specification, ICH_LR<n>_EL2.State) */
	here()->lr[n] = lr;
}
bool gic_lr_write_empty(unsigned n, uint64_t lr)
{
	if (here()->lr[n] & LR_STATE)
		return false;
	gic_lr_write(n, lr);
	return true;
}
void gic_set_active(unsigned intid, bool active)
{
	here()->ppi_active =
		active ? here()->ppi_active | 1u << intid : here()->ppi_active & ~(1u << intid);
}
uint32_t gic_lr_done(void)
{
	uint32_t done = 0;

	for (unsigned n = 0; n < FAKE_LRS; n++)
		if (!(here()->lr[n] & LR_STATE))
			done |= 1u << n;
	return done;
}
uint64_t gic_hcr_read(void)
{
	return here()->hcr | here()->ended << 27;
}
void gic_hcr_write(uint64_t hcr)
{
	here()->hcr = hcr & 0x7ffffff;
	here()->ended = hcr >> 27 & 0x1f;
}
uint64_t gic_virtual_masks(void)
{
	return VMCR_ENG1 | (here()->splits_end ? VMCR_EOIM : 0);
}
unsigned gic_virtual_priority_bits(void)
{
	return 5;
}
void gic_virtual_reset(void)
{
	*here() = (struct fake_cpu_state){.hcr = HCR_EN};
}
void gic_set_pending(unsigned intid, bool pending)
{
	if (intid / 32 == 1)
		fake_pending_word = pending ? fake_pending_word | 1u << intid % 32
					    : fake_pending_word & ~(1u << intid % 32);
}
uint32_t gic_pending_word(unsigned n)
{
	return n == 1 ? fake_pending_word : 0;
}
void gic_virtual_save(struct gic_virtual *to)
{
	to->vmcr = here()->hcr;
	here()->hcr = 0;
}
void gic_virtual_load(const struct gic_virtual *from)
{
	here()->hcr = from->vmcr;
}
void gic_send_sgi(uint64_t mpidr, unsigned sgi)
{
	(void)mpidr;
	(void)sgi;
}
void gic_enable_word(unsigned n, uint32_t bits, bool on)
{
	if (n == FAKE_DEVICE / 32 && bits >> FAKE_DEVICE % 32 & 1)
		fake_enabled = on;
}
void irq_guest_trigger(unsigned intid, bool edge)
{
	(void)intid;
	(void)edge;
}
void irq_guest_target(unsigned intid, struct cpu *cpu)
{
	(void)intid;
	(void)cpu;
}
void irq_guest_deactivate(unsigned intid)
{
	fake_deactivated += intid == FAKE_DEVICE;
	if (intid < 32)
		gic_set_active(intid, false);
}
/* ---- the guest's timer: CNTV of the running CPU, and the hypervisor's deadlines -------------------------------------- */
bool guest_timer_line(void)
{
	struct fake_cpu_state *c = here();

	return (c->cntv.ctl & 3) == 1 && fake_counter >= c->cntv.cval;
}
void guest_timer_save(struct guest_timer *t)
{
	*t = here()->cntv;
	here()->cntv = (struct guest_timer){0};
}
void guest_timer_load(const struct guest_timer *t, uint64_t offset)
{
	here()->cntv = *t;
	here()->cntv_offset = offset;
}
void guest_timer_reset(uint64_t offset)
{
	here()->cntv = (struct guest_timer){0};
	here()->cntv_offset = offset;
}
void guest_timer_cpu_init(void)
{
}
int irq_register_forwarded(unsigned intid, irq_handler *handler)
{
	(void)intid;
	fake_timer_irq = handler;
	return 0;
}
void irq_enable_here(unsigned intid)
{
	(void)intid;
}
struct timer *fake_timers[FAKE_TIMERS];
void timer_set(struct timer *t, uint64_t deadline)
{
	timer_cancel(t);
	t->deadline = deadline;
	t->cpu = fake_cpu;
	for (unsigned i = 0; i < FAKE_TIMERS; i++)
		if (!fake_timers[i]) {
			fake_timers[i] = t;
			return;
		}
}
void timer_cancel(struct timer *t)
{
	for (unsigned i = 0; i < FAKE_TIMERS; i++)
		if (fake_timers[i] == t)
			fake_timers[i] = NULL;
	t->cpu = NULL;
}
int dt_compatible(const void *fdt, int node, const char *compatible)
{
	(void)fdt;
	(void)node;
	(void)compatible;
	return -1;
}
bool dt_interrupt(const void *fdt, int node, unsigned index, int parent, unsigned *intid,
		  unsigned *flags)
{
	(void)fdt;
	(void)node;
	(void)index;
	(void)parent;
	(void)intid;
	(void)flags;
	return false;
}

/* ---- memory and the rest ---------------------------------------------------------------------------------------------- */
void *pa_to_va(pa_t pa)
{
	return (void *)pa.raw;
}
pa_t va_to_pa(const void *va)
{
	return PA((uint64_t)va);
}
void *heap_pages(unsigned order)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);

	if (p)
		__builtin_memset(p, 0, PAGE_SIZE << order);
	return p;
}
void heap_free(void *va, unsigned order)
{
	(void)order;
	free(va);
}
void page_free(pa_t pa, unsigned order)
{
	heap_free(pa_to_va(pa), order);
}
int stage2_create(struct stage2 *s, uint16_t vmid)
{
	s->vmid = vmid;
	return 0;
}
void stage2_destroy(struct stage2 *s)
{
	(void)s;
}
void vcpu_state_reset(struct vcpu_state *s, uint64_t vmpidr, uint64_t entry, uint64_t x0)
{
	s->vmpidr = vmpidr;
	s->frame.elr = entry;
	s->frame.x[0] = x0;
}
void sched_block_until(struct vcpu *v, uint64_t deadline)
{
	v->blocked = true;
	v->wake_at = deadline;
}
void sched_wake(struct vcpu *v)
{
	v->blocked = false;
}
void sched_set_online(struct vcpu *v, bool on)
{
	v->online = on ? VCPU_ON_PENDING : VCPU_OFF;
	v->run = on ? VCPU_BLOCKED : VCPU_OFFLINE;
}
void machine_off(void)
{
	exit(0);
}
void machine_reset(void)
{
	exit(0);
}
void log_line(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}
void panic(const char *format, ...)
{
	fputs(format, stderr);
	abort();
}

static void *shared_info[DOMAIN_MAX];

/* ---- the guest's side -------------------------------------------------------------------------------------------------- */
struct domain *fake_domain(unsigned n)
{
	struct domain *d;
	struct vcpu *v;

	__builtin_memset(fake_state, 0, sizeof(fake_state));
	fake_deactivated = fake_pending_word = fake_enabled = 0;
	for (unsigned i = 0; i < MAX_CPUS; i++)
		cpus[i] = (struct cpu){.id = i, .mpidr = i, .online = true};
	fake_cpu = &cpus[0];
	if (domain_create(&(struct domain_config){.id = 1, .vcpus_max = n}, &d))
		abort();
	for (unsigned i = 0; i < POOL_MAX; i++)
		pools[i] = (struct pool){0};
	pool_init();
	d->pool = &pools[0];
	d->pool->domains = 1;
	d->irqs[FAKE_DEVICE / 32] = 1u << FAKE_DEVICE % 32;
	if (vgic_place(d, IPA(FAKE_GICD), IPA(FAKE_GICR), FAKE_SPIS))
		abort();
	d->vgic->banks = 1 + FAKE_SPIS / 32;
	for (unsigned i = 0; i < n; i++) {
		if (vcpu_create(d, i, &cpus[i], &v))
			abort();
		v->online = VCPU_ON;
		v->run = VCPU_RUNNING;
		cpus[i].vcpu = v;
	}
	shared_info[d->slot] = (void *)ALIGN_DOWN((uint64_t)d->events->pending,
						  PAGE_SIZE); /* it begins in there */
	return d;
}

void fake_domain_free(struct domain *d)
{
	domains[d->slot] = NULL;
	for (unsigned i = 0; i < d->vcpus_max; i++)
		heap_free(d->vcpu[i], 0);
	/* units only give their references to these up (page_put); a fuzz target makes millions of domains */
	for (unsigned i = 0; i < d->grants->frames; i++) {
		heap_free(d->grants->frame[i], 0);
		heap_free(d->grants->use[i], 0);
	}
	heap_free(shared_info[d->slot], 0);
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->domain_destroy)
			u->domain_destroy(d);
	free(d);
}

struct vcpu *fake_run(struct domain *d, unsigned id)
{
	struct vcpu *v = d->vcpu[id];

	fake_cpu = &cpus[id];
	while (v->work & (WORK_IRQ | WORK_VGIC)) {
		v->work &= ~(WORK_IRQ | WORK_VGIC);
		vgic_enter(v);
	}
	return v;
}

unsigned fake_acknowledge(void)
{
	uint64_t *best = NULL;

	for (unsigned n = 0; n < FAKE_LRS; n++) {
		uint64_t *lr = &here()->lr[n];

		if ((*lr & LR_STATE) == LR_PENDING &&
		    (!best || (*lr >> 48 & 0xff) < (*best >> 48 & 0xff)))
			best = lr;
	}
	if (!best)
		return 1023;
	*best ^= LR_STATE;
	return LR_INTID(*best);
}

void fake_end(unsigned intid)
{
	for (unsigned n = 0; n < FAKE_LRS; n++) {
		uint64_t *lr = &here()->lr[n];

		if (LR_INTID(*lr) != intid || !(*lr & LR_ACTIVE))
			continue;
		*lr &= ~LR_ACTIVE;
		if (*lr & LR_HW)
			irq_guest_deactivate(*lr >> 32 & 0x3ff);
		return;
	}
	if (here()->ended < 31)
		here()->ended++;
}

uint64_t fake_read(uint64_t ipa, unsigned size)
{
	struct mmio m = {.ipa = IPA(ipa), .size = (uint8_t)size};

	if (!mmio_emulate(fake_cpu->vcpu, &m))
		abort();
	return m.value;
}

void fake_write(uint64_t ipa, unsigned size, uint64_t value)
{
	struct mmio m = {.ipa = IPA(ipa), .size = (uint8_t)size, .write = true, .value = value};

	if (!mmio_emulate(fake_cpu->vcpu, &m))
		abort();
	fake_run(fake_cpu->vcpu->domain, fake_cpu->id);
}
