/* Grant table frames: pages that a domain fills with its grants. Mapping and copying by grant come with issue 4. */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H
#include "core/page.h"

#define GRANT_FRAMES_MAX 64u /* version 1: 512 entries each */

struct grant_table {
	struct lock lock;
	unsigned frames;
	void *frame[GRANT_FRAMES_MAX];
};

/* Machine address of frame `index`; the table grows as far as that. -EINVAL beyond the limit, -ENOMEM. */
int grant_frame(struct domain *d, unsigned index, pa_t *out);

#endif
