#include "core/sched.h"
#include "arch/fault.h"
#include "core/cpu_power.h"
#include "core/irq.h"
#include "core/pool.h"
#include "core/sched_clock.h"
#include "core/time.h"
#include "core/unit.h"
#include "drivers/gicv3.h"
#include "lib/bits.h"

struct cpu cpus[MAX_CPUS];
unsigned cpu_count;
/* Stands for "no vCPU yet" on a CPU that goes to its first one by the way to the guest. */
static struct vcpu nobody;

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

static struct vcpu *vcpu_of(struct credit_vcpu *c)
{
	return container_of(c, struct vcpu, credit);
}

/* ---- asking a CPU's scheduler ------------------------------------------------------------------------------------------- */
static void ask_here(struct cpu *c)
{
	c->asked = true;
	if (c->vcpu != NULL)
		bits_set32(&c->vcpu->work, WORK_STOP);
}

static __attribute__((noinline)) void ask(struct cpu *c)
{
	if (c == cpu_this()) {
		ask_here(c);
		return;
	}
	__atomic_store_n(&c->resched, true, __ATOMIC_RELEASE);
	gic_send_sgi(c->mpidr, SGI_KICK);
}

void sched_ask(int cpu)
{
	if (cpu >= 0)
		ask(&cpus[cpu]);
}

void sched_kicked(unsigned intid, void *arg)
{
	struct cpu *c = cpu_this();

	(void)intid;
	(void)arg;
	if (__atomic_exchange_n(&c->resched, false, __ATOMIC_ACQ_REL))
		ask_here(c);
	timer_rearm();
}

static void slice_over(void *arg)
{
	ask(arg);
}

/* ---- blocking and waking -------------------------------------------------------------------------------------------------- */
static bool has_news(const struct vcpu *v)
{
	return (ATOMIC_READ(v->work) & ~WORK_STOP) != 0;
}

void sched_block(struct vcpu *v)
{
	if (has_news(v) || sched_hooks->irq_pending(v))
		return;
	v->blocked = true;
	bits_set32(&v->work, WORK_STOP);
}

void sched_block_until(struct vcpu *v, uint64_t deadline)
{
	bits_clear32(&v->work, WORK_IRQ | WORK_VGIC); /* what is there already does not end the wait */
	(void)sched_hooks->irq_pending(v);	      /* but its states are told */
	v->blocked = true;
	v->wake_at = deadline;
	if (deadline != CREDIT_NEVER)
		timer_set(&v->sleep, deadline);
	bits_set32(&v->work, WORK_STOP);
}

void sched_yield(struct vcpu *v)
{
	v->yielding = true;
	bits_set32(&v->work, WORK_STOP);
}

static bool may_run(const struct vcpu *v)
{
	return __atomic_load_n(&v->online, __ATOMIC_ACQUIRE) && !v->stopping &&
	       ATOMIC_READ(v->pauses) == 0 && ATOMIC_READ(v->domain->paused) == 0 &&
	       ATOMIC_READ(v->domain->state) == DOMAIN_RUNNING;
}

/* Pool locked. False: it has to wait (on). */
static bool is_runnable(struct vcpu *v)
{
	if (has_news(v))
		v->blocked = false;
	return may_run(v) && !v->blocked;
}

void sched_wake(struct vcpu *v)
{
	struct pool *p = pool_lock(&v->domain->pool);
	int cpu = -1;

	if (v->run == VCPU_BLOCKED && is_runnable(v)) {
		ATOMIC_WRITE(v->run, VCPU_RUNNABLE);
		sched_count(v, RUN_RUNNABLE);
		cpu = credit_wake(&p->credit, &v->credit, cpu_counter());
	}
	lock_drop(&p->lock);
	sched_ask(cpu);
}

RARE void sched_set_online(struct vcpu *v, bool on)
{
	struct pool *p = pool_lock(&v->domain->pool);

	credit_remove(&v->credit);
	v->blocked = false;
	__atomic_store_n(&v->online, on ? VCPU_ON_PENDING : VCPU_OFF, __ATOMIC_RELEASE);
	ATOMIC_WRITE(v->run, on ? VCPU_BLOCKED : VCPU_OFFLINE);
	sched_count(v, RUN_OFFLINE);
	lock_drop(&p->lock);
}

/* Its own time has come, be it that it sleeps or that it waits for a CPU. */
static void sleep_over(void *arg)
{
	struct vcpu *v = arg;
	struct pool *p = pool_lock(&v->domain->pool);
	int cpu = -1;

	v->credit.urgent = true;
	if (v->run == VCPU_RUNNABLE)
		cpu = credit_place(&p->credit, &v->credit, cpu_counter());
	lock_drop(&p->lock);
	sched_ask(cpu);
	vcpu_wake(v);
}

