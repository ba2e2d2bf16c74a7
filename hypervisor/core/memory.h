/* A domain's guest-physical address space. All functions take the domain's memory lock themselves unless they say otherwise. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H
#include "core/page.h"

/* The frame behind a guest-physical address, with a reference that the caller gives back with page_put(). Only RAM and SHARED
 * of the domain itself (d->id owns it): what EL2 may read and write on a guest's word. -EFAULT: nothing, a device, or foreign;
 * also when `write` is asked for and the mapping is read-only. *pa has the offset inside the page. */
int memory_frame_get(struct domain *d, ipa_t ipa, bool write, pa_t *pa, struct page **page);
/* What is mapped there, no reference: only for questions. */
struct stage2_entry memory_lookup(struct domain *d, ipa_t ipa);

/* Shows a page at ipa (one page). What was there is unmapped; if it was the domain's RAM it is given up (freed, or KEPT for a
 * direct-mapped domain); if it was foreign its reference is dropped. The caller's reference on `page` passes to the mapping
 * (FOREIGN, GRANT_*); for SHARED none is taken. */
int memory_map_page(struct domain *d, ipa_t ipa, pa_t pa, enum stage2_kind kind);
/* Takes one page away: drops a foreign reference; RAM is given up as above. -EINVAL when there is nothing. */
int memory_unmap_page(struct domain *d, ipa_t ipa);
/* The same for a granted page, if pa is what is mapped there, as a grant; else -EINVAL and nothing changes. */
int memory_unmap_grant(struct domain *d, ipa_t ipa, pa_t pa);
/* Device registers, page aligned. -EPERM when a frame of the range is RAM in use, or a device of the hypervisor. */
int memory_map_device(struct domain *d, ipa_t ipa, pa_t pa, uint64_t size);
/* Takes registers away again; -EINVAL when anything else is mapped there. */
int memory_unmap_range(struct domain *d, ipa_t ipa, uint64_t size);

/* XENMEM_populate_physmap of one extent of 2^order frames at ipa. Direct-mapped: only frames that are KEPT for this domain come
 * back, at their own address. Else new frames, 2 MiB at most at once, and only into a hole. -ENOMEM, -EINVAL, -EPERM (limit). */
int memory_populate(struct domain *d, ipa_t ipa, unsigned order);
/* XENMEM_decrease_reservation of one extent. */
int memory_decrease(struct domain *d, ipa_t ipa, unsigned order);

/* For a domain that is DYING and whose vCPUs are off their CPUs: empties its address space for good and gives every frame back
 * that it owned or had mapped, in steps: -ERESTART asks to be called again. */
int memory_relinquish(struct domain *d);
/* Gives back tables that are needed no more: Dom0's, after it lent pages to map those of a domain that is gone. */
void memory_compact(struct domain *d);
/* Makes what the hypervisor and other domains wrote to the domain's RAM from `ipa` on visible to a guest whose caches are off,
 * as far as one step goes; *ipa moves behind it. */
void memory_cache_flush(struct domain *d, ipa_t *ipa, uint64_t end);

#endif
