/* Requests and answers of the SCFW, see scu_rpc.h. Payload bytes are little-endian, packed. */
#include "drivers/scu_rpc.h"
#include "drivers/scu.h"
#include "lib/errno.h"

/* A request: word 1 is a | b << shift; no word 1 when size is 1. value_below: the answer has a byte, less than this. */
static const struct {
	uint8_t service, function, size, shift, value_below;
} calls[] = {
	[SCU_SET_MODE] = {SCU_PM, 3, 2, 16, 0},
	[SCU_GET_MODE] = {SCU_PM, 4, 2, 0, 4},
	[SCU_SET_PARTITION_MODE] = {SCU_PM, 1, 2, 8, 0},
	[SCU_PARTITION_ALLOC] = {SCU_RM, 1, 3, 0, 32},
	[SCU_PARTITION_FREE] = {SCU_RM, 2, 2, 0, 0},
	[SCU_GET_PARTITION] = {SCU_RM, 5, 1, 0, 32},
	[SCU_ASSIGN_RESOURCE] = {SCU_RM, 8, 2, 16, 0},
	[SCU_SET_SID] = {SCU_RM, 11, 2, 16, 0},
};

/* Flags of a new partition, one byte each from the lowest: secure, isolated, restricted, grant; then coherent. Not isolated: the
 * domain's code runs on cores of the machine's own partition, which an isolation domain of the devices would lock out; stage 2
 * and stream ids isolate. Restricted: makes no partitions. Grant: we keep control. */
#define PARTITION_FLAGS 0x01010000u

void scu_rpc_request(enum scu_rpc call, unsigned a, unsigned b, uint32_t *message)
{
	message[0] = SCU_HEADER(calls[call].size, calls[call].service, calls[call].function);
	message[1] = call == SCU_PARTITION_ALLOC ? PARTITION_FLAGS : a | b << calls[call].shift;
	message[2] = 0;
}

int scu_rpc_answer(enum scu_rpc call, const uint32_t *message, unsigned *value)
{
	static const uint8_t errors[] = {
		[SCU_BAD_PARAMETER] = EINVAL, [SCU_NO_ACCESS] = EACCES, [SCU_LOCKED] = EPERM,
		[SCU_UNAVAILABLE] = ENOSPC,   [SCU_NOT_FOUND] = ENOENT, [SCU_NO_POWER] = ENXIO,
		[SCU_IS_BUSY] = EBUSY,
	};
	unsigned status = message[0] >> 24;

	if (status != SCU_OK)
		return status < ARRAY_SIZE(errors) && errors[status] ? -errors[status] : -EIO;
	if (calls[call].value_below == 0)
		return 0;
	if (SCU_SIZE(message[0]) < 2 || (message[1] & 0xff) >= calls[call].value_below)
		return -EBADMSG;
	*value = message[1] & 0xff;
	return 0;
}
