/* The commands of domctl by group. Each gets our copy of the structure, which goes back to the caller when it succeeds. */
#ifndef XEN_DOMCTL_COMMANDS_H
#define XEN_DOMCTL_COMMANDS_H
#include "xen/hypercall.h"

struct xen_domctl;
/* d: the domain that the structure names; NULL with DOMCTL_NO_DOMAIN. 0 or a negative errno; -ERESTART: the caller's call is made
 * again with the structure as it then is (v->restart is set). */
typedef int64_t domctl_handler(struct vcpu *v, struct domain *d, struct xen_domctl *op);

enum domctl_flags {
	DOMCTL_NO_DOMAIN = 1, /* the handler looks for the domain itself, or there is none yet */
	DOMCTL_OTHER = 2,     /* not on the caller's own domain: -EINVAL */
};

/* xen/domctl_life.c */
domctl_handler domctl_create, domctl_destroy, domctl_pause, domctl_unpause, domctl_resume,
	domctl_max_vcpus, domctl_set_vcpu_context, domctl_get_vcpu_context;
/* xen/domctl_memory.c */
domctl_handler domctl_max_mem, domctl_address_size, domctl_cache_flush, domctl_get_mempool,
	domctl_set_mempool;
/* xen/domctl_device.c */
domctl_handler domctl_iomem_permission, domctl_memory_mapping, domctl_bind_irq, domctl_unbind_irq;
/* xen/domain.c */
domctl_handler domctl_time_offset;
/* xen/vuart_op.c */
domctl_handler domctl_vuart;
/* xen/affinity_op.c, xen/cpupool_op.c */
domctl_handler domctl_get_affinity, domctl_set_affinity, domctl_get_node_affinity,
	domctl_set_node_affinity, domctl_scheduler;

#endif
