#include "fake/power_machine.h"
#include "arch/psci.h"
#include "core/irq.h"
#include "core/memory.h"
#include "fake/machine.h"
#include "lib/errno.h"

uint64_t fake_mapped[64];
unsigned fake_mapped_by[64];
int fake_unmap_error;
int fake_affinity[MAX_CPUS];

int psci_affinity(uint64_t mpidr)
{
	return mpidr < cpu_count ? fake_affinity[mpidr] : -2; /* INVALID_PARAMETERS */
}

bool fake_is_mapped(unsigned domain, uint64_t base)
{
	for (unsigned i = 0; i < ARRAY_SIZE(fake_mapped); i++)
		if (fake_mapped[i] == base && fake_mapped_by[i] == domain)
			return true;
	return false;
}

int memory_map_device(struct domain *d, ipa_t ipa, pa_t pa, uint64_t size)
{
	if ((ipa.raw | pa.raw | size) % PAGE_SIZE)
		return -EINVAL;
	for (unsigned i = 0; i < ARRAY_SIZE(fake_mapped); i++)
		if (fake_mapped[i] == 0) {
			fake_mapped[i] = pa.raw;
			fake_mapped_by[i] = d->id;
			return 0;
		}
	return -ENOMEM;
}

int memory_unmap_range(struct domain *d, ipa_t ipa, uint64_t size)
{
	int error = (ipa.raw | size) % PAGE_SIZE ? -EINVAL : fake_unmap_error;

	fake_unmap_error = 0;
	for (unsigned i = 0; error == 0 && i < ARRAY_SIZE(fake_mapped); i++)
		if (fake_mapped[i] == ipa.raw && fake_mapped_by[i] == d->id)
			fake_mapped[i] = 0;
	return error;
}

bool fake_timer_is_set(void)
{
	for (unsigned i = 0; i < FAKE_TIMERS; i++)
		if (fake_timers[i])
			return true;
	return false;
}

unsigned fake_timer_run(unsigned most)
{
	static unsigned at; /* in turns, or one that sets itself again would be the only one */
	unsigned n = 0;

	while (n < most && fake_timer_is_set()) {
		struct timer *t = fake_timers[at % FAKE_TIMERS];

		fake_timers[at++ % FAKE_TIMERS] = NULL;
		if (!t)
			continue;
		t->cpu = NULL;
		t->fire(t->arg);
		n++;
	}
	return n;
}

int irq_unroute_guest(unsigned intid, struct domain *d)
{
	d->irqs[intid / 32] &= ~(1u << intid % 32);
	return 0;
}
