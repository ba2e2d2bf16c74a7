/* Copies between the hypervisor and the memory of the vCPU that runs here, by its virtual addresses (often those of a Dom0
 * process): page by page, each frame checked to be the domain's own RAM. */
#ifndef XEN_GUEST_COPY_H
#define XEN_GUEST_COPY_H
#include "core/page.h"
#include "core/vcpu.h"

/* 0 or -EFAULT: then a front part may have been copied. */
int guest_copy_in(struct vcpu *v, void *to, gva_t from, size_t size);
int guest_copy_out(struct vcpu *v, gva_t to, const void *from, size_t size);
/* The byte at a virtual address that may be written, and its frame with a reference that the caller gives back with page_put().
 * NULL: it is not the domain's memory. */
void *guest_page_get(struct vcpu *v, gva_t at, struct page **page);

#endif
