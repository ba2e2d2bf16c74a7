/* Malformed hypercalls that any domain can issue. The same rows run in a program of Dom0's userland (../hypercalls.c) and in a
 * bare-metal guest without privileges (guest.c), on our hypervisor and on stock Xen, and the lists have to be equal. A row is one
 * hypercall: what it is called and what came back. */
#ifndef CALLS_H
#define CALLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#define NOBODY	       999
#define PTR(handle, p) ((handle).q = (uint64_t)(uintptr_t)(p))
#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))

/* What the two programs have for the rows. */
extern uint8_t
	*buffer; /* two pages that hypercalls may read and write; structures go to its beginning */
extern uint16_t dom; /* another domain: one that was made for this, or Dom0 */
extern uint16_t own; /* the number of the domain that runs this */
extern bool privileged;
long call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
void row_out(const char *name, const char *kind, unsigned number, long result);

#define UNMAPPED 16ul /* an address where nothing is */
#define HIGH	 (1ul << 32)

/* The structure is at the beginning of `buffer` now, and what the hypervisor made of it is there afterwards. */
uint64_t in(const void *structure, size_t size);
/* Results that only say that it worked do not depend on the machine: 1. */
long sign(long result);
void row(const char *name, long result);
void row_number(const char *name, unsigned number, long result);
/* A row for each kind of domain that a call can name. */
struct kind {
	const char *name;
	uint16_t id;
};
extern struct kind kinds[];
#define KINDS	      9
#define OTHERS	      2 /* the first ones are the domain that asks */
#define FOR(k, first) for (const struct kind *k = &kinds[first]; k < &kinds[KINDS]; k++)
void row_kind(const char *name, const struct kind *k, long result);

long event(unsigned cmd, const void *op, size_t size);
#define EVENT(cmd, type, ...) event(cmd, &(struct type)__VA_ARGS__, sizeof(struct type))

/* All rows that any domain may issue, once `own` and `dom` are known. */
void rows_of_everybody(void);
void rows_events(void);
void rows_grants(void);
void rows_memory(void);
void rows_small(
	void); /* hvm_op, xen_version, console_io, physdev_op, vm_assist, multicall, numbers */
void rows_vcpus(void);	 /* sched_op, vcpu_op */
void rows_refused(void); /* the tools' own, by a guest */
#endif
