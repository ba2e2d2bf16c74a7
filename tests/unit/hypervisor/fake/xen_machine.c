/* What xen/ needs of the lower floors, for the host tests: a guest whose virtual memory is FAKE_GUEST_SIZE bytes at
 * FAKE_GUEST; everything else of its address space faults. */
#include "fake/xen_machine.h"
#include "arch/guest_va.h"
#include "core/console.h"
#include "core/cpu_power.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/pool.h"
#include "core/sched.h"
#include "core/time.h"
#include "lib/errno.h"
#include "lib/string.h"
#include <stdlib.h>

_Alignas(4096) uint8_t fake_guest[FAKE_GUEST_SIZE];
struct options options = {.line = "dom0_mem=1G", .xen_minor = 20};
uint64_t time_frequency = 62500000, time_boot;
static struct page any_page;
long fake_references;

bool guest_va_translate(gva_t va, bool write, pa_t *out)
{
	(void)write;
	if (va.raw < FAKE_GUEST || va.raw >= FAKE_GUEST + FAKE_GUEST_SIZE)
		return false;
	*out = va_to_pa(&fake_guest[va.raw - FAKE_GUEST]);
	return true;
}
struct page *page_of(pa_t pa)
{
	(void)pa;
	return &any_page;
}
uint16_t fake_owner = 1;
uint16_t page_owner(const struct page *p)
{
	(void)p;
	return fake_owner;
}
unsigned long fake_cleaned, fake_invalidated; /* bytes */
void cache_clean(const void *va, size_t size)
{
	(void)va;
	fake_cleaned += size;
}
void cache_clean_invalidate(const void *va, size_t size)
{
	(void)va;
	fake_invalidated += size;
}
bool page_get(struct page *p, uint16_t owner)
{
	(void)p;
	(void)owner;
	fake_references++;
	return true;
}
void page_put(struct page *p)
{
	(void)p;
	fake_references--;
}
void page_share(void *va, struct domain *d)
{
	(void)va;
	(void)d;
}
uint64_t page_total(void)
{
	return 1000;
}
uint64_t page_free_count(void)
{
	return 500;
}
pa_t page_highest(void)
{
	return PA(GIB(1));
}
unsigned stage2_address_bits(void)
{
	return 40;
}
/* Frame numbers of the guest are those of its virtual memory. */
int memory_frame_get(struct domain *d, ipa_t ipa, bool write, pa_t *pa, struct page **page)
{
	(void)d;
	*page = &any_page;
	if (!guest_va_translate(GVA(ipa.raw), write, pa))
		return -EFAULT;
	fake_references++;
	return 0;
}
/* Where granted pages are mapped: a few, the same for all domains. */
static struct {
	uint64_t ipa, pa; /* pa 0: free */
} grants[64];

