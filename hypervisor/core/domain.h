/* A domain: what is common to all floors. A floor's own state hangs here as an opaque pointer that its unit allocates. */
#ifndef CORE_DOMAIN_H
#define CORE_DOMAIN_H
#include "arch/stage2.h"
#include "lib/lock.h"
#include "lib/types.h"

struct vcpu;
struct vgic;	    /* guest/vgic.c */
struct vtimer;	    /* guest/vtimer.c */
struct event_table; /* core/event.c */
struct grant_table; /* core/grant.c */
struct xen_domain;  /* xen/: hvm params, shared_info, ... */

#define DOMAIN_MAX	  32
#define DOMID_FIRST_RESERVED 0x7ff0

/*  state     runs  made by                     leaves by
 *  CREATED   no    domain_create               domain_unpause: RUNNING
 *  RUNNING   yes   domain_unpause              domain_shutdown: SHUT, domain_kill: DYING
 *  SHUT      no    domain_shutdown             domain_kill: DYING
 *  DYING     no    domain_kill                 last reference: gone
 * Pausing is a count beside the state (paused > 0: no vCPU runs). */
enum domain_state { DOMAIN_CREATED, DOMAIN_RUNNING, DOMAIN_SHUT, DOMAIN_DYING };

/* The reasons a guest gives, with the numbers of Xen's SHUTDOWN_*. */
enum shutdown_reason { SHUT_POWEROFF, SHUT_REBOOT, SHUT_SUSPEND, SHUT_CRASH, SHUT_WATCHDOG, SHUT_SOFT_RESET };

struct domain {
	uint16_t id;
	bool privileged;    /* Dom0: may call domctl, sysctl, platform_op, console_io */
	bool direct_mapped; /* GPA == machine address */
	enum domain_state state;
	enum shutdown_reason reason; /* valid in SHUT and DYING */
	uint32_t paused;
	uint8_t handle[16];

	unsigned vcpus_max; /* vcpu[0..vcpus_max-1] may exist */
	struct vcpu *vcpu[MAX_VCPUS];

	struct lock memory_lock; /* stage2, pages_*; see lock order */
	struct stage2 stage2;
	uint64_t pages;	    /* RAM frames that it owns */
	uint64_t pages_max; /* may own */

	unsigned event_intid;	   /* PPI of the event channel upcall: 31, or what boot/dom0 chose */
	uint64_t counter_offset; /* CNTVOFF_EL2, ticks */
	uint64_t created;	 /* counter at creation */

	struct vgic *vgic;
	struct vtimer *vtimer;
	struct event_table *events;
	struct grant_table *grants;
	struct xen_domain *xen;
};

extern struct domain *domains[DOMAIN_MAX]; /* by id; NULL = free. domain_list_lock to change */
extern struct lock domain_list_lock;

/* Makes a paused domain with vcpus_max vCPUs (all offline) and an empty stage 2, and calls every unit's domain_create.
 * 0, or -EEXIST, -EINVAL, -ENOMEM with nothing left behind. */
int domain_create(uint16_t id, unsigned vcpus_max, uint64_t pages_max, struct domain **out);
/* By id; NULL when there is none. Dom0 lives as long as the machine; counting references comes with issue 4. */
struct domain *domain_find(uint16_t id);
/* The next domain with an id >= `id`, or NULL: for lists. */
struct domain *domain_next(uint16_t id);
/* Pause count down; a CREATED domain at 0 becomes RUNNING and its vCPUs that are online run. */
int domain_unpause(struct domain *d);
int domain_pause(struct domain *d);
/* The guest stops itself (or is stopped): no vCPU returns to it. Dom0: power-off, reset or crash of the machine; then this
 * does not return. Else marks SHUT, kicks its vCPUs and calls the units' domain_shutdown. */
void domain_shutdown(struct domain *d, enum shutdown_reason reason);

#endif
