/* What early.c leaves for mmu.c, and the bits of EL2's stage 1 descriptors (Arm ARM D8.3). */
#ifndef ARCH_ARM64_EARLY_H
#define ARCH_ARM64_EARLY_H
#include "lib/types.h"

#define PTE_TABLE	 3UL
#define PTE_BLOCK	 1UL
#define PTE_PAGE	 3UL
#define PTE_AF		 (1UL << 10)
#define PTE_INNER	 (3UL << 8)
#define PTE_RES1	 (1UL << 6) /* AP[1] */
#define PTE_READ_ONLY	 (1UL << 7)
#define PTE_NO_EXECUTE	 (1UL << 54)
#define PTE_DEVICE	 (1UL << 2) /* MAIR index 1 */
#define PTE_NORMAL_ATTRS (PTE_AF | PTE_INNER | PTE_RES1)
#define PTE_PAGE_NORMAL	 (PTE_PAGE | PTE_NORMAL_ATTRS)
#define PTE_ADDRESS	 0x0000fffffffff000UL

extern uint64_t boot_root[512], mmu_root[512];
extern uint64_t mmu_root_pa, mmu_image_base;

/* Entry points of entry.S with the MMU off. */
void early_tables(void);
void early_wrong_level(const void *fdt) __attribute__((noreturn));

#endif
