/* EL2's own memory. Virtual layout (48 bits, one table set for all CPUs):
 *   0x0000800000000000  the image: text RX, rodata R, data and bss RW
 *   0x0000900000000000  direct map: RAM, at pa + this, RW, never executable, in blocks of 1 GiB, 2 MiB, 4 KiB
 *   0x0000a00000000000  devices (nGnRE) and the boot device tree, page by page, a hole after each
 *   0x0000b00000000000  one 64 KiB slot for each CPU: guard pages, then 32 KiB of stack */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H
#include "lib/types.h"

#define MMU_IMAGE  0x0000800000000000UL
#define MMU_DIRECT 0x0000900000000000UL
#define MMU_DEVICE 0x0000a00000000000UL
#define MMU_STACKS 0x0000b00000000000UL

#ifdef __aarch64__
/* Hypervisor's pointer to RAM, and back. Only for addresses in RAM (page_of() != NULL). */
static inline void *pa_to_va(pa_t pa)
{
	return (void *)(pa.raw + MMU_DIRECT);
}
static inline pa_t va_to_pa(const void *va)
{
	return PA((uint64_t)va - MMU_DIRECT);
}
#else /* host tests: the fake machine's RAM is an array */
void *pa_to_va(pa_t pa);
pa_t va_to_pa(const void *va);
#endif

/* Machine address of something in the image (text, data, bss). */
pa_t mmu_image_pa(const void *in_image);
/* Maps a device's registers RW nGnRE, for good; page granular. Boot only. Panics when the tables are full. */
void *mmu_map_device(pa_t pa, size_t size);
/* Any of the range was mapped so: no guest may have it. */
bool mmu_is_own_device(pa_t pa, uint64_t size);
/* Maps RAM read-only somewhere in the device window: what must be read before the direct map exists (the device tree). */
const void *mmu_map_readonly(pa_t pa, size_t size);
/* Adds RAM to the direct map, 4 KiB granular, biggest blocks that fit. Boot only. */
void mmu_map_direct(pa_t pa, size_t size);
/* Gives this CPU its stack with guard pages; returns its top. Boot only. */
void *mmu_map_stack(unsigned cpu, pa_t memory, size_t size);
/* What the tables took so far, in bytes. */
size_t mmu_table_bytes(void);

/* Zeroes whole pages of RAM, a cache line at a time where the CPU can. */
void memory_clear(void *va, size_t size);
/* Both at once: zeroes, and in memory below the caches too. */
void memory_clear_clean(void *va, size_t size);
/* Cleans the range to the point of coherency (a guest with caches off, or a device, will read it) / also drops the lines. */
void cache_clean(const void *va, size_t size);
void cache_clean_invalidate(const void *va, size_t size);
/* After writing instructions: clean to PoU and drop all instruction caches of the inner shareable domain. */
void cache_instructions(const void *va, size_t size);

#endif
