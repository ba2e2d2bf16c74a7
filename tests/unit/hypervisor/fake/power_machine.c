#include "fake/power_machine.h"
#include "core/memory.h"
#include "lib/errno.h"

uint64_t fake_mapped[64];
unsigned fake_mapped_by[64];
int fake_unmap_error;

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

unsigned fake_timer_run(unsigned most)
{
	unsigned n = 0;

	while (fake_timer && n < most) {
		struct timer *t = fake_timer;

		fake_timer = NULL;
		t->fire(t->arg);
		n++;
	}
	return n;
}
