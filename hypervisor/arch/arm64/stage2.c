/* Stage 2 tables (Arm ARM D8.2, D8.3). 4 KiB granule, start at level 1, up to two concatenated tables: 40 address bits. */
#include "arch/stage2.h"
#include "arch/mmu.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "sysreg.h"

#define VALID	   1UL
#define TABLE	   3UL
#define ADDRESS	   0x0000fffffffff000UL
#define KIND_SHIFT 55

static unsigned level_shift(unsigned level)
{
	return 12 + 9 * (3 - level);
}

unsigned stage2_address_bits(void)
{
	static const uint8_t bits[] = {32, 36, 40};
	uint64_t range = sysreg_read(id_aa64mmfr0_el1) & 15;

	return range < ARRAY_SIZE(bits) ? bits[range] : 40;
}

/* Attributes: AF, S2AP, shareability, memory type, XN, and our kind in the software bits. */
static uint64_t attributes(enum stage2_kind kind)
{
	uint64_t normal = 0xfUL << 2, device = 1UL << 2, rw = 3UL << 6, ro = 1UL << 6,
		 inner = 3UL << 8, outer = 2UL << 8;
	uint64_t af = 1UL << 10, xn = 1UL << 54, k = (uint64_t)kind << KIND_SHIFT;

	switch (kind) {
	case STAGE2_RAM:
		return k | af | normal | rw | inner;
	case STAGE2_MMIO:
		return k | af | normal | rw | outer | xn;
	case STAGE2_MMIO_STRICT:
		return k | af | device | rw | outer | xn;
	case STAGE2_GRANT_RO:
		return k | af | normal | ro | inner | xn;
	default:
		return k | af | normal | rw | inner | xn;
	}
}

/* TLB entries are tagged with the VMID of VTTBR_EL2, so it has to be this domain's for a moment. */
static void tlb_flush(const struct stage2 *s)
{
	uint64_t loaded = sysreg_read(vttbr_el2);

	asm volatile("dsb ishst" ::: "memory");
	if (loaded != s->vttbr) {
		sysreg_write(vttbr_el2, s->vttbr);
		isb();
	}
	asm volatile("tlbi vmalls12e1is; dsb ish; isb" ::: "memory");
	if (loaded != s->vttbr) {
		sysreg_write(vttbr_el2, loaded);
		isb();
	}
}

int stage2_create(struct stage2 *s, uint16_t vmid)
{
	pa_t root = s->table_alloc_pair();

	if (root.raw == 0)
		return -ENOMEM;
	s->root = root;
	s->vmid = vmid;
	s->tables = 2;
	s->tables_max = UINT32_MAX;
	s->vttbr = (uint64_t)vmid << 48 | root.raw;
	return 0;
}

static void free_below(struct stage2 *s, uint64_t entry, unsigned level)
{
	uint64_t *table = pa_to_va(PA(entry & ADDRESS));

	/* a table of level 2 has tables of level 3 below it; those have nothing */
	for (unsigned i = 0; level == 2 && i < 512; i++)
		if ((table[i] & 3) == TABLE) {
			s->table_free(PA(table[i] & ADDRESS));
			s->tables--;
		}
	s->table_free(PA(entry & ADDRESS));
	s->tables--;
}

void stage2_destroy(struct stage2 *s)
{
	uint64_t *root = pa_to_va(s->root);

	for (unsigned i = 0; i < 1024; i++)
		if (root[i] & (TABLE & ~VALID)) /* retired or not */
			free_below(s, root[i], 2);
	tlb_flush(s);
	s->table_free_pair(s->root);
}

