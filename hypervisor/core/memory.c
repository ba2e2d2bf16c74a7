/* Guest-physical address spaces: stage 2 and frame ownership changed together under the domain's memory lock. */
#include "core/memory.h"
#include "core/vcpu.h"
#include "lib/bits.h"
#include "lib/errno.h"

#define POPULATE_ORDER_MAX 9
#define FLUSH_STEP	   MIB(1)

int memory_frame_get(struct domain *d, ipa_t ipa, bool write, pa_t *pa, struct page **page)
{
	struct stage2_entry e;

	(void)write; /* RAM and SHARED are always writable */
	LOCK_SCOPE(&d->memory_lock);
	e = stage2_lookup(&d->stage2, ipa);
	if (e.kind != STAGE2_RAM && e.kind != STAGE2_SHARED)
		return -EFAULT;
	*page = page_of(e.pa);
	if (*page == NULL || !page_get(*page, d->id))
		return -EFAULT;
	*pa = e.pa;
	return 0;
}

struct stage2_entry memory_lookup(struct domain *d, ipa_t ipa)
{
	LOCK_SCOPE(&d->memory_lock);
	return stage2_lookup(&d->stage2, ipa);
}

/* What the mapping that is now gone held: gives it back. Lock held, TLBs clean. */
static void give_up(struct domain *d, struct stage2_entry e)
{
	struct page *p = page_of(PA(ALIGN_DOWN(e.pa.raw, PAGE_SIZE)));

	if (p == NULL)
		return;
	switch (e.kind) {
	case STAGE2_RAM:
		d->pages--;
		if (!d->direct_mapped || !page_keep(p, d->id))
			page_put(p);
		break;
	case STAGE2_FOREIGN:
	case STAGE2_GRANT_RO:
	case STAGE2_GRANT_RW:
		page_put(p);
		break;
	default:
		break;
	}
}

int memory_map_page(struct domain *d, ipa_t ipa, pa_t pa, enum stage2_kind kind)
{
	struct stage2_entry old;
	int error;

	LOCK_SCOPE(&d->memory_lock);
	if (d->stage2.retired)
		return -EINVAL;
	old = stage2_lookup(&d->stage2, ipa);
	error = stage2_map(&d->stage2, ipa, pa, PAGE_SIZE, kind);
	if (error == 0)
		give_up(d, old);
	return error;
}

static int unmap_locked(struct domain *d, ipa_t ipa)
{
	struct stage2_entry old = stage2_lookup(&d->stage2, ipa);
	int error;

	if (old.kind == STAGE2_NONE)
		return -EINVAL;
	error = stage2_unmap(&d->stage2, ipa, PAGE_SIZE);
	if (error == 0)
		give_up(d, old);
	return error;
}

int memory_unmap_page(struct domain *d, ipa_t ipa)
{
	LOCK_SCOPE(&d->memory_lock);
	return unmap_locked(d, ipa);
}

int memory_unmap_grant(struct domain *d, ipa_t ipa, pa_t pa)
{
	struct stage2_entry e;

	LOCK_SCOPE(&d->memory_lock);
	e = stage2_lookup(&d->stage2, ipa);
	if ((e.kind != STAGE2_GRANT_RO && e.kind != STAGE2_GRANT_RW) || e.pa.raw != pa.raw)
		return -EINVAL;
	return unmap_locked(d, ipa);
}

/* Only holes and devices: a frame of RAM that a device replaced would be in no table. */
static bool is_free_of_ram(struct domain *d, ipa_t ipa, uint64_t size)
{
	for (uint64_t at = 0; at < size;) {
		struct stage2_entry e = stage2_lookup(&d->stage2, IPA(ipa.raw + at));

		if (e.left == 0 || (e.kind != STAGE2_NONE && e.kind != STAGE2_MMIO && e.kind != STAGE2_MMIO_STRICT))
			return false;
		at += e.left;
	}
	return true;
}

int memory_map_device(struct domain *d, ipa_t ipa, pa_t pa, uint64_t size)
{
	if (!page_range_is_device(pa, size) || mmu_is_own_device(pa, size))
		return -EPERM;
	LOCK_SCOPE(&d->memory_lock);
	if (d->stage2.retired || !is_free_of_ram(d, ipa, size))
		return -EINVAL;
	return stage2_map(&d->stage2, ipa, pa, size, d->direct_mapped ? STAGE2_MMIO : STAGE2_MMIO_STRICT);
}

int memory_unmap_range(struct domain *d, ipa_t ipa, uint64_t size)
{
	LOCK_SCOPE(&d->memory_lock);
	if (d->stage2.retired || !is_free_of_ram(d, ipa, size))
		return -EINVAL;
	return stage2_unmap(&d->stage2, ipa, size);
}

