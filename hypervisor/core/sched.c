/* A pCPU waits with its vCPU's EL1 state loaded: a loop of WFI and interrupt dispatch with interrupts masked (WFI ends on a
 * masked interrupt too, so nothing is lost between the test and the wait). */
#include "core/sched.h"
#include "core/irq.h"
#include "core/time.h"
#include "lib/bits.h"
#include "lib/errno.h"

struct cpu cpus[MAX_CPUS];
unsigned cpu_count;

unsigned cpu_online_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		n += cpus[i].online;
	return n;
}

uint64_t cpu_idle_ticks(const struct cpu *c)
{
	uint64_t since = ATOMIC_READ(c->idle_since);

	return ATOMIC_READ(c->idle_ticks) + (since != 0 ? cpu_counter() - since : 0);
}

static void idle_once(struct cpu *c)
{
	ATOMIC_WRITE(c->idle_since, cpu_counter());
	cpu_wait();
	ATOMIC_WRITE(c->idle_ticks, c->idle_ticks + cpu_counter() - c->idle_since);
	ATOMIC_WRITE(c->idle_since, 0);
	irq_dispatch();
}

static bool has_work(struct vcpu *v)
{
	return ATOMIC_READ(v->work) != 0 || sched_hooks->irq_pending(v);
}

static void wait_begin(struct vcpu *v)
{
	v->run = VCPU_BLOCKED;
	v->run_ticks += cpu_counter() - v->run_since;
	if (sched_hooks->block != NULL)
		sched_hooks->block(v);
}

static void wait_end(struct vcpu *v)
{
	v->run = VCPU_RUNNING;
	v->run_since = cpu_counter();
}

void sched_block(struct vcpu *v)
{
	if (has_work(v))
		return;
	wait_begin(v);
	while (!has_work(v))
		idle_once(v->cpu);
	wait_end(v);
}

static void deadline_passed(void *arg)
{
	*(bool *)arg = true;
}

bool sched_block_until(struct vcpu *v, uint64_t deadline, bool (*ready)(struct vcpu *))
{
	bool late = false;
	struct timer t = {.fire = deadline_passed, .arg = &late};

	timer_set(&t, deadline);
	wait_begin(v);
	while (!late && !has_work(v) && !(ready != NULL && ready(v)))
		idle_once(v->cpu);
	wait_end(v);
	timer_cancel(&t);
	return !late;
}

void sched_yield(struct vcpu *v)
{
	(void)v; /* nobody else lives on this pCPU */
}

static bool runnable(const struct vcpu *v)
{
	return __atomic_load_n(&v->online, __ATOMIC_ACQUIRE) && ATOMIC_READ(v->pauses) == 0 &&
	       ATOMIC_READ(v->domain->paused) == 0 && v->domain->state == DOMAIN_RUNNING;
}

/* The domain ends: this pCPU forgets v and is free for another. The stack is used from its top again. */
static void __attribute__((noreturn)) guest_leave(struct vcpu *v)
{
	sched_hooks->reset(v);
	stage2_unload();
	v->run = VCPU_OFFLINE;
	__atomic_store_n(&v->cpu->vcpu, NULL, __ATOMIC_RELEASE);
	sched_run();
}

bool sched_retire(struct vcpu *v)
{
	if (__atomic_load_n(&v->cpu->vcpu, __ATOMIC_ACQUIRE) != v)
		return true;
	vcpu_kick(v, WORK_STOP);
	return false;
}

/* A pCPU without a vCPU takes v: 0, or -EBUSY when all have one. */
static int place(struct vcpu *v)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct vcpu *none = NULL;

		v->cpu = &cpus[i];
		if (cpus[i].online &&
		    __atomic_compare_exchange_n(&cpus[i].vcpu, &none, v, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			vcpu_kick(v, WORK_STOP);
			return 0;
		}
	}
	v->cpu = &cpus[0];
	return -EBUSY;
}

int sched_start(struct domain *d)
{
	int error = 0;

	for (unsigned i = 0; i < d->vcpus_max && error == 0; i++)
		if (d->vcpu[i] != NULL && d->vcpu[i]->cpu->vcpu != d->vcpu[i])
			error = place(d->vcpu[i]);
	return error;
}

/* Waits until the vCPU may run, and gives it the state it starts with if it was off. */
static void wait_runnable(struct vcpu *v, struct frame *f)
{
	bits_clear32(&v->work, WORK_STOP);
	v->run_ticks += v->run == VCPU_RUNNING ? cpu_counter() - v->run_since : 0;
	while (!runnable(v)) {
		v->run = v->online ? VCPU_BLOCKED : VCPU_OFFLINE;
		if (ATOMIC_READ(v->domain->state) == DOMAIN_DYING)
			guest_leave(v);
		idle_once(v->cpu);
	}
	if (v->run == VCPU_OFFLINE || v->reset) {
		/* vcpu_start() says online first and gives the state right after */
		while (!__atomic_load_n(&v->reset, __ATOMIC_ACQUIRE))
			cpu_relax();
		v->reset = false;
		stage2_load(&v->domain->stage2);
		vcpu_state_load(&v->state);
		*f = v->state.frame;
		sched_hooks->reset(v);
	}
	wait_end(v);
}

void vcpu_work(struct vcpu *v, struct frame *f)
{
	uint32_t work;

	while ((work = ATOMIC_READ(v->work)) != 0) {
		if (work & WORK_STOP) {
			wait_runnable(v, f);
		} else if (work & WORK_TIMER) {
			bits_clear32(&v->work, WORK_TIMER);
			sched_hooks->timer(v);
		} else {
			bits_clear32(&v->work, WORK_IRQ | WORK_VGIC);
			sched_hooks->enter(v);
		}
	}
}

void guest_enter(struct frame *f) __attribute__((noreturn)); /* entry.S */

void sched_run(void)
{
	struct cpu *c = cpu_this();

	while (__atomic_load_n(&c->vcpu, __ATOMIC_ACQUIRE) == NULL)
		idle_once(c);
	guest_enter((struct frame *)(c->boot_stack - sizeof(struct frame)));
}
