/* Domains that a bare-metal Dom0 makes by the toolstack's own hypercalls, on our hypervisor and on stock Xen alike. They have one
 * vCPU and a little memory, which Dom0 sees too. */
#ifndef DOMU_H
#define DOMU_H
#include "bare.h"
#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/domctl.h>

#define DOMU_RAM 0x40000000ul /* where a domain has its memory */

struct domu {
	uint16_t id;
	unsigned pages; /* of memory */
	volatile uint8_t
		*window; /* where Dom0 sees it: whole pages of its own memory, which they replace */
};

/* Ends the run with a line when a call does not answer as it has to. */
void must(const char *what, int64_t result, int64_t expected);
/* The result of a domctl; *op is read and written. */
int64_t domctl(uint16_t domain, uint32_t command, xen_domctl_t *op);
/* Makes a domain, paused, in a CPU pool; d->pages and d->window say how. SPIs: how many it has. */
void domu_make(struct domu *d, uint32_t pool, unsigned spis);
/* What was written into the window is in memory, and what is read from it is what memory holds. */
void domu_flush(volatile void *at, uint64_t size);
/* Where its vCPU begins, MMU off, interrupts masked. */
void domu_context(const struct domu *d, uint64_t pc, uint64_t x0, uint64_t x1);
void domu_unpause(const struct domu *d);
void domu_destroy(struct domu *d);
#endif