/* ---- switching ------------------------------------------------------------------------------------------------------------- */
/* The registers that this CPU holds go to memory. */
static void unload(struct cpu *c, struct frame *f)
{
	struct vcpu *v = c->vcpu;
	struct pool *p;
	uint64_t at;
	int cpu = -1;

	v->state.frame = *f;
	vcpu_state_save(&v->state);
	at = sched_hooks->leave(v);
	c->vcpu = NULL;
	stage2_unload(); /* whoever frees its tables after this finds them in use nowhere */
	at = at < v->wake_at ? at : v->wake_at;
	if (at != CREDIT_NEVER && !v->stopping)
		timer_set(&v->sleep, at);
	p = pool_lock(&v->domain->pool);
	v->unload = false;
	v->credit.loaded = -1;
	if (v->run == VCPU_RUNNABLE)
		cpu = credit_place(&p->credit, &v->credit, cpu_counter());
	if (v->stopping) {
		v->stopping = false;
		ATOMIC_WRITE(v->run, VCPU_OFFLINE);
		__atomic_store_n(&v->online, VCPU_OFF,
				 __ATOMIC_RELEASE); /* vcpu_start() may come from now on */
	}
	lock_drop(&p->lock);
	sched_ask(cpu);
}

static void load(struct cpu *c, struct vcpu *v, struct frame *f)
{
	c->vcpu = v;
	vcpu_state_load(&v->state);
	stage2_load(&v->domain->stage2);
	if (v->domain->ran[c->id] != v || v->reset) {
		v->domain->ran[c->id] = v;
		vcpu_state_forget();
	}
	*f = v->state.frame;
	if (v->reset) {
		v->reset = false;
		ATOMIC_WRITE(v->online, VCPU_ON);
		cpu_barrier_full(); /* who sees what it does sees that it is on */
		sched_hooks->reset(v);
	} else {
		sched_hooks->arrive(v);
	}
}

/* What ran until now cannot go on (pool locked): it waits for something. */
static enum credit_previous stop(struct vcpu *v)
{
	ATOMIC_WRITE(v->run, VCPU_BLOCKED);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* vcpu_kick(): first its news, then a look at v->run */
	if (!is_runnable(v))
		return CREDIT_GONE;
	ATOMIC_WRITE(v->run, VCPU_RUNNING);
	return CREDIT_KEEP;
}

/* It is not what its CPU runs next. */
static void stop_clock(struct vcpu *v)
{
	sched_count(v, v->run == VCPU_RUNNABLE ? RUN_RUNNABLE : may_run(v) ? RUN_BLOCKED : RUN_OFFLINE);
}

/* Can what runs here go on? Pool locked. */
static enum credit_previous previous_of(struct vcpu *v)
{
	enum credit_previous previous;

	bits_clear32(&v->work, WORK_STOP);
	previous = is_runnable(v) ? CREDIT_KEEP : stop(v);
	if (previous == CREDIT_KEEP && v->yielding)
		previous = CREDIT_YIELD;
	v->yielding = false;
	if (previous != CREDIT_GONE)
		ATOMIC_WRITE(v->run, VCPU_RUNNABLE);
	return previous;
}

/* It was chosen, but before its registers came here an interrupt brought a better one (pool locked). */
static void put_back(struct pool *p, struct vcpu *v)
{
	v->credit.loaded = -1;
	v->unload = false;
	if (v->run == VCPU_RUNNABLE)
		sched_ask(credit_place(&p->credit, &v->credit, cpu_counter()));
}

/* Asks the policy; pool locked. NULL: nothing to run. */
static struct vcpu *choose(struct cpu *c, struct pool *p, uint64_t *until)
{
	for (;;) {
		struct credit_vcpu *was = p->credit.cpu[c->id].running, *next;
		enum credit_previous previous =
			was != NULL ? previous_of(vcpu_of(was)) : CREDIT_GONE;
		struct vcpu *v;

		next = credit_next(&p->credit, c->id, previous, cpu_counter(), until);
		if (was != NULL && next != was) {
			stop_clock(vcpu_of(was));
			if (vcpu_of(was) != c->vcpu)
				put_back(p, vcpu_of(was));
		}
		if (next == NULL)
			return NULL;
		v = vcpu_of(next);
		__atomic_store_n(&v->cpu, c, __ATOMIC_RELAXED);
		bits_clear32(&v->work, WORK_STOP);
		__atomic_store_n(&v->run, VCPU_RUNNING, __ATOMIC_RELEASE);
		__atomic_thread_fence(
			__ATOMIC_SEQ_CST); /* before v->work and the rest are looked at */
		if (is_runnable(v)) {	   /* else it was paused while it waited */
			next->loaded = (int8_t)c->id;
			sched_count(v, RUN_RUNNING);
			return v;
		}
	}
}

