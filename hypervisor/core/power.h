/* Power rails of platform devices: what is switched together, for whom, what was wanted and what was read back. The rule: a rail
 * is on if and only if its owner is booted. Off is what was read back, never what was asked. How a board switches is a backend;
 * a board without one has no rails, and every call says -EOPNOTSUPP. */
#ifndef CORE_POWER_H
#define CORE_POWER_H
#include "core/domain.h"

#define RAIL_MAX	   128
#define RAIL_RESOURCES	   512 /* of all rails together */
#define RAIL_RANGES	   256
#define POWER_RESOURCE_IDS 1024 /* a backend's resource ids are below */

/* Owners that are no domain. */
#define POWER_NOBODY	 0x7ff4 /* Xen's DOMID_INVALID */
#define POWER_HYPERVISOR 0x7ff2 /* Xen's DOMID_XEN: always on */

/* Partition of the firmware that a domain's resources go to: its slot, see struct domain; or our own. */
#define POWER_OURS DOMAIN_MAX

enum power_level { POWER_UNKNOWN, POWER_OFF, POWER_ON };

/*  wanted  actual   error  step     meaning                                            registers  may be given
 *  OFF     OFF      0      SETTLED  at rest                                            unmapped   yes
 *  ON      ON       0      SETTLED  works for its owner                                mapped     no
 *  ON      OFF      0      SETTLED  Dom0's own, which its kernel switches itself       mapped     no
 *  OFF     not OFF  < 0    SETTLED  stuck on, or nobody can say: given to nobody       unmapped   no: set off again first
 *  ON      any      < 0    SETTLED  did not come on or not stay on, was switched off   unmapped   no: set off first
 *  any     any      any    others   on its way to `wanted`                             unmapped   no
 * Off: UNMAP, OFF, OFF_READ, then CEILING_OFF when the domain has nothing else on, and RETURN, RETIRE when it has gone.
 * On: MOVE to the owner's partition, CEILING_ON, ON, ON_READ, MAP; the first that fails turns to UNMAP.
 * READ turns to UNMAP, too, when what was switched on cannot be read as on, or what was stuck on reads off. */
enum rail_step {
	RAIL_SETTLED,
	RAIL_UNMAP,
	RAIL_OFF,
	RAIL_OFF_READ,
	RAIL_CEILING_OFF,
	RAIL_RETURN,
	RAIL_RETIRE,
	RAIL_MOVE,
	RAIL_CEILING_ON,
	RAIL_ON,
	RAIL_ON_READ,
	RAIL_MAP,
	RAIL_READ,
};

enum power_reason {
	POWER_AT_BOOT,	  /* nobody's, or Dom0's by the device tree */
	POWER_ALWAYS_ON,  /* the board's rule; rail.why says it */
	POWER_ASKED,	  /* power_set() */
	POWER_OWNER_SHUT, /* the owner stopped or crashed */
	POWER_OWNER_GONE, /* the owner was destroyed */
};

struct power_range {
	uint64_t base, size; /* registers, whole pages */
};

struct rail {
	uint32_t id;	 /* its lowest resource: the same at every boot */
	uint16_t owner;	 /* domain whose life it follows, POWER_NOBODY, POWER_HYPERVISOR */
	uint16_t driver; /* domain that sees the registers: Dom0 or the owner */
	uint8_t place; /* partition that the owner's resources belong in: its slot, or POWER_OURS */
	uint8_t home;  /* and where they are */
	uint8_t wanted, actual; /* enum power_level */
	uint8_t step,
		todo;	/* enum rail_step; todo: where the next job begins, RAIL_SETTLED: none */
	uint8_t reason; /* enum power_reason, of `wanted` */
	int error;	/* of the last switch or reading: 0 or negative errno */
	uint64_t since; /* time_ns() when `actual` last changed */
	uint64_t read;	/* time_ns() when it was last read back */
	uint16_t resources, first_resource, ranges, first_range;
	char name[32];	 /* its device, as in the device tree */
	const char *why; /* always on, because */
};

/* How a board switches. Every call is for one resource; it starts the work, or goes on with it: -EAGAIN until it is done, then
 * 0 or the error. Power's lock is held; never two calls under way. */
struct power_backend {
	const char *name;
	int (*set)(unsigned resource, bool on);
	int (*get)(unsigned resource, enum power_level *level);
	/* Into a partition (made when there is none). `streams`: its DMA is to carry the domain's stream id. */
	int (*assign)(unsigned resource, unsigned place, bool streams);
	/* The most that any resource in a domain's partition gets. */
	int (*ceiling)(unsigned place, bool on);
	int (*retire)(unsigned place); /* the partition is empty and not needed any more */
};

/* ---- boot: once, one CPU, before the first domain runs ---- */
int power_init(const struct power_backend *backend); /* -ENOMEM */
/* Adds a rail. It starts with `actual` UNKNOWN; wanted ON when it has an owner. -ENOSPC; -EEXIST when a resource has a rail;
 * -EINVAL without resources. */
int power_add(const char *name, const uint16_t *resources, unsigned count,
	      const struct power_range *ranges, unsigned range_count, uint16_t owner,
	      const char *why);
/* Unmaps from Dom0 what is nobody's or the hypervisor's, reads every rail, and switches off what is nobody's. Returns when all is
 * settled. */
void power_start(void);

/* ---- questions ---- */
unsigned power_count(void);
const char *power_backend_name(void); /* NULL: this board has none */
/* A copy of rail `index` (0 to power_count() - 1). -ENOENT. */
int power_get(unsigned index, struct rail *out);

/* Index of the rail that has these registers. -ENOENT. */
int power_at(uint64_t address);

/* What a domain may do with a resource, for the filter of its messages to the firmware. */
enum power_access {
	POWER_UNLISTED, /* no rail has it */
	POWER_FOREIGN,	/* another drives it */
	POWER_IDLE,	/* it drives the rail, which is not on */
	POWER_FULL,
};
enum power_access power_access(unsigned resource, uint16_t domain);
/* Is any of these registers a rail's? Then nobody else maps or unmaps them. */
bool power_has_registers(uint64_t base, uint64_t size);

/* ---- orders. They return at once; power_get() tells what came of it. -ENOENT: no such rail. ---- */
/* Off also again, after an error. -EPERM: always on; on without an owner, or with one that does not live. -EIO: on, while it is
 * stuck on. -EBUSY: on, while something of a dead domain is stuck in the owner's partition. */
int power_set(uint32_t id, bool on);
/* A new owner (POWER_NOBODY: none) and driver for a rail that is off; or, of one that is on, was Dom0's and stays driven by Dom0, a
 * new owner: a disk has to be there before the domain is that boots from it. -EPERM: always on, or driver neither Dom0 nor owner;
 * -ESRCH: no such domain; -EBUSY: on, or on its way; -EIO: stuck on. */
int power_give(uint32_t id, uint16_t owner, uint16_t driver);
/* Reads it back, and switches off what cannot be read as on any more (Dom0's own excepted). */
int power_refresh(uint32_t id);

/* One step of the work that is there; true when more is to be done, after `wait` (more than a poll of the backend would do no
 * good at once). The timer calls it; host tests do. */
bool power_work(void);

#endif
