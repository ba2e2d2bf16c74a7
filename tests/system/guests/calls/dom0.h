/* What the rows that only Dom0 can issue share (domctl.c, ../hypercalls.c). */
#ifndef CALLS_DOM0_H
#define CALLS_DOM0_H
#include "calls.h"

#include <xen/domctl.h>

void say(const char *name, long result); /* a row of Dom0's alone */

long domctl(uint16_t domain, uint32_t cmd, struct xen_domctl op);
#define OP(member, ...) ((struct xen_domctl){.u.member = __VA_ARGS__})
#define NONE		((struct xen_domctl){.cmd = 0})
/* A good configuration, and a domain of it. */
struct xen_domctl_createdomain config(void);
long create(struct xen_domctl_createdomain c, uint16_t wanted, uint16_t *id);

void table_create(void);
void table_vcpus(void);
void table_pause(void);
void table_domctl_memory(void);
#endif
