/* Every 4 KiB frame of RAM has one 8-byte word: owner, type and references.
 *
 *  type       owner         who may reach it              becomes
 *  FREE       none          nobody                        any by page_alloc
 *  HYP        none          the hypervisor only           FREE by page_free
 *  RAM        a domain      its owner; foreign and grant  FREE when the last reference goes (the owner's is one)
 *                           mappings hold a reference
 *  SHARED     a domain      hypervisor and owner (shared_info, grant frames): not counted in domain->pages
 *  KEPT       a domain      nobody: ballooned out of a direct-mapped domain, only that domain gets it back
 *  RESERVED   none          firmware, reserved-memory: never allocated. Dom0 may be given it as MMIO
 * Only RAM and SHARED are ever in a stage 2 with a guest's rights on them; HYP never is. */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H
#include "arch/mmu.h"
#include "core/domain.h"

enum page_type { PAGE_RESERVED, PAGE_FREE, PAGE_HYP, PAGE_RAM, PAGE_SHARED, PAGE_KEPT };

struct page {
	uint64_t
		word; /* [31:0] references, [47:32] owner's id, [51:48] type, [59:52] order (FREE, first frame of a block) */
};
_Static_assert(sizeof(struct page) == 8, "2 GiB of RAM cost 4 MiB of page words");

/* The word of a frame; NULL when the address is not RAM that we manage. */
struct page *page_of(pa_t pa);
enum page_type page_type(const struct page *p);
/* True when no frame of the range is RAM in use: registers, or memory that is reserved for firmware and devices. */
bool page_range_is_device(pa_t base, uint64_t size);
/* Owner's domain id, or DOMID_FIRST_RESERVED when there is none. */
uint16_t page_owner(const struct page *p);

/* One more reference, if the frame is RAM (or SHARED) of domain `owner` right now. Atomic, no lock. */
bool page_get(struct page *p, uint16_t owner);
/* One less; the last one makes a RAM or SHARED frame FREE (its content is scrubbed before another domain gets it), or KEPT if it
 * is RAM of Dom0. May be called with any lock but the allocator's. */
void page_put(struct page *p);
/* The owner's reference on each of 2^order naturally aligned RAM frames, which no stage 2 shows any more: at once when nobody
 * else has one, else one by one. */
void page_put_block(pa_t pa, unsigned order);

/* 2^order frames, naturally aligned, type HYP. {0} when there are none. Not zeroed. Lock: page. */
pa_t page_alloc(unsigned order);
void page_free(pa_t pa, unsigned order);
/* For the hypervisor's own structures: zeroed pages through the direct map; NULL when there are none. */
void *heap_pages(unsigned order);
void heap_free(void *va, unsigned order);
/* 2^order frames of type RAM, owned by d, one reference each (the owner's), cleared and clean to the point of coherency.
 * Counts d->frames, not d->pages: that is core/memory's. */
pa_t page_alloc_domain(struct domain *d, unsigned order);
/* A HYP page becomes SHARED of d with one reference (the hypervisor's). */
void page_share(void *va, struct domain *d);

/* For core/memory, with the domain's memory lock: a frame that only its owner refers to becomes KEPT (false: somebody else has a
 * reference); or any type. */
bool page_keep(struct page *p, uint16_t owner);
void page_set_type(struct page *p, enum page_type type, uint16_t owner);

/* Boot: adds a range of RAM to the array as RESERVED (allocates words from `words`, see page_words_size). */
void page_add_bank(pa_t base, uint64_t size, void *words);
static inline uint64_t page_words_size(uint64_t bank)
{
	return ALIGN_UP((bank >> PAGE_SHIFT) * sizeof(struct page), PAGE_SIZE);
}
/* Boot: marks a range as given type and owner, count references each. */
void page_set_range(pa_t base, uint64_t size, enum page_type type, uint16_t owner);
/* Boot: hands a range to the allocator. */
void page_add_free(pa_t base, uint64_t size);

/* Numbers for sysctl physinfo, in frames. */
uint64_t page_total(void); /* all RAM of the machine */
uint64_t page_free_count(void);
pa_t page_highest(void); /* last frame of RAM */

#endif
