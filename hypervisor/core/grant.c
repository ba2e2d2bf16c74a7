/* Grant tables: the granter's side. */
#include "core/grant.h"
#include "core/unit.h"
#include "lib/bits.h"
#include "lib/errno.h"

#define TABLE_ORDER 2
#define FRAMES_STEP 4u /* frames made at one go */
_Static_assert(sizeof(struct grant_table) <= PAGE_SIZE << TABLE_ORDER, "a table's size");
_Static_assert(sizeof(struct grant_use) * GRANT_PER_FRAME <= PAGE_SIZE, "a page for each frame");

static int frame_add(struct domain *d, struct grant_table *t)
{
	struct grant_entry *frame = heap_pages(0);
	struct grant_use *use = heap_pages(0);

	if (!frame || !use) {
		if (frame)
			heap_free(frame, 0);
		if (use)
			heap_free(use, 0);
		return -ENOMEM;
	}
	page_share(frame, d);
	t->use[t->frames] = use;
	t->frame[t->frames++] = frame;
	return 0;
}

int grant_frame(struct domain *d, unsigned index, pa_t *out)
{
	struct grant_table *t = d->grants;
	int error = 0;

	LOCK_SCOPE(&t->lock);
	if (index >= t->frames_max)
		return -EINVAL;
	for (unsigned n = 0; t->frames <= index && !error; n++)
		error = n < FRAMES_STEP ? frame_add(d, t) : -ERESTART;
	if (!error)
		*out = va_to_pa(t->frame[index]);
	return error;
}

unsigned grant_frames_max(const struct domain *d)
{
	return d->grants->frames_max;
}

/* Lock held; NULL: no such entry. */
static struct grant_entry *entry_of(struct grant_table *t, uint32_t ref, struct grant_use **use)
{
	if (ref / GRANT_PER_FRAME >= t->frames)
		return NULL;
	*use = &t->use[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
	return &t->frame[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
}

/* Sets the flags that say "in use", if the entry allows it at that very moment: the guest changes entries at any time, flags and
 * domain together (xen/grant_table.h). */
static enum grant_status entry_mark(struct grant_entry *e, uint16_t user, bool write)
{
	uint32_t *word = (uint32_t *)e, was = __atomic_load_n(word, __ATOMIC_RELAXED), now;

	do {
		if ((was & GRANT_TYPE) != GRANT_ACCESS || was >> 16 != user)
			return GRANT_ERROR;
		if (write && (was & GRANT_READONLY))
			return GRANT_ERROR;
		now = was | GRANT_READING | (write ? GRANT_WRITING : 0);
	} while (!__atomic_compare_exchange_n(word, &was, now, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return GRANT_OKAY;
}

enum grant_status grant_take(struct domain *granter, uint32_t ref, uint16_t user, bool write,
			     ipa_t *ipa)
{
	struct grant_table *t = granter->grants;
	struct grant_use *use;
	struct grant_entry *e;
	enum grant_status status;

	LOCK_SCOPE(&t->lock);
	e = entry_of(t, ref, &use);
	if (!e)
		return GRANT_BAD_REF;
	if (use->readers == UINT16_MAX || use->writers == UINT16_MAX)
		return GRANT_ERROR;
	status = entry_mark(e, user, write);
	if (status != GRANT_OKAY)
		return status;
	*(write ? &use->writers : &use->readers) += 1;
	*ipa = IPA((uint64_t)ATOMIC_READ(e->gfn) << PAGE_SHIFT);
	return GRANT_OKAY;
}

void grant_give(struct domain *granter, uint32_t ref, bool write)
{
	struct grant_table *t = granter->grants;
	struct grant_use *use;
	struct grant_entry *e;
	uint16_t clear = 0;

	LOCK_SCOPE(&t->lock);
	e = entry_of(t, ref, &use);
	if (!e)
		return;
	*(write ? &use->writers : &use->readers) -= 1;
	if (use->writers == 0)
		clear |= GRANT_WRITING;
	if (use->writers == 0 && use->readers == 0)
		clear |= GRANT_READING;
	__atomic_fetch_and(&e->flags, (uint16_t)~clear,
			   __ATOMIC_ACQ_REL); /* after what was done to the page */
}

enum grant_status grant_swap(struct domain *d, uint32_t a, uint32_t b)
{
	struct grant_table *t = d->grants;
	struct grant_use *use_a, *use_b;
	struct grant_entry *ea, *eb, keep;

	LOCK_SCOPE(&t->lock);
	ea = entry_of(t, a, &use_a);
	eb = entry_of(t, b, &use_b);
	if (!ea || !eb)
		return GRANT_BAD_REF;
	if (use_a->readers || use_a->writers || use_b->readers || use_b->writers)
		return GRANT_AGAIN;
	keep = *ea;
	*ea = *eb;
	*eb = keep;
	return GRANT_OKAY;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */
static unsigned limited(unsigned wanted, unsigned most)
{
	return wanted == 0 || wanted > most ? most : wanted;
}

static int grant_domain_create(struct domain *d)
{
	pa_t first;

	d->grants = heap_pages(TABLE_ORDER);
	if (!d->grants)
		return -ENOMEM;
	lock_init(&d->grants->lock, LOCK_GRANTS);
	d->grants->frames_max = limited(d->config.grant_frames, GRANT_FRAMES_MAX);
	d->grants->maps_max = limited(d->config.maptrack_frames, MAPTRACK_MAX);
	return grant_frame(d, 0, &first);
}

/* Its own mappings first. Then the frames, while others may still have its pages mapped: their entries are gone, the pages stay
 * until they are given back. */
static int grant_domain_relinquish(struct domain *d)
{
	struct grant_table *t = d->grants;
	int error = t ? grant_unmap_all(d) : 0;

	if (error || !t)
		return error;
	LOCK_SCOPE(&t->lock);
	t->frames_max = 0;
	while (t->frames > 0) {
		t->frames--;
		page_put(page_of(va_to_pa(t->frame[t->frames])));
		heap_free(t->use[t->frames], 0);
	}
	return 0;
}

static void grant_domain_destroy(struct domain *d)
{
	if (d->grants) {
		grant_free_handles(d->grants);
		heap_free(d->grants, TABLE_ORDER);
	}
	d->grants = NULL;
}

UNIT(grant_unit) = {
	.name = "grant",
	.domain_create = grant_domain_create,
	.domain_relinquish = grant_domain_relinquish,
	.domain_destroy = grant_domain_destroy,
};
