/* Grant tables: the user's side, mappings with their handles, and copies. */
#include "core/grant.h"
#include "core/memory.h"
#include "core/vcpu.h"
#include "lib/errno.h"
#include "lib/string.h"

_Static_assert(sizeof(struct maptrack) * MAPTRACK_PER_PAGE <= PAGE_SIZE, "a page of handles");

/* ---- handles: the table's lock is held --------------------------------------------------------------------------------- */
static struct maptrack *map_of(struct grant_table *t, uint32_t handle)
{
	if (handle / MAPTRACK_PER_PAGE >= t->maps)
		return NULL;
	return &t->map[handle / MAPTRACK_PER_PAGE][handle % MAPTRACK_PER_PAGE];
}

static void handle_free(struct grant_table *t, uint32_t handle)
{
	*map_of(t, handle) = (struct maptrack){.pa = t->free_handle};
	t->free_handle = handle + 1;
}

static bool handles_add(struct grant_table *t)
{
	if (t->maps == t->maps_max)
		return false;
	t->map[t->maps] = heap_pages(0);
	if (!t->map[t->maps])
		return false;
	t->maps++;
	for (uint32_t i = MAPTRACK_PER_PAGE; i-- > 0;)
		handle_free(t, (t->maps - 1) * MAPTRACK_PER_PAGE + i);
	return true;
}

/* A handle that nobody can use yet; false: there is no room. */
static bool handle_take(struct grant_table *t, uint32_t *handle)
{
	struct maptrack *m;

	LOCK_SCOPE(&t->lock);
	if (t->free_handle == 0 && !handles_add(t))
		return false;
	*handle = t->free_handle - 1;
	m = map_of(t, *handle);
	t->free_handle = (uint32_t)m->pa;
	*m = (struct maptrack){.domain = DOMID_FIRST_RESERVED};
	return true;
}

static void handle_put(struct grant_table *t, uint32_t handle)
{
	LOCK_SCOPE(&t->lock);
	handle_free(t, handle);
}

static void handle_set(struct grant_table *t, uint32_t handle, struct maptrack as)
{
	LOCK_SCOPE(&t->lock);
	*map_of(t, handle) = as;
	t->mapped++;
}

/* Whoever gets it takes the mapping away: nobody else can from now on. */
static bool handle_claim(struct grant_table *t, uint32_t handle, struct maptrack *out)
{
	struct maptrack *m;

	LOCK_SCOPE(&t->lock);
	m = map_of(t, handle);
	if (!m || !m->used)
		return false;
	*out = *m;
	m->used = false;
	m->domain = DOMID_FIRST_RESERVED;
	t->mapped--;
	return true;
}

void grant_free_handles(struct grant_table *t)
{
	while (t->maps > 0)
		heap_free(t->map[--t->maps], 0);
}

/* ---- map and unmap ------------------------------------------------------------------------------------------------------ */
/* The frame behind an entry that was taken, with a reference. */
static enum grant_status frame_of(struct domain *owner, ipa_t ipa, bool write, pa_t *pa,
				  struct page **page)
{
	return memory_frame_get(owner, ipa, write, pa, page) == 0 ? GRANT_OKAY : GRANT_BAD_PAGE;
}

static enum grant_status map_taken(struct domain *d, struct domain *granter, ipa_t from, ipa_t to,
				   bool readonly, pa_t *bus)
{
	struct page *page;
	enum grant_status status = frame_of(granter, from, !readonly, bus, &page);

	if (status != GRANT_OKAY)
		return status;
	/* one reference is the mapping's, which its user may replace by something else; one is the handle's: it keeps the granter */
	if (!page_get(page, granter->id)) {
		page_put(page);
		return GRANT_BAD_PAGE;
	}
	if ((to.raw & PAGE_MASK) == 0 &&
	    memory_map_page(d, to, *bus, readonly ? STAGE2_GRANT_RO : STAGE2_GRANT_RW) == 0)
		return GRANT_OKAY;
	page_put(page);
	page_put(page);
	return GRANT_ERROR;
}

enum grant_status grant_map(struct domain *d, struct domain *granter, uint32_t ref, ipa_t ipa,
			    bool readonly, uint32_t *handle, pa_t *bus)
{
	struct grant_table *t = d->grants;
	enum grant_status status;
	ipa_t from;

	if (!handle_take(t, handle))
		return GRANT_NO_SPACE;
	status = grant_take(granter, ref, d->id, !readonly, &from);
	if (status == GRANT_OKAY) {
		status = map_taken(d, granter, from, ipa, readonly, bus);
		if (status != GRANT_OKAY)
			grant_give(granter, ref, !readonly);
	}
	if (status != GRANT_OKAY) {
		handle_put(t, *handle);
		return status;
	}
	handle_set(t, *handle,
		   (struct maptrack){granter->id, true, readonly, ref, ipa.raw, bus->raw});
	return GRANT_OKAY;
}

