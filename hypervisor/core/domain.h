/* A domain: what is common to all floors. A floor's own state hangs here as an opaque pointer that its unit allocates. */
#ifndef CORE_DOMAIN_H
#define CORE_DOMAIN_H
#include "arch/stage2.h"
#include "core/credit.h"
#include "lib/lock.h"
#include "lib/types.h"

struct vcpu;
struct pool;	    /* core/pool.h */
struct watchdog;    /* core/watchdog.c */
struct vuart;	    /* guest/vuart.c */
struct vgic;	    /* guest/vgic.c */
struct vtimer;	    /* guest/vtimer.c */
struct event_table; /* core/event.c */
struct grant_table; /* core/grant.c */
struct xen_domain;  /* xen/: hvm params, shared_info, ... */

#define DOMAIN_MAX	     32 /* at once */
#define DOMID_FIRST_RESERVED 0x7ff0
#define DOMID_ANY	     0x7ff4 /* for domain_create: the next number that is free */

/*  state     runs  made by                     leaves by
 *  CREATED   no    domain_create               domain_unpause: RUNNING; domain_kill: DYING
 *  RUNNING   yes   domain_unpause              domain_shutdown: SHUT; domain_kill: DYING
 *  SHUT      no    domain_shutdown             domain_kill: DYING
 *  DYING     no    domain_kill                 domain_kill gave everything back that it held: ZOMBIE
 *  ZOMBIE    no    domain_kill                 nobody refers to one of its frames any more: GONE
 *  GONE      no    domain_reap                 every CPU has been outside of EL2's code: freed. Nobody finds it any more
 * Pausing is a count beside the state (paused > 0: no vCPU runs). A domain exists as long as one of its frames is mapped by
 * another, so whoever holds such a frame may look its owner up. */
enum domain_state {
	DOMAIN_CREATED,
	DOMAIN_RUNNING,
	DOMAIN_SHUT,
	DOMAIN_DYING,
	DOMAIN_ZOMBIE,
	DOMAIN_GONE
};

/* The reasons a guest gives, with the numbers of Xen's SHUTDOWN_*. It may give others, up to 255: they mean what the tools think. */
enum shutdown_reason {
	SHUT_POWEROFF,
	SHUT_REBOOT,
	SHUT_SUSPEND,
	SHUT_CRASH,
	SHUT_WATCHDOG,
	SHUT_SOFT_RESET
};

/* What is fixed when a domain is made. */
struct domain_config {
	uint16_t id; /* or DOMID_ANY */
	unsigned vcpus_max;
	uint64_t pages_max;
	unsigned
		event_ports; /* how many event channels it may have, port 0 included; 0: all that there are */
	unsigned grant_frames; /* most frames of its grant table; 0: the default */
	unsigned
		maptrack_frames; /* most frames' worth of handles for mappings of others' grants; 0: the default */
	ipa_t distributor,
		redistributors; /* where its GIC appears, with `spis` SPIs; 0: somebody places it later */
	unsigned spis;
	unsigned pool; /* CPU pool */
	uint8_t handle[16];
};

struct domain {
	uint16_t id;
	uint8_t slot;	    /* index in domains[]; the VMID is one more */
	bool privileged;    /* Dom0: may call domctl, sysctl, platform_op, console_io */
	bool direct_mapped; /* GPA == machine address */
	enum domain_state state;
	uint32_t shut; /* 0, or 1 + the reason: it stopped itself, or was stopped for its fault */
	uint32_t
		latched; /* 0, or 1 + the reason of its end, whatever is given then (SCHEDOP_shutdown_code) */
	uint32_t paused;
	uint32_t killing; /* one CPU at a time is at work in domain_kill */
	uint64_t
		frames; /* RAM and SHARED frames with its name on them, wherever they are mapped; atomic */
	uint8_t handle[16];
	struct domain_config config;

	unsigned vcpus_max; /* vcpu[0..vcpus_max-1] may exist */
	struct vcpu *vcpu[MAX_VCPUS];
	struct vcpu *ran[MAX_CPUS]; /* last on this CPU, by number; the CPU's own */

