#include "core/vcpu.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/sched.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "lib/bits.h"
#include "lib/errno.h"

_Static_assert(offsetof(struct vcpu, work) == 8, "entry.S knows it");
_Static_assert(offsetof(struct cpu, boot_stack) == 8, "entry.S knows it");

int vcpu_create(struct domain *d, unsigned id, struct cpu *on, struct vcpu **out)
{
	struct vcpu *v;
	int error = 0;

	_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU is one page");
	if (id >= d->vcpus_max || d->vcpu[id] != NULL)
		return -EINVAL;
	v = heap_pages(0);
	if (v == NULL)
		return -ENOMEM;
	v->domain = d;
	v->id = (uint16_t)id;
	v->cpu = on;
	v->work = WORK_STOP;
	d->vcpu[id] = v;
	for (const struct unit *u = units_begin; u < units_end && error == 0; u++)
		error = u->vcpu_create != NULL ? u->vcpu_create(v) : 0;
	if (error != 0) {
		vcpu_destroy(v);
		return error;
	}
	*out = v;
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	for (const struct unit *u = units_begin; u < units_end; u++)
		if (u->vcpu_destroy != NULL)
			u->vcpu_destroy(v);
	v->domain->vcpu[v->id] = NULL;
	heap_free(v, 0);
}

bool vcpu_should_yield(struct vcpu *v)
{
	return ATOMIC_READ(v->work) != 0 || cpu_interrupt_pending();
}

void vcpu_kick(struct vcpu *v, uint32_t work)
{
	struct cpu *at;

	__atomic_fetch_or(&v->work, work, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the scheduler: first v->run, then a look at v->work */
	switch (__atomic_load_n(&v->run, __ATOMIC_ACQUIRE)) {
	case VCPU_RUNNING:
		at = __atomic_load_n(&v->cpu, __ATOMIC_RELAXED);
		if (at != cpu_this())
			gic_send_sgi(at->mpidr, SGI_KICK);
		break;
	case VCPU_BLOCKED:
		sched_wake(v);
		break;
	default: /* looks at v->work before it runs */
		break;
	}
}

void vcpu_wake(struct vcpu *v)
{
	vcpu_kick(v, WORK_VGIC);
}

void vcpu_mark_irq(struct vcpu *v, unsigned intid)
{
	__atomic_fetch_or(&v->mark[intid / 64], BIT(intid % 64), __ATOMIC_RELEASE);
	__atomic_fetch_or(&v->marked, BIT(intid / 64), __ATOMIC_RELEASE);
	vcpu_kick(v, WORK_IRQ);
}

void vcpu_set_line(struct vcpu *v, unsigned intid, bool up)
{
	if (up) {
		bits_set32(&v->lines, 1u << intid);
		vcpu_mark_irq(v, intid);
	} else {
		bits_clear32(&v->lines, 1u << intid);
	}
}

bool vcpu_take_marks(struct vcpu *v, unsigned *first, uint64_t *bits)
{
	while (ATOMIC_READ(v->marked) != 0) {
		unsigned i = bits_first(ATOMIC_READ(v->marked));

		/* the summary goes first: a mark that comes in between sets it again */
		bits_clear64(&v->marked, BIT(i));
		*bits = bits_take64(&v->mark[i]);
		*first = i * 64;
		if (*bits != 0)
			return true;
	}
	return false;
}

enum vcpu_online vcpu_start(struct vcpu *v, uint64_t entry, uint64_t x0)
{
	uint8_t was = VCPU_OFF;

	/* online goes first, so that of two callers one is refused; nobody runs it while it is OFFLINE */
	if (!__atomic_compare_exchange_n(&v->online, &was, VCPU_ON_PENDING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return was;
	vcpu_state_reset(&v->state, 1UL << 31 | vcpu_affinity(v->id), entry, x0);
	v->reset = true;
	sched_set_online(v, true);
	vcpu_kick(v, WORK_STOP);
	return was;
}

void vcpu_stop(struct vcpu *v)
{
	v->stopping = true;
	bits_set32(&v->work, WORK_STOP);
}

void vcpu_pause(struct vcpu *v)
{
	__atomic_add_fetch(&v->pauses, 1, __ATOMIC_ACQ_REL);
	vcpu_kick(v, WORK_STOP);
}

void vcpu_unpause(struct vcpu *v)
{
	__atomic_sub_fetch(&v->pauses, 1, __ATOMIC_ACQ_REL);
	vcpu_kick(v, WORK_STOP);
}
