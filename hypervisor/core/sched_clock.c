/* The clocks of a vCPU's states, which the guest may read in its runstate_info. */
#include "core/sched_clock.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/bits.h"
#include "lib/string.h"

uint64_t sched_run_ns(const struct vcpu *v)
{
	uint64_t since = ATOMIC_READ(v->counted_since), ticks = ATOMIC_READ(v->ticks[RUN_RUNNING]);

	return time_ns_of_ticks(ticks + (v->counted == RUN_RUNNING ? cpu_counter() - since : 0));
}

static void tell(const struct vcpu *v, const struct runstate_info *info)
{
	memcpy(v->told[0], info, v->told_first);
	if (v->told_first < sizeof(*info))
		memcpy(v->told[1], (const char *)info + v->told_first,
		       sizeof(*info) - v->told_first);
}

/* Other vCPUs of the guest may be reading it. */
static RARE void tell_all(const struct vcpu *v)
{
	struct runstate_info info = {.state = v->counted, .since = time_ns_of(v->counted_since)};

	for (unsigned i = 0; i < RUN_STATES; i++)
		info.time[i] = time_ns_of_ticks(v->ticks[i]);
	if (v->domain->runstate_flag) {
		info.since |= BIT(63);
		tell(v, &info);
		cpu_barrier_store();
		info.since &= ~BIT(63);
	}
	tell(v, &info);
}

void sched_count(struct vcpu *v, enum runstate as)
{
	uint64_t now = cpu_counter();

	if (v->counted == as)
		return;
	ATOMIC_WRITE(v->ticks[v->counted], v->ticks[v->counted] + now - v->counted_since);
	ATOMIC_WRITE(v->counted_since, now);
	v->counted = as;
	if (v->told[0] != NULL)
		tell_all(v);
}

RARE void sched_tell(struct vcpu *v, void *const at[2], uint32_t first)
{
	struct pool *p = pool_lock(&v->domain->pool);

	v->told[0] = at[0];
	v->told[1] = at[1];
	v->told_first = first;
	if (at[0] != NULL)
		tell_all(v);
	lock_drop(&p->lock);
}
