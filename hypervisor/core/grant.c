#include "core/grant.h"
#include "core/unit.h"
#include "lib/errno.h"

int grant_frame(struct domain *d, unsigned index, pa_t *out)
{
	struct grant_table *t = d->grants;

	if (index >= GRANT_FRAMES_MAX)
		return -EINVAL;
	LOCK_SCOPE(&t->lock);
	while (t->frames <= index) {
		void *frame = heap_pages(0);

		if (!frame)
			return -ENOMEM;
		page_share(frame, d);
		t->frame[t->frames++] = frame;
	}
	*out = va_to_pa(t->frame[index]);
	return 0;
}

static int grant_domain_create(struct domain *d)
{
	pa_t first;

	d->grants = heap_pages(0);
	return d->grants ? grant_frame(d, 0, &first) : -ENOMEM;
}

/* The frames go before the table does: others may have them mapped. */
static int grant_domain_relinquish(struct domain *d)
{
	while (d->grants && d->grants->frames > 0)
		page_put(page_of(va_to_pa(d->grants->frame[--d->grants->frames])));
	return 0;
}

static void grant_domain_destroy(struct domain *d)
{
	if (d->grants)
		heap_free(d->grants, 0);
	d->grants = NULL;
}

UNIT(grant_unit) = {
	.name = "grant",
	.domain_create = grant_domain_create,
	.domain_relinquish = grant_domain_relinquish,
	.domain_destroy = grant_domain_destroy,
};
