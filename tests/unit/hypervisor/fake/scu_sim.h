/* A simulator of the i.MX8 system controller: a second implementation of the messaging unit's and the firmware's side, written
 * from the SCFW API's description and not from our driver. It keeps the state of every resource, refuses what the firmware
 * refuses, and misbehaves on demand. Time stands still unless it is asked for: each look at the clock is one tick. */
#ifndef FAKE_SCU_SIM_H
#define FAKE_SCU_SIM_H
#include "drivers/scu.h"

#define SIM_PARTITIONS 32
#define SIM_TIMEOUT    1000 /* ticks: what the driver is told */
#define SIM_HOME                                                                                   \
	2 /* the partition that the mailbox belongs to; 0 the firmware's, 1 the secure one */

enum sim_fault {
	SIM_FINE,
	SIM_STATUS, /* the next calls (on `resource`, if not SIM_ANY) are answered with status `value` */
	SIM_STUCK_ON,	 /* the resource does not go off, and the answer is "done" */
	SIM_STUCK_OFF,	 /* nor on */
	SIM_SILENT,	 /* the next calls are carried out and never answered */
	SIM_DEAF,	 /* the next calls are not even read */
	SIM_LATE,	 /* they are answered after `value` ticks */
	SIM_OUT_OF_STEP, /* the words of the answer go through the wrong registers */
	SIM_BAD_SIZE,	 /* the answer's header says `value` words */
	SIM_SHORT,	 /* the answer lacks its value */
	SIM_BAD_VALUE,	 /* the answer's value is `value` */
	SIM_HALF,	 /* only the first word of the answer comes */
	SIM_UNASKED,	 /* words come that nobody asked for */
};
#define SIM_ANY (~0u)

struct sim_resource {
	uint8_t owner;
	uint8_t vote
		[SIM_PARTITIONS]; /* mode that each partition asked for: a vote stays when the resource moves */
	uint16_t sid;
	bool bypass; /* DMA passes the SMMU by */
	bool master; /* does DMA */
	bool exists;
};
struct sim_partition {
	bool used, restricted, grant, isolated;
	uint8_t parent, mode;
};

struct scu_sim {
	uint64_t clock, latency; /* ticks until an answer begins */
	struct sim_resource resource[SCU_RESOURCES];
	struct sim_partition partition[SIM_PARTITIONS];

	enum sim_fault fault;
	unsigned fault_resource, fault_count;
	uint32_t fault_value;

	/* the messaging unit */
	uint32_t tr[4], rr[4], sr, cr;
	uint32_t in[SCU_WORDS], out[SCU_WORDS];
	unsigned in_at, out_at, out_size;
	uint64_t out_when;
	bool answering;

	/* what the tests ask */
	unsigned calls;	      /* messages that were carried out or refused */
	unsigned violations;  /* things no client may do: wrong register, overrun */
	unsigned transitions; /* of the power of any resource */
};

extern struct scu_sim sim;
extern const struct scu_port sim_port;

/* Everything as after the secure firmware: all resources in SIM_HOME, off. */
void sim_reset(void);
void sim_break(enum sim_fault fault, unsigned resource, uint32_t value, unsigned count);
/* Has the resource power? The best of all votes, each no more than its partition's mode. */
bool sim_powered(unsigned resource);
/* How many have. */
unsigned sim_powered_count(void);

#endif
