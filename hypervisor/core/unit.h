/* Per-domain units: what a domain is made of beyond memory and vCPUs registers here at link time, so that core/ calls it
 * without knowing it (house.md: "Virtual devices register"). Any hook may be NULL. Order: the files' link order must not matter. */
#ifndef CORE_UNIT_H
#define CORE_UNIT_H
#include "core/vcpu.h"

struct unit {
	const char *name;
	int (*domain_create)(struct domain *d);	 /* 0 or negative errno; the units before are undone */
	void (*domain_destroy)(struct domain *d); /* also after a failed create of its own: must cope */
	void (*domain_shutdown)(struct domain *d); /* the domain stopped itself: VIRQ_DOM_EXC */
	int (*vcpu_create)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
};

#define UNIT(name_) static const struct unit name_ __attribute__((section(".units"), used, aligned(8)))
extern const struct unit units_begin[], units_end[];

#endif
