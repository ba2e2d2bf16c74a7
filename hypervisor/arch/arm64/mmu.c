/* EL2's stage 1 after the start: direct map, devices, stacks. Boot only, one CPU: no locks. */
#include "arch/mmu.h"
#include "early.h"
#include "lib/print.h"
#include "lib/string.h"
#include "sysreg.h"

#define POOL_TABLES 40
static uint64_t pool[POOL_TABLES][512] __attribute__((aligned(4096)));
static unsigned pool_used;
static uint64_t device_next = MMU_DEVICE;

pa_t mmu_image_pa(const void *in_image)
{
	return PA((uint64_t)in_image - MMU_IMAGE + mmu_image_base);
}

static uint64_t *table_below(uint64_t *entry)
{
	if (*entry == 0) {
		if (pool_used == POOL_TABLES)
			panic("the memory map of this machine needs more than %d page tables", POOL_TABLES);
		*entry = mmu_image_pa(pool[pool_used++]).raw | PTE_TABLE;
	}
	ASSERT((*entry & 3) == PTE_TABLE);
	return (uint64_t *)((*entry & PTE_ADDRESS) - mmu_image_base + MMU_IMAGE);
}

/* Fills [va, va+size) with the biggest blocks that fit (never bigger than `largest`). The range was not mapped before, so no TLB has to be told. */
static void map(uint64_t va, uint64_t pa, uint64_t size, uint64_t attrs, uint64_t largest)
{
	while (size > 0) {
		uint64_t *table = mmu_root, step;
		unsigned shift = 39;

		for (;; shift -= 9) {
			step = 1UL << shift;
			if (shift == 12 || (step <= largest && (va | pa) % step == 0 && size >= step))
				break;
			table = table_below(&table[va >> shift & 511]);
		}
		ASSERT(table[va >> shift & 511] == 0);
		table[va >> shift & 511] = pa | attrs | (shift == 12 ? PTE_PAGE : PTE_BLOCK);
		va += step;
		pa += step;
		size = size > step ? size - step : 0;
	}
	asm volatile("dsb ishst; isb" ::: "memory");
}

/* A window of its own for [pa, pa+size), page granular, with a hole behind it. A big one lies as the machine's addresses do, so
 * that blocks fit. */
static void *map_window(pa_t pa, size_t size, uint64_t attrs)
{
	uint64_t skip = pa.raw & PAGE_MASK, length = ALIGN_UP(skip + size, PAGE_SIZE), va = device_next;

	if (length >= MIB(2))
		va = ALIGN_UP(va, MIB(2)) + (pa.raw - skip) % MIB(2);
	map(va, pa.raw - skip, length, attrs, MIB(2));
	device_next = va + length + PAGE_SIZE;
	return (void *)(va + skip);
}

static struct {
	uint64_t base, end;
} own_devices[16];

void *mmu_map_device(pa_t pa, size_t size)
{
	unsigned i = 0;

	while (i < ARRAY_SIZE(own_devices) && own_devices[i].end != 0)
		i++;
	if (i == ARRAY_SIZE(own_devices))
		panic("more than %zu devices are the hypervisor's", ARRAY_SIZE(own_devices));
	own_devices[i].base = ALIGN_DOWN(pa.raw, PAGE_SIZE);
	own_devices[i].end = ALIGN_UP(pa.raw + size, PAGE_SIZE);
	return map_window(pa, size, PTE_AF | PTE_RES1 | PTE_DEVICE | PTE_NO_EXECUTE);
}

bool mmu_is_own_device(pa_t pa, uint64_t size)
{
	for (unsigned i = 0; i < ARRAY_SIZE(own_devices); i++)
		if (pa.raw < own_devices[i].end && own_devices[i].base < pa.raw + size)
			return true;
	return false;
}

const void *mmu_map_readonly(pa_t pa, size_t size)
{
	return map_window(pa, size, PTE_NORMAL_ATTRS | PTE_READ_ONLY | PTE_NO_EXECUTE);
}

void mmu_map_direct(pa_t pa, size_t size)
{
	map(MMU_DIRECT + pa.raw, pa.raw, size, PTE_NORMAL_ATTRS | PTE_NO_EXECUTE, GIB(1));
}

/* 32 KiB apart, 16 KiB in the upper half: a good stack pointer has bit 14 set, entry.S tests that. */
void *mmu_map_stack(unsigned cpu, pa_t memory, size_t size)
{
	uint64_t top = MMU_STACKS + (cpu + 1) * KIB(32);

	ASSERT(size <= KIB(16));
	map(top - size, memory.raw, size, PTE_NORMAL_ATTRS | PTE_NO_EXECUTE, PAGE_SIZE);
	return (void *)top;
}

size_t mmu_table_bytes(void)
{
	return sizeof(pool);
}

static uint64_t line_size(void)
{
	return 4UL << (sysreg_read(ctr_el0) >> 16 & 15);
}

/* DC ZVA (Arm ARM D7.2): DCZID_EL0.DZP forbids it, BS is the block's size in words. 0: not to be used. */
static uint64_t zero_size(void)
{
	uint64_t id = sysreg_read(dczid_el0), size = 4UL << (id & 15);

	return (id & 1UL << 4) != 0 || size > PAGE_SIZE ? 0 : size;
}

void memory_clear(void *va, size_t size)
{
	uint64_t step = zero_size(), at = (uint64_t)va, end = at + size;

	if (step == 0) {
		memset(va, 0, size);
		return;
	}
	for (; at < end; at += step)
		asm volatile("dc zva, %0" ::"r"(at) : "memory");
}

void cache_clean(const void *va, size_t size)
{
	uint64_t line = line_size(), at = ALIGN_DOWN((uint64_t)va, line);

	for (; at < (uint64_t)va + size; at += line)
		asm volatile("dc cvac, %0" ::"r"(at) : "memory");
	asm volatile("dsb sy" ::: "memory");
}

void memory_clear_clean(void *va, size_t size)
{
	uint64_t step = zero_size(), at = (uint64_t)va, end = at + size;

	if (step != line_size() || step > PAGE_SIZE / 8) {
		memory_clear(va, size);
		cache_clean(va, size);
		return;
	}
	/* a domain's creation is mostly this loop: eight lines at a time */
	while (at < end) /* NOLINT(bugprone-infinite-loop): the assembly moves `at` on */
		asm volatile(".rept 8; dc zva, %0; dc cvac, %0; add %0, %0, %1; .endr"
			     : "+r"(at)
			     : "r"(step)
			     : "memory");
	asm volatile("dsb sy" ::: "memory");
}

void cache_clean_invalidate(const void *va, size_t size)
{
	uint64_t line = line_size(), at = ALIGN_DOWN((uint64_t)va, line);

	for (; at < (uint64_t)va + size; at += line)
		asm volatile("dc civac, %0" ::"r"(at) : "memory");
	asm volatile("dsb sy" ::: "memory");
}

void cache_instructions(const void *va, size_t size)
{
	cache_clean(va, size);
	asm volatile("ic ialluis; dsb ish; isb" ::: "memory");
}