/* Writes an entry of `level`, break-before-make when it was valid, and frees what hung below the old one. */
static void entry_set(struct stage2 *s, uint64_t *entry, uint64_t value, unsigned level)
{
	uint64_t old = *entry;

	if (old & VALID) {
		__atomic_store_n(entry, 0, __ATOMIC_RELAXED);
		tlb_flush(s);
		if (level < 3 && (old & 3) == TABLE)
			free_below(s, old, level + 1);
	}
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* The table below a valid block or an empty entry: made, with the same meaning. NULL: no memory. */
static uint64_t *table_make(struct stage2 *s, uint64_t *entry, unsigned level)
{
	uint64_t *table, old = *entry, step = 1UL << level_shift(level + 1);
	pa_t pa = s->tables < s->tables_max ? s->table_alloc() : PA(0);

	if (pa.raw == 0)
		return NULL;
	s->tables++;
	table = pa_to_va(pa);
	if (old & VALID) {
		for (uint64_t i = 0; i < 512; i++)
			table[i] = (old & ~3UL) + i * step + (level + 1 == 3 ? 3 : 1);
	}
	/* the walker sees the table's content before the entry that leads to it */
	asm volatile("dsb ishst" ::: "memory");
	entry_set(s, entry, pa.raw | TABLE, level);
	return table;
}

/* Sets [ipa, ipa+size) to pa.. with `attrs`, or to nothing when attrs is 0. */
static int range_set(struct stage2 *s, uint64_t ipa, uint64_t pa, uint64_t size, uint64_t attrs)
{
	uint64_t limit = 1UL << stage2_address_bits();
	bool unmapped = false; /* and the TLBs do not know it yet */
	int error = 0;

	if (((ipa | pa | size) & PAGE_MASK) != 0 || ipa >= limit || size > limit - ipa)
		return -EINVAL;
	while (size > 0) {
		uint64_t *table = pa_to_va(s->root), *entry, span;
		unsigned level = 1;

		for (;; level++) {
			span = 1UL << level_shift(level);
			entry = &table[level == 1 ? ipa >> 30 : ipa >> level_shift(level) & 511];
			if (level == 3 ||
			    ((ipa | (attrs != 0 ? pa : 0)) % span == 0 && size >= span))
				break;
			if (attrs == 0 && !(*entry & VALID)) { /* a hole already: on to its end */
				span -= ipa % span;
				entry = NULL;
				break;
			}
			table = (*entry & 3) == TABLE ? pa_to_va(PA(*entry & ADDRESS))
						      : table_make(s, entry, level);
			if (table == NULL) {
				error = -ENOMEM;
				break;
			}
		}
		if (error != 0)
			break;
		if (entry != NULL && attrs == 0 && level == 3) {
			unmapped |= (*entry & VALID) != 0;
			__atomic_store_n(entry, 0, __ATOMIC_RELAXED);
		} else if (entry != NULL)
			entry_set(s, entry, attrs != 0 ? pa | attrs | (level == 3 ? 3 : 1) : 0,
				  level);
		if (span >= size)
			break;
		ipa += span;
		pa += span;
		size -= span;
	}
	if (unmapped)
		tlb_flush(s);
	asm volatile("dsb ishst; isb" ::: "memory");
	return error;
}

int stage2_map(struct stage2 *s, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind)
{
	int error = range_set(s, ipa.raw, pa.raw, size, attributes(kind));

	if (error == 0 && ipa.raw + size > s->top)
		s->top = ipa.raw + size;
	return error;
}

int stage2_unmap(struct stage2 *s, ipa_t ipa, uint64_t size)
{
	return range_set(s, ipa.raw, 0, size, 0);
}

struct stage2_entry stage2_lookup(struct stage2 *s, ipa_t ipa)
{
	struct stage2_entry found = {PA(0), STAGE2_NONE, 0};
	uint64_t *table = pa_to_va(s->root);

	if (ipa.raw >> stage2_address_bits() != 0)
		return found;
	for (unsigned level = 1;; level++) {
		uint64_t span = 1UL << level_shift(level), offset = ipa.raw % span;
		uint64_t e =
			table[level == 1 ? ipa.raw >> 30 : ipa.raw >> level_shift(level) & 511];

		found.left = span - offset;
		if (!(e & VALID)) /* of a retired root too */
			return found;
		if (level == 3 || (e & 3) != TABLE) {
			found.kind = (enum stage2_kind)bits_get(e, 58, 55);
			found.pa = PA((e & ADDRESS) + offset);
			return found;
		}
		table = pa_to_va(PA(e & ADDRESS));
	}
}

/* All 512 entries of a table of pages, in order, are one block of RAM or of Dom0's devices. */
static bool is_whole(const uint64_t *table)
{
	uint64_t kind = bits_get(table[0], 58, 55);

	if (!(table[0] & VALID) || (kind != STAGE2_RAM && kind != STAGE2_MMIO) ||
	    (table[0] & ADDRESS) % (1UL << level_shift(2)) != 0)
		return false;
	for (unsigned i = 1; i < 512; i++)
		if (table[i] != table[0] + i * PAGE_SIZE)
			return false;
	return true;
}

static bool is_empty(const uint64_t *table)
{
	unsigned i = 0;

	while (i < 512 && !(table[i] & VALID))
		i++;
	return i == 512;
}

void stage2_compact(struct stage2 *s)
{
	uint64_t *root = pa_to_va(s->root);

	for (unsigned i = 0; i < 1024; i++) {
		uint64_t *table = pa_to_va(PA(root[i] & ADDRESS));

		for (unsigned k = 0; (root[i] & 3) == TABLE && k < 512; k++) {
			uint64_t *pages = pa_to_va(PA(table[k] & ADDRESS));

			if ((table[k] & 3) != TABLE)
				continue;
			if (is_whole(pages))
				entry_set(s, &table[k], (pages[0] & ~3UL) | VALID, 2);
			else if (is_empty(pages))
				entry_set(s, &table[k], 0, 2);
		}
		if ((root[i] & 3) == TABLE && is_empty(table))
			entry_set(s, &root[i], 0, 1);
	}
}

/* The machine ignores a descriptor whose bit 0 is clear: the rest of it stays for stage2_drain(). */
void stage2_retire(struct stage2 *s)
{
	uint64_t *root = pa_to_va(s->root);

	for (unsigned i = 0; i < 1024; i++)
		__atomic_store_n(&root[i], root[i] & ~VALID, __ATOMIC_RELAXED);
	s->retired = true;
	tlb_flush(s);
}

/* The table below a used entry of the retired root or of a table: NULL for a block. */
static uint64_t *drain_below(uint64_t entry)
{
	return entry & (TABLE & ~VALID) ? pa_to_va(PA(entry & ADDRESS)) : NULL;
}

/* The entry is used up: the table below it, if there is one, is empty. */
static void drain_entry(struct stage2 *s, uint64_t *entry)
{
	if (*entry & (TABLE & ~VALID)) {
		s->table_free(PA(*entry & ADDRESS));
		s->tables--;
	}
	*entry = 0;
}

bool stage2_drain(struct stage2 *s, struct stage2_entry *out)
{
	uint64_t *root = pa_to_va(s->root);

	while (s->drained >> 30 < 1024) {
		uint64_t *path[3] = {&root[s->drained >> 30]}, *below;
		unsigned level = 1;

		while (level < 3 && *path[level - 1] != 0 &&
		       (below = drain_below(*path[level - 1])) != NULL) {
			path[level] = &below[s->drained >> level_shift(level + 1) & 511];
			level++;
		}
		out->left = 1UL << level_shift(level);
		out->pa = PA(*path[level - 1] & ADDRESS);
		out->kind = (enum stage2_kind)bits_get(*path[level - 1], 58, 55);
		*path[level - 1] = 0;
		s->drained += out->left;
		if (out->kind == STAGE2_NONE &&
		    s->drained % (1UL << level_shift(level - (level > 1))) != 0)
			continue;
		/* behind the last entry of a table: it is empty now */
		while (--level > 0 && s->drained % (1UL << level_shift(level)) == 0)
			drain_entry(s, path[level - 1]);
		return true;
	}
	return false;
}

void stage2_load(const struct stage2 *s)
{
	sysreg_write(vttbr_el2, s->vttbr);
	isb();
}

void stage2_unload(void)
{
	static _Alignas(8192) uint64_t nothing[1024]; /* VMID 0 is no domain's */

	sysreg_write(vttbr_el2, mmu_image_pa(nothing).raw);
	isb();
}