	struct lock memory_lock; /* stage2, pages_*; see lock order */
	struct stage2 stage2;
	uint64_t pages;	    /* RAM frames that it owns */
	uint64_t pages_max; /* may own */

	struct pool *pool; /* where its vCPUs run; never NULL while it lives. Lock: that pool's */
	struct pool *moving_to; /* pool_move() is under way */
	struct credit_domain credit;

	uint32_t irqs
		[32]; /* bit i of word n: the machine's interrupt 32n + i is the domain's; core/irq's lock to change */
	unsigned event_intid;	 /* PPI of the event channel upcall: 31, or what boot/dom0 chose */
	uint64_t counter_offset; /* CNTVOFF_EL2, ticks */
	uint64_t created;	 /* counter at creation */
	uint64_t log_from;	 /* log_guest(): counter from which on its next line may come */

	bool runstate_flag; /* the guest knows the bit that says that a runstate_info is being changed */

	struct watchdog *watchdogs; /* core/watchdog.c */
	struct vuart *vuart;	    /* NULL: none */
	struct vgic *vgic;
	struct vtimer *vtimer;
	struct event_table *events;
	struct grant_table *grants;
	struct xen_domain *xen;
};

extern struct domain *domains
	[DOMAIN_MAX]; /* NULL = free; a domain's place is not its id. domain_list_lock to change */
extern struct lock domain_list_lock;

/* Makes a paused domain with vcpus_max vCPUs (none exists yet) and an empty stage 2, and calls every unit's domain_create.
 * 0, or -EEXIST, -EINVAL, -ENOMEM with nothing left behind. */
int domain_create(const struct domain_config *config, struct domain **out);
/* By id; NULL when there is none. The pointer is good until the CPU leaves EL2 (or waits): a domain is freed only after every
 * CPU did. It may be DYING or a ZOMBIE. */
struct domain *domain_find(uint16_t id);
/* The next domain with an id >= `id`, or NULL: for lists. */
struct domain *domain_next(uint16_t id);
/* Pause count down; a CREATED domain at 0 becomes RUNNING and its vCPUs that are online run. -EINVAL when not paused. */
int domain_unpause(struct domain *d);
int domain_pause(struct domain *d);
/* The guest stops itself (or is stopped): no vCPU returns to it. Dom0: power-off, reset or crash of the machine; then this
 * does not return. Else marks SHUT, kicks its vCPUs and calls the units' domain_shutdown. Once; later calls change nothing. */
void domain_shutdown(struct domain *d, unsigned reason);
/* A domain that is SHUT (to suspend) runs on. Nothing for another. */
void domain_resume(struct domain *d);
/* domain_shutdown(SHUT_CRASH) by the hypervisor, for something that the vCPU which runs here did: its registers go to the log. */
void domain_crash(struct vcpu *v, const char *why);

/* Ends a domain: stops its vCPUs, calls the units' domain_relinquish, gives its memory back; then it is a ZOMBIE or GONE. Works
 * in short steps: -ERESTART asks to be called again. 0 when done, also when it was already. Not for the caller's own domain. */
int domain_kill(struct domain *d);
/* True from domain_kill until every CPU forgot the GONE domain with this id and it is freed. */
bool domain_is_leaving(uint16_t id);
/* n frames with the domain's name on them are free again. From core/page, any locks held. */
void domain_frames_freed(uint16_t id, uint64_t n);
/* Makes zombies without frames GONE. Any CPU, no locks held; cheap when domain_reap_wanted is 0. */
extern uint32_t domain_reap_wanted;
void domain_reap(void);
/* This CPU holds no pointer to any domain but its vCPU's own: handler of SGI_FORGET, and for a CPU that goes off. */
void domain_cpu_passed(void);

/* May a line that the guest has caused go to the log? One a second on average: more would push out what others have to say. Any
 * context. */
bool log_guest(struct domain *d);

#endif