/* A mapping that was claimed. The page may not be there any more: its user may have put something else in its place. */
static bool unmap_claimed(struct domain *d, uint32_t handle, const struct maptrack *m)
{
	struct domain *granter = domain_find(m->domain);
	bool there = memory_unmap_grant(d, IPA(m->ipa), PA(m->pa)) == 0;

	if (granter) /* always: the handle has a reference on one of its frames */
		grant_give(granter, m->ref, !m->readonly);
	page_put(page_of(PA(m->pa)));
	handle_put(d->grants, handle);
	return there;
}

enum grant_status grant_unmap(struct domain *d, uint32_t handle, ipa_t ipa)
{
	struct grant_table *t = d->grants;
	struct maptrack m;

	if (!handle_claim(t, handle, &m))
		return GRANT_BAD_HANDLE;
	if (m.ipa != ipa.raw) {
		handle_set(t, handle, m);
		return GRANT_ERROR;
	}
	return unmap_claimed(d, handle, &m) ? GRANT_OKAY : GRANT_ERROR;
}

#define SWEEP_STEP  16u	 /* mappings of one step */
#define SWEEP_LOOKS 512u /* handles it looks at */

int grant_unmap_all(struct domain *d)
{
	struct grant_table *t = d->grants;
	unsigned n = 0, looks = 0;

	for (; t->mapped != 0 && t->sweep < t->maps * MAPTRACK_PER_PAGE; t->sweep++) {
		struct maptrack m;

		if (n == SWEEP_STEP || looks++ == SWEEP_LOOKS)
			return -ERESTART;
		if (handle_claim(t, t->sweep, &m)) {
			(void)unmap_claimed(d, t->sweep, &m);
			n++;
		}
	}
	t->sweep = 0;
	return 0;
}

int grant_is_mapped(struct domain *d, pa_t pa, uint64_t *from)
{
	struct grant_table *t = d->grants;
	uint64_t end = *from + SWEEP_LOOKS;

	LOCK_SCOPE(&t->lock);
	for (; *from < t->maps * MAPTRACK_PER_PAGE; ++*from) {
		const struct maptrack *m = map_of(t, (uint32_t)*from);

		if (*from == end)
			return -ERESTART;
		if (m->used && m->pa == pa.raw)
			return 0;
	}
	return -EINVAL;
}

/* ---- copy ----------------------------------------------------------------------------------------------------------------- */
struct held {
	struct domain *granter; /* NULL: the caller's own page */
	uint32_t ref;
	bool write;
	struct page *page;
	char *at;
};

static enum grant_status hold(struct domain *d, const struct grant_side *s, bool write,
			      struct held *out)
{
	struct domain *owner = d;
	enum grant_status status = GRANT_OKAY;
	ipa_t ipa;
	pa_t pa;

	*out = (struct held){.write = write};
	if (s->by_ref) {
		owner = s->domain;
		if (!owner)
			return GRANT_BAD_DOMAIN;
		if (s->at > UINT32_MAX)
			return GRANT_BAD_REF;
		status = grant_take(owner, (uint32_t)s->at, d->id, write, &ipa);
		if (status != GRANT_OKAY)
			return status;
		out->granter = owner;
		out->ref = (uint32_t)s->at;
	} else {
		if (!s->domain)
			return GRANT_NOT_PERMITTED;
		if (s->at >> (64 - PAGE_SHIFT))
			return GRANT_BAD_PAGE;
		ipa = IPA(s->at << PAGE_SHIFT);
	}
	status = frame_of(owner, ipa, write, &pa, &out->page);
	if (status != GRANT_OKAY) {
		if (out->granter)
			grant_give(out->granter, out->ref, write);
		return status;
	}
	out->at = (char *)pa_to_va(pa) + s->offset;
	return GRANT_OKAY;
}

static void let_go(const struct held *h)
{
	page_put(h->page);
	if (h->granter)
		grant_give(h->granter, h->ref, h->write);
}

enum grant_status grant_copy(struct domain *d, const struct grant_side *from,
			     const struct grant_side *to, unsigned length)
{
	struct held source, target;
	enum grant_status status;

	status = hold(d, from, false, &source);
	if (status != GRANT_OKAY)
		return status;
	status = hold(d, to, true, &target);
	if (status == GRANT_OKAY) {
		if (from->offset + length > PAGE_SIZE || to->offset + length > PAGE_SIZE)
			status = GRANT_BAD_COPY;
		else
			memmove(target.at, source.at, length);
		let_go(&target);
	}
	let_go(&source);
	return status;
}
