/* Domus's own hypercall: platform power rails (docs/power.md, "Platform rails in the hypervisor"), and what the firmware says of the
 * cores. Dom0 only: else -EPERM; on a board without rails -EOPNOTSUPP, on other hypervisors -ENOSYS. The one header of the
 * hypervisor that the agent includes: plain C, no other header of ours.
 *   number DOMUS_POWER_HYPERCALL (__HYPERVISOR_arch_0), x0 one of DOMUS_POWER_*, x1 its structure */
#ifndef XEN_DOMUS_POWER_H
#define XEN_DOMUS_POWER_H
#include <stdint.h>

#define DOMUS_POWER_HYPERCALL 48
#define DOMUS_POWER_VERSION   1

#define DOMUS_POWER_info    0 /* struct domus_power_info: out */
#define DOMUS_POWER_get	    1 /* struct domus_rail: index in, the rest out. -ENOENT: no such index */
#define DOMUS_POWER_set	    2 /* struct domus_power_set */
#define DOMUS_POWER_give    3 /* struct domus_power_give */
#define DOMUS_POWER_refresh 4 /* struct domus_power_set, `on` unused: reads the rail back */
#define DOMUS_POWER_find    5 /* struct domus_power_find: address in, index out. -ENOENT */
#define DOMUS_POWER_core    6 /* struct domus_power_core: index in; on every board. -ENOENT: no such core */

#define DOMUS_OWNER_NOBODY     0x7ff4 /* DOMID_INVALID */
#define DOMUS_OWNER_HYPERVISOR 0x7ff2 /* DOMID_XEN: always on */

struct domus_power_info {
	uint32_t version; /* DOMUS_POWER_VERSION; 0: this board has no rails */
	uint32_t rails;
	char backend[24];
};

/* Levels: 0 unknown, 1 off, 2 on. Times: nanoseconds of the hypervisor's clock. */
struct domus_rail {
	uint32_t index;	 /* in */
	uint32_t id;	 /* the same at every boot */
	uint16_t owner;	 /* domain id, DOMUS_OWNER_* */
	uint16_t driver; /* who sees the registers */
	uint8_t wanted;
	uint8_t actual; /* what was read back */
	uint8_t busy;	/* on its way to `wanted`: ask again */
	uint8_t reason; /* of `wanted`: 0 boot, 1 always on, 2 asked, 3 owner stopped, 4 owner destroyed */
	int32_t error; /* of the last switch or reading: 0 or negative errno */
	uint32_t resources;
	uint64_t since;	 /* `actual` has this value since */
	uint64_t read;	 /* and was last read back at */
	char device[32]; /* its device, as in the device tree: "mmc@5b010000" */
	char why[24];	 /* always on, because */
};

/* Orders return at once: get() until `busy` is 0, then actual and error tell. Errors: core/power.h. */
struct domus_power_set {
	uint32_t id;
	uint32_t on; /* 0, 1 */
};
struct domus_power_give {
	uint32_t id;
	uint16_t owner, driver; /* driver: 0 (Dom0) or the owner */
};
struct domus_power_core {
	uint32_t index; /* in: the hypervisor's number, order of the device tree */
	int32_t affinity; /* PSCI AFFINITY_INFO, asked now: 0 on, 1 off, 2 on its way; negative: PSCI's error */
	uint64_t mpidr; /* affinity fields */
	uint32_t cluster;
	uint32_t zero;
};
struct domus_power_find {
	uint64_t address; /* of a register of the device, as the device tree has it */
	uint32_t index;
	uint32_t zero;
};

#endif
