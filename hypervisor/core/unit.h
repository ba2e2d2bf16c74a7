/* Per-domain units: what a domain is made of beyond memory and vCPUs registers here at link time, so that core/ calls it
 * without knowing it (house.md: "Virtual devices register"). Any hook may be NULL. Order: the files' link order must not matter. */
#ifndef CORE_UNIT_H
#define CORE_UNIT_H
#include "core/vcpu.h"

struct unit {
	const char *name;
	int (*domain_create)(
		struct domain *d); /* 0 or negative errno; the units before are undone */
	/* The domain ends, its vCPUs are off their CPUs for good: gives back what others are waiting for or hold (event channels,
	 * mapped grants, SHARED frames, references to frames), in short steps: -ERESTART asks to be called again; 0 when nothing
	 * is left, also when called again then. The domain may still be found by others, and its frames be mapped by them. */
	int (*domain_relinquish)(struct domain *d);
	/* Frees, on any CPU. After domain_relinquish; also after a failed create, its own or another unit's: must cope. */
	void (*domain_destroy)(struct domain *d);
	void (*domain_shutdown)(struct domain *d); /* the domain stopped itself: VIRQ_DOM_EXC */
	void (*domain_dead)(struct domain *d); /* it became a ZOMBIE, and again when it is GONE */
	/* XEN_DOMCTL_vuart_op: an emulated UART whose other end is a console ring in the page at `ring`, with an event channel to
	 * `backend`. Before the domain runs. 0, -EINVAL, -EBUSY when it has one, -ENOSPC. */
	int (*vuart_attach)(struct domain *d, ipa_t ring, uint16_t backend, unsigned *port);
	int (*vcpu_create)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
};

#define UNIT(name_)                                                                                \
	static const struct unit name_ __attribute__((section(".units"), used, aligned(8)))
extern const struct unit units_begin[], units_end[];

#endif
