/* The calls of the system controller firmware (SCFW) that the hypervisor makes, as bytes of its messages (SCFW API: power
 * management "PM", resource management "RM"; the numbers are those of Trusted Firmware-A's and Linux's clients). */
#ifndef DRIVERS_SCU_RPC_H
#define DRIVERS_SCU_RPC_H
#include "lib/types.h"

enum scu_service { SCU_RETURN = 1, SCU_PM, SCU_RM, SCU_TIMER = 5, SCU_PAD, SCU_MISC, SCU_IRQ };

/* Power modes of a resource. It is off at OFF only; what Linux calls off is LP. */
enum scu_mode { SCU_OFF, SCU_STANDBY, SCU_LP, SCU_ON };

/* Status in an answer. */
enum scu_status {
	SCU_OK,
	SCU_BAD_VERSION,
	SCU_BAD_CONFIG,
	SCU_BAD_PARAMETER,
	SCU_NO_ACCESS,
	SCU_LOCKED,
	SCU_UNAVAILABLE,
	SCU_NOT_FOUND,
	SCU_NO_POWER,
	SCU_IPC_ERROR,
	SCU_IS_BUSY,
	SCU_FAILED,
};

enum scu_rpc {
	SCU_SET_MODE,		/* resource, mode */
	SCU_GET_MODE,		/* resource: mode */
	SCU_SET_PARTITION_MODE, /* partition, mode: the most that any of its resources gets */
	SCU_PARTITION_ALLOC,	/* : partition */
	SCU_PARTITION_FREE,	/* partition: what it owns goes to the caller */
	SCU_GET_PARTITION,	/* : the caller's own */
	SCU_ASSIGN_RESOURCE, /* resource, partition: resets its attributes, DMA bypasses the SMMU then */
	SCU_SET_SID,	     /* resource, stream id (1..63) of its DMA */
};

/* Writes the request; `message` has SCU_WORDS words. */
void scu_rpc_request(enum scu_rpc call, unsigned a, unsigned b, uint32_t *message);
/* Reads the answer. 0 and *value (calls that have one), or the status as negative errno; -EBADMSG: no answer to this call. */
int scu_rpc_answer(enum scu_rpc call, const uint32_t *message, unsigned *value);

#endif