/* Direct-mapped: the frames at the same machine address must be waiting for this domain. */
static int populate_direct(struct domain *d, ipa_t ipa, unsigned order)
{
	int error;

	for (uint64_t i = 0; i < 1UL << order; i++) {
		struct page *p = page_of(PA(ipa.raw + (i << PAGE_SHIFT)));

		if (p == NULL || page_type(p) != PAGE_KEPT || page_owner(p) != d->id ||
		    stage2_lookup(&d->stage2, IPA(ipa.raw + (i << PAGE_SHIFT))).kind != STAGE2_NONE)
			return -EINVAL;
	}
	error = stage2_map(&d->stage2, ipa, PA(ipa.raw), PAGE_SIZE << order, STAGE2_RAM);
	if (error != 0)
		return error;
	for (uint64_t i = 0; i < 1UL << order; i++)
		page_set_type(page_of(PA(ipa.raw + (i << PAGE_SHIFT))), PAGE_RAM, d->id);
	return 0;
}

/* A frame that a new one replaced would stay the domain's and be in no table: only holes are filled. */
static bool is_hole(struct domain *d, ipa_t ipa, uint64_t size)
{
	for (uint64_t at = 0; at < size;) {
		struct stage2_entry e = stage2_lookup(&d->stage2, IPA(ipa.raw + at));

		if (e.kind != STAGE2_NONE || e.left == 0)
			return false;
		at += e.left;
	}
	return true;
}

int memory_populate(struct domain *d, ipa_t ipa, unsigned order)
{
	int error;
	pa_t pa;

	if (order > 18 || (ipa.raw & PAGE_MASK) != 0 || ipa.raw >> 40 != 0)
		return -EINVAL;
	LOCK_SCOPE(&d->memory_lock);
	if (d->pages + (1UL << order) > d->pages_max)
		return -EPERM;
	if (d->direct_mapped) {
		error = populate_direct(d, ipa, order);
	} else if (order > POPULATE_ORDER_MAX) {
		return -ENOMEM; /* to clear more takes too long at one go; the tools ask again for less */
	} else if (!is_hole(d, ipa, PAGE_SIZE << order) || d->stage2.retired) {
		return -EINVAL;
	} else {
		pa = page_alloc_domain(d, order);
		if (pa.raw == 0)
			return -ENOMEM;
		error = stage2_map(&d->stage2, ipa, pa, PAGE_SIZE << order, STAGE2_RAM);
		if (error != 0) {
			(void)stage2_unmap(&d->stage2, ipa, PAGE_SIZE << order);
			page_put_block(pa, order);
		}
	}
	if (error == 0)
		d->pages += 1UL << order;
	return error;
}

int memory_decrease(struct domain *d, ipa_t ipa, unsigned order)
{
	uint64_t n = 1UL << order;
	uint64_t frame[1u << POPULATE_ORDER_MAX];
	int error;

	if (order > POPULATE_ORDER_MAX || (ipa.raw & PAGE_MASK) != 0)
		return -EINVAL;
	LOCK_SCOPE(&d->memory_lock);
	for (uint64_t i = 0; i < n; i++) {
		struct stage2_entry e = stage2_lookup(&d->stage2, IPA(ipa.raw + (i << PAGE_SHIFT)));

		if (e.kind != STAGE2_RAM)
			return -EINVAL;
		frame[i] = e.pa.raw;
	}
	error = stage2_unmap(&d->stage2, ipa, PAGE_SIZE << order); /* all at once: one look for the TLBs */
	for (uint64_t i = 0; i < n; i++)
		if (error == 0 || stage2_lookup(&d->stage2, IPA(ipa.raw + (i << PAGE_SHIFT))).kind == STAGE2_NONE)
			give_up(d, (struct stage2_entry){PA(frame[i]), STAGE2_RAM, PAGE_SIZE});
	return error;
}

/* What the tables of a retired stage 2 still name: a block of RAM at once. */
static void give_up_block(struct domain *d, struct stage2_entry e)
{
	unsigned order = bits_first(e.left) - PAGE_SHIFT;

	if (e.kind != STAGE2_RAM || order == 0) {
		give_up(d, e);
		return;
	}
	d->pages -= 1UL << order;
	page_put_block(e.pa, order);
}

int memory_relinquish(struct domain *d)
{
	struct stage2_entry e;

	LOCK_SCOPE(&d->memory_lock);
	if (!d->stage2.retired)
		stage2_retire(&d->stage2);
	while (stage2_drain(&d->stage2, &e)) {
		give_up_block(d, e);
		if (vcpu_should_yield(vcpu_current()))
			return -ERESTART;
	}
	return 0;
}

void memory_compact(struct domain *d)
{
	LOCK_SCOPE(&d->memory_lock);
	stage2_compact(&d->stage2);
}

void memory_cache_flush(struct domain *d, ipa_t *ipa, uint64_t end)
{
	struct stage2_entry e;
	uint64_t size;

	LOCK_SCOPE(&d->memory_lock);
	e = stage2_lookup(&d->stage2, *ipa);
	size = end - ipa->raw < e.left ? end - ipa->raw : e.left;
	if (e.kind == STAGE2_RAM) {
		if (size > FLUSH_STEP)
			size = FLUSH_STEP;
		cache_clean_invalidate(pa_to_va(e.pa), size);
	}
	ipa->raw += size;
}