void fake_grants_forget(void)
{
	memset(grants, 0, sizeof(grants));
}
int memory_unmap_grant(struct domain *d, ipa_t ipa, pa_t pa)
{
	(void)d;
	for (unsigned i = 0; i < ARRAY_SIZE(grants); i++)
		if (grants[i].pa == pa.raw && grants[i].ipa == ipa.raw) {
			grants[i].pa = 0;
			fake_references--;
			return 0;
		}
	return -EINVAL;
}
unsigned fake_lookups;
enum stage2_kind fake_kind = STAGE2_RAM;
struct stage2_entry memory_lookup(struct domain *d, ipa_t ipa)
{
	(void)d;
	fake_lookups++;
	return (struct stage2_entry){.pa = PA(ipa.raw), .kind = fake_kind};
}
int memory_unmap_page(struct domain *d, ipa_t ipa)
{
	for (unsigned i = 0; i < ARRAY_SIZE(grants); i++)
		if (grants[i].pa && grants[i].ipa == ipa.raw)
			return memory_unmap_grant(d, ipa, PA(grants[i].pa));
	return -EINVAL;
}
int memory_map_page(struct domain *d, ipa_t ipa, pa_t pa, enum stage2_kind kind)
{
	if (pa.raw % PAGE_SIZE)
		return -EINVAL;
	if (kind != STAGE2_GRANT_RO && kind != STAGE2_GRANT_RW)
		return 0;
	(void)memory_unmap_page(d, ipa);
	for (unsigned i = 0; i < ARRAY_SIZE(grants); i++)
		if (!grants[i].pa) {
			grants[i].ipa = ipa.raw;
			grants[i].pa = pa.raw;
			return 0;
		}
	return -ENOMEM;
}
uint64_t fake_memory_end = ~0ul;
long fake_populated;
int memory_populate(struct domain *d, ipa_t ipa, unsigned order)
{
	(void)d;
	if (order > 9 || ipa.raw >= fake_memory_end)
		return -ENOMEM;
	fake_populated += 1l << order;
	return 0;
}
int memory_relinquish(struct domain *d)
{
	(void)d;
	return 0;
}
void memory_compact(struct domain *d)
{
	(void)d;
}
void memory_cache_flush(struct domain *d, ipa_t *ipa, uint64_t end)
{
	(void)d;
	ipa->raw = end;
}
bool page_range_is_device(pa_t base, uint64_t size)
{
	return base.raw >= 0x9000000 && base.raw + size <= 0x9100000;
}
int memory_decrease(struct domain *d, ipa_t ipa, unsigned order)
{
	(void)d;
	if (order > 9 || ipa.raw % PAGE_SIZE)
		return -EINVAL;
	fake_populated -= 1l << order;
	return 0;
}
int irq_take(unsigned intid, struct domain *d)
{
	(void)d;
	return intid == 34 ? -EBUSY : 0;
}
int irq_give_back(unsigned intid, struct domain *d)
{
	(void)d;
	return intid == 34 ? -EINVAL : 0;
}
pa_t mmu_image_pa(const void *in_image)
{
	return va_to_pa(in_image);
}
uint64_t time_ns(void)
{
	return 1000;
}
uint64_t time_ns_of_ticks(uint64_t ticks)
{
	return ticks * 16;
}
uint64_t time_ticks_of_ns(uint64_t ns)
{
	return ns / 16;
}
uint64_t cpu_idle_ticks(const struct cpu *c)
{
	(void)c;
	return 5;
}
unsigned cpu_online_count(void)
{
	return cpu_count;
}
int sched_set_affinity(struct vcpu *v, uint32_t hard, uint32_t soft)
{
	v->credit.hard = hard;
	v->credit.soft = soft;
	return hard & v->domain->pool->members ? 0 : -EINVAL;
}
int sched_set_domain(struct domain *d, unsigned weight, unsigned cap)
{
	d->credit.weight = (uint16_t)weight;
	d->credit.cap = (uint16_t)cap;
	return weight ? 0 : -EINVAL;
}
void sched_ask(int cpu)
{
	(void)cpu;
}
void cpu_power_update(void)
{
}
bool sched_retire(struct vcpu *v)
{
	(void)v;
	return true;
}
bool sched_parked(struct vcpu *v)
{
	(void)v;
	return true;
}
void vcpu_state_save(struct vcpu_state *s)
{
	(void)s;
}
uint64_t sched_run_ns(const struct vcpu *v)
{
	return v->ticks[RUN_RUNNING] * 16;
}
void sched_tell(struct vcpu *v, void *const at[2], uint32_t first)
{
	v->told[0] = at[0];
	v->told[1] = at[1];
	v->told_first = first;
}
void sched_yield(struct vcpu *v)
{
	(void)v;
}
char fake_console[1024];
size_t fake_console_length;
bool fake_console_full;
bool console_write(const char *text, size_t length)
{
	if (fake_console_full)
		return false;
	for (size_t i = 0; i < length; i++, fake_console_length++) /* every byte is there to be read */
		fake_console[fake_console_length % sizeof(fake_console)] = text[i];
	return true;
}
void console_finish(void)
{
}
size_t console_read(char *to, size_t size)
{
	memset(to, 'x', size);
	return size;
}
void console_on_input(void (*notify)(void))
{
	(void)notify;
}
uint32_t console_ring_read(uint32_t *index, char *to, uint32_t size)
{
	uint32_t n = *index < 1000 ? 1000 - *index : 0;

	n = n < size ? n : size;
	memset(to, 'r', n);
	*index += n;
	return n;
}
uint32_t console_ring_start(void)
{
	return 0;
}
void console_ring_clear(void)
{
}
size_t string_copy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);

	memcpy(to, from, n < size ? n : size - 1);
	to[n < size ? n : size - 1] = 0;
	return n;
}
