/* What runs with the MMU off, at the machine address where the image lies: builds the tables with which it goes on. Reaches
 * everything relative to the program counter; holds no pointers in data. */
#include "early.h"
#include "arch/mmu.h"
#include "boards/board.h"

extern const char image_begin[], text_end[], rodata_end[], image_end[];

/* Tables of level 0 to 3. The boot root has an identity mapping of the image beside it; the main root has not. */
uint64_t boot_root[512] __attribute__((aligned(4096)));
uint64_t mmu_root[512] __attribute__((aligned(4096)));
static uint64_t image_l1[512] __attribute__((aligned(4096)));
static uint64_t image_l2[512] __attribute__((aligned(4096)));
static uint64_t image_l3[512] __attribute__((aligned(4096)));
static uint64_t identity_l1[512] __attribute__((aligned(4096)));
static uint64_t identity_l2[512] __attribute__((aligned(4096)));
static uint64_t identity_l3[2][512] __attribute__((aligned(4096)));
uint64_t mmu_root_pa;
uint64_t mmu_image_base; /* machine address of image_begin */

void early_tables(void)
{
	uint64_t begin = (uint64_t)image_begin, size = (uint64_t)(image_end - image_begin);

	mmu_image_base = begin;
	mmu_root_pa = (uint64_t)mmu_root;
	boot_root[MMU_IMAGE >> 39 & 511] = (uint64_t)image_l1 | PTE_TABLE;
	mmu_root[MMU_IMAGE >> 39 & 511] = (uint64_t)image_l1 | PTE_TABLE;
	image_l1[0] = (uint64_t)image_l2 | PTE_TABLE;
	image_l2[0] = (uint64_t)image_l3 | PTE_TABLE;
	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		uint64_t pte = begin + at + PTE_PAGE_NORMAL;

		if (begin + at < (uint64_t)text_end)
			pte |= PTE_READ_ONLY;
		else if (begin + at < (uint64_t)rodata_end)
			pte |= PTE_READ_ONLY | PTE_NO_EXECUTE;
		else
			pte |= PTE_NO_EXECUTE;
		image_l3[at >> 12] = pte;
	}
	/* identity, text only: read-only and executable. It may cross one border of 2 MiB; of 1 GiB only if the loader is odd */
	boot_root[begin >> 39 & 511] = (uint64_t)identity_l1 | PTE_TABLE;
	identity_l1[begin >> 30 & 511] = (uint64_t)identity_l2 | PTE_TABLE;
	identity_l2[begin >> 21 & 511] = (uint64_t)identity_l3[0] | PTE_TABLE;
	identity_l2[((begin >> 21) + 1) & 511] = (uint64_t)identity_l3[1] | PTE_TABLE;
	for (uint64_t pa = begin; pa < (uint64_t)text_end; pa += PAGE_SIZE)
		identity_l3[(pa >> 21) != (begin >> 21)][pa >> 12 & 511] = pa | PTE_PAGE_NORMAL | PTE_READ_ONLY;
	/* the word after the jump reads mmu_root_pa through the image's mapping */
}

void early_wrong_level(const void *fdt)
{
	const struct board *b = board_find(fdt, MIB(2));
	struct board unknown;

	if (b == NULL && board_uart_of_tree(fdt, MIB(2), &unknown))
		b = &unknown;
	if (b != NULL)
		early_puts(b, (volatile void *)b->uart_base,
			   "domus: started at EL1 (or EL3), but a hypervisor needs EL2. On QEMU: -M virt,virtualization=on\n");
	for (;;)
		asm volatile("wfi");
}