/* This CPU shall not keep the registers of what it ran last. */
static bool must_unload(const struct cpu *c)
{
	struct vcpu *v = c->vcpu;

	return v != NULL && v->run != VCPU_RUNNING &&
	       (v->unload || v->stopping ||
		v->run == VCPU_RUNNABLE /* it waits for another CPU */ ||
		ATOMIC_READ(c->unwanted) || v->domain->pool != c->pool ||
		!(v->credit.hard >> c->id & 1));
}

static void idle_once(struct cpu *c)
{
	ATOMIC_WRITE(c->idle_since, cpu_counter());
	cpu_wait();
	ATOMIC_WRITE(c->idle_ticks, c->idle_ticks + cpu_counter() - c->idle_since);
	ATOMIC_WRITE(c->idle_since, 0);
	irq_dispatch();
}

/* This CPU's pool, locked, and the CPU is one of it; NULL: it is in none. A CPU that shall leave (it is no longer one of the
 * members) does so here, when nothing runs on it any more. */
static struct pool *pool_of(struct cpu *c)
{
	struct pool *p = pool_lock(&c->pool);

	if (p == NULL)
		return NULL;
	if (p->members >> c->id & 1) {
		if (!(p->credit.cpus >> c->id & 1))
			credit_cpu_join(&p->credit, c->id);
	} else if (p->credit.cpu[c->id].running == NULL) {
		__atomic_store_n(&c->pool, NULL, __ATOMIC_RELEASE);
		lock_drop(&p->lock);
		return NULL;
	}
	return p;
}

/* An interrupt that comes during a switch does not wait for its end. True: now the policy may choose another one; but not again and
 * again, so that a storm of them keeps nobody from running. */
static bool interrupted(struct cpu *c, unsigned *times)
{
	if (!cpu_interrupt_pending() || ++*times > 4)
		return false;
	c->asked = false;
	irq_dispatch();
	return c->asked;
}

/* Waits until there is something to run, and makes it the one that this CPU goes to. */
static struct vcpu *schedule(struct cpu *c, struct frame *f)
{
	struct vcpu *next;
	unsigned interrupts = 0;

	for (;;) {
		struct pool *p = pool_of(c);
		uint64_t until = CREDIT_NEVER;

		next = p != NULL ? choose(c, p, &until) : NULL;
		if (p != NULL)
			lock_drop(&p->lock);
		if (next != NULL && interrupted(c, &interrupts))
			continue;
		if (c->vcpu != NULL && c->vcpu != next && (next != NULL || must_unload(c))) {
			unload(c, f);
			if (next != NULL && interrupted(c, &interrupts))
				continue;
		}
		if (p != NULL && next == NULL && !(p->members >> c->id & 1))
			continue; /* once more, to leave it */
		if (until != CREDIT_NEVER)
			timer_set(&c->slice, until);
		else if (c->slice.cpu != NULL)
			timer_cancel(&c->slice);
		if (next != NULL)
			break;
		if (c->vcpu == NULL)
			cpu_power_leave(c);
		idle_once(c);
	}
	if (next->wake_at != CREDIT_NEVER || next != c->vcpu) {
		timer_cancel(&next->sleep);
		next->wake_at = CREDIT_NEVER;
	}
	if (next != c->vcpu)
		load(c, next, f);
	return next;
}

void vcpu_work(struct vcpu *v, struct frame *f)
{
	uint32_t work;

	while ((work = ATOMIC_READ(v->work)) != 0) {
		if (work & WORK_STOP) {
			if (v == &nobody)
				cpu_this()->vcpu = NULL;
			v = schedule(cpu_this(), f);
		} else if (work & WORK_TIMER) {
			bits_clear32(&v->work, WORK_TIMER);
			sched_hooks->timer(v);
		} else {
			bits_clear32(&v->work, WORK_IRQ | WORK_VGIC);
			sched_hooks->enter(v);
		}
	}
}

RARE void sched_run(void)
{
	struct cpu *c = cpu_this();

	c->slice = (struct timer){.fire = slice_over, .arg = c};
	ATOMIC_WRITE(nobody.work, WORK_STOP);
	c->vcpu = &nobody;
	guest_enter((struct frame *)(c->boot_stack - sizeof(struct frame)));
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */
static RARE int sched_vcpu_create(struct vcpu *v)
{
	struct pool *p = pool_lock(&v->domain->pool);

	v->counted = RUN_OFFLINE;
	v->counted_since = cpu_counter();
	credit_vcpu_init(&v->credit, &v->domain->credit, v->cpu->id);
	credit_rehome(&p->credit, &v->credit);
	v->sleep = (struct timer){.fire = sleep_over, .arg = v};
	v->wake_at = CREDIT_NEVER;
	lock_drop(&p->lock);
	return 0;
}

UNIT(sched_unit) = {
	.name = "sched",
	.vcpu_create = sched_vcpu_create,
};
