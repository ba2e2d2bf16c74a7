/* One partition for each domain that has rails, made when the first resource goes there and freed when the last one has come
 * back. Its power mode is the ceiling of all that it owns: the second lock on a door that each resource's own mode shuts. */
#include "drivers/scu_power.h"
#include "drivers/scu_rpc.h"
#include "lib/errno.h"
#include "lib/string.h"

#define STREAM_FIRST                                                                               \
	16 /* stream id of the domain in slot n is 16 + n; 0 means bypass, 63 is the last */
#define NO_PARTITION 0xff
_Static_assert(STREAM_FIRST + DOMAIN_MAX <= 64, "stream ids have 6 bits");

static struct scu scu;
static unsigned home;		      /* our own partition */
static uint8_t partition[DOMAIN_MAX]; /* by the domain's slot; NO_PARTITION */
static bool assigned; /* assign(): the resource is there, its stream id is not set yet */

static int call(enum scu_rpc rpc, unsigned a, unsigned b, unsigned *value)
{
	uint32_t message[SCU_WORDS];
	int error;

	scu_rpc_request(rpc, a, b, message);
	error = scu_call(&scu, SCU_POWER, message);
	return error ? error : scu_rpc_answer(rpc, message, value);
}

int scu_power_open(const struct scu_port *port, uint64_t timeout)
{
	int error;

	memset(partition, NO_PARTITION, sizeof(partition));
	assigned = false;
	scu_init(&scu, port, timeout);
	do
		error = call(SCU_GET_PARTITION, 0, 0, &home);
	while (error == -EAGAIN);
	return error;
}

static int power_mode(unsigned resource, bool on)
{
	return call(SCU_SET_MODE, resource, on ? SCU_ON : SCU_OFF, NULL);
}

static int read_mode(unsigned resource, enum power_level *level)
{
	unsigned mode;
	int error = call(SCU_GET_MODE, resource, 0, &mode);

	if (!error) /* whatever else it is, it is not off */
		*level = mode == SCU_OFF ? POWER_OFF : POWER_ON;
	return error;
}

/* The partition of a domain, made if need be. */
static int open_partition(unsigned place)
{
	unsigned made;
	int error;

	if (partition[place] != NO_PARTITION)
		return 0;
	error = call(SCU_PARTITION_ALLOC, 0, 0, &made);
	if (!error)
		partition[place] = (uint8_t)made;
	return error;
}

static int assign(unsigned resource, unsigned place, bool streams)
{
	bool ours = place == POWER_OURS;
	int error = ours ? 0 : open_partition(place);

	if (error)
		return error;
	if (!assigned) {
		error = call(SCU_ASSIGN_RESOURCE, resource, ours ? home : partition[place], NULL);
		if (error || ours || !streams)
			return error;
		assigned = true;
	}
	/* the move has set the resource's DMA to pass the SMMU by */
	error = call(SCU_SET_SID, resource, STREAM_FIRST + place, NULL);
	if (error != -EAGAIN)
		assigned = false;
	return error == -EINVAL ? 0 : error; /* does no DMA */
}

static int ceiling(unsigned place, bool on)
{
	if (partition[place] == NO_PARTITION) /* the move there failed */
		return 0;
	return call(SCU_SET_PARTITION_MODE, partition[place], on ? SCU_ON : SCU_OFF, NULL);
}

static int retire(unsigned place)
{
	int error;

	if (partition[place] == NO_PARTITION)
		return 0;
	error = call(SCU_PARTITION_FREE, partition[place], 0, NULL);
	if (!error)
		partition[place] = NO_PARTITION;
	return error;
}

const struct power_backend scu_power = {
	.name = "scu",
	.set = power_mode,
	.get = read_mode,
	.assign = assign,
	.ceiling = ceiling,
	.retire = retire,
};

int scu_forward(uint32_t *message)
{
	return scu_call(&scu, SCU_DOM0, message);
}
