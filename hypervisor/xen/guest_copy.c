#include "xen/guest_copy.h"
#include "arch/guest_va.h"
#include "core/page.h"
#include "lib/errno.h"
#include "lib/string.h"

/* One page at most. The memory lock keeps the mapping while it is used (break-before-make elsewhere). */
static int copy_page(struct vcpu *v, void *here, gva_t there, size_t size, bool write)
{
	struct domain *d = v->domain;
	struct page *page;
	pa_t pa;

	LOCK_SCOPE(&d->memory_lock);
	if (!guest_va_translate(there, write, &pa))
		return -EFAULT;
	page = page_of(pa);
	if (!page || !page_get(page, d->id))
		return -EFAULT; /* a device, a foreign page */
	if (write)
		memcpy(pa_to_va(pa), here, size);
	else
		memcpy(here, pa_to_va(pa), size);
	page_put(page);
	return 0;
}

void *guest_page_get(struct vcpu *v, gva_t at, struct page **page)
{
	struct domain *d = v->domain;
	pa_t pa;

	LOCK_SCOPE(&d->memory_lock);
	if (!guest_va_translate(at, true, &pa))
		return NULL;
	*page = page_of(pa);
	if (!*page || !page_get(*page, d->id))
		*page = NULL;
	return *page ? pa_to_va(pa) : NULL;
}

static int copy(struct vcpu *v, void *here, gva_t there, size_t size, bool write)
{
	while (size > 0) {
		size_t part = PAGE_SIZE - (there.raw & PAGE_MASK);
		int error;

		if (part > size)
			part = size;
		error = copy_page(v, here, there, part, write);
		if (error)
			return error;
		here = (char *)here + part;
		there.raw += part;
		size -= part;
	}
	return 0;
}

int guest_copy_in(struct vcpu *v, void *to, gva_t from, size_t size)
{
	return copy(v, to, from, size, false);
}

int guest_copy_out(struct vcpu *v, gva_t to, const void *from, size_t size)
{
	return copy(v, (void *)(uintptr_t)from, to, size, true);
}
