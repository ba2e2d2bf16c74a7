#include "fake/scu_sim.h"
#include <string.h>

struct scu_sim sim;

/* status */
enum { OK = 0, PARM = 3, NOACCESS = 4, UNAVAILABLE = 6, NOPOWER = 8 };

static unsigned partition_mode(unsigned pt)
{
	return pt == SIM_HOME || pt < SIM_HOME ? 3 : sim.partition[pt].mode;
}

static unsigned effective(unsigned resource)
{
	unsigned best = 0;

	for (unsigned pt = 0; pt < SIM_PARTITIONS; pt++) {
		unsigned vote = sim.resource[resource].vote[pt];

		if (!sim.partition[pt].used)
			continue;
		vote = vote < partition_mode(pt) ? vote : partition_mode(pt);
		best = vote > best ? vote : best;
	}
	return best;
}

bool sim_powered(unsigned resource)
{
	return effective(resource) != 0;
}

unsigned sim_powered_count(void)
{
	unsigned n = 0;

	for (unsigned r = 0; r < SCU_RESOURCES; r++)
		n += sim_powered(r);
	return n;
}

void sim_reset(void)
{
	memset(&sim, 0, sizeof(sim));
	sim.sr = 0x00f00000;
	sim.latency = 5;
	for (unsigned r = 0; r < SCU_RESOURCES; r++) {
		sim.resource[r].owner = SIM_HOME;
		sim.resource[r].exists = r < 546;
		sim.resource[r].bypass = true;
		sim.resource[r].master = r >= 248 && r < 264; /* SD, Ethernet, USB */
	}
	for (unsigned r = 0; r < 19;
	     r++) /* cores, interconnect, interrupt controller: the secure partition's */
		sim.resource[r].owner = 1;
	for (unsigned pt = 0; pt <= SIM_HOME; pt++)
		sim.partition[pt] = (struct sim_partition){
			.used = true, .mode = 3, .parent = (uint8_t)(pt ? pt - 1 : 0)};
}

void sim_break(enum sim_fault fault, unsigned resource, uint32_t value, unsigned count)
{
	sim.fault = fault;
	sim.fault_resource = resource;
	sim.fault_value = value;
	sim.fault_count = count;
	if (fault == SIM_UNASKED) {
		sim.rr[0] = value;
		sim.sr |= MU_RF(0);
	}
}

/* ---- the firmware ------------------------------------------------------------------------------------------------------ */
static bool controls(unsigned pt)
{
	return pt == SIM_HOME || (sim.partition[pt].used && sim.partition[pt].parent == SIM_HOME &&
				  sim.partition[pt].grant);
}

static unsigned check(unsigned resource)
{
	if (resource >= SCU_RESOURCES || !sim.resource[resource].exists)
		return PARM;
	return controls(sim.resource[resource].owner) ? OK : NOACCESS;
}

static bool stuck(unsigned resource, enum sim_fault fault)
{
	return sim.fault == fault &&
	       (sim.fault_resource == SIM_ANY || sim.fault_resource == resource);
}

static unsigned set_mode(unsigned resource, unsigned mode)
{
	unsigned error = check(resource);
	struct sim_resource *r = &sim.resource[resource];
	bool was;

	if (error || mode > 3)
		return error ? error : PARM;
	was = sim_powered(resource);
	if (!(mode == 0 && stuck(resource, SIM_STUCK_ON)) &&
	    !(mode != 0 && stuck(resource, SIM_STUCK_OFF)))
		r->vote[r->owner] = (uint8_t)mode;
	sim.transitions += was != sim_powered(resource);
	return OK;
}

static unsigned partition_alloc(const uint8_t *p, uint8_t *out)
{
	if (p[0]) /* secure, asked by one that is not */
		return PARM;
	for (unsigned pt = SIM_HOME + 1; pt < SIM_PARTITIONS; pt++)
		if (!sim.partition[pt].used) {
			sim.partition[pt] = (struct sim_partition){.used = true,
								   .isolated = p[1],
								   .restricted = p[2],
								   .grant = p[3],
								   .parent = SIM_HOME,
								   .mode = 0};
			*out = (uint8_t)pt;
			return OK;
		}
	return UNAVAILABLE;
}

static unsigned partition_free(unsigned pt)
{
	if (pt >= SIM_PARTITIONS || !sim.partition[pt].used)
		return PARM;
	if (pt <= SIM_HOME || sim.partition[pt].parent != SIM_HOME)
		return NOACCESS;
	for (unsigned r = 0; r < SCU_RESOURCES; r++) {
		if (sim.resource[r].owner == pt) {
			sim.resource[r].owner = SIM_HOME;
			sim.resource[r].bypass = true;
		}
		sim.resource[r].vote[pt] = 0;
	}
	sim.partition[pt].used = false;
	return OK;
}

static unsigned assign(unsigned resource, unsigned pt)
{
	unsigned error = check(resource);

	if (error)
		return error;
	if (pt >= SIM_PARTITIONS || !sim.partition[pt].used)
		return PARM;
	if (!controls(pt))
		return NOACCESS;
	sim.resource[resource].owner = (uint8_t)pt;
	sim.resource[resource].bypass = true;
	sim.resource[resource].sid = 0;
	return OK;
}

static unsigned set_sid(unsigned resource, unsigned sid)
{
	unsigned error = check(resource);

	if (error)
		return error;
	if (!sim.resource[resource].master || sid == 0 || sid > 63)
		return PARM;
	sim.resource[resource].sid = (uint16_t)sid;
	sim.resource[resource].bypass = false;
	return OK;
}

/* Payload p (28 bytes) of service and function; writes the answer's payload and returns its size in words; status in *status. */
static unsigned serve(unsigned service, unsigned function, const uint8_t *p, uint8_t *out,
		      unsigned *status)
{
	unsigned id = p[0] | (unsigned)p[1] << 8;

	switch (service << 8 | function) {
	case 0x203:
		*status = set_mode(id, p[2]);
		return 1;
	case 0x204:
		*status = check(id);
		out[0] = *status ? 0
				 : sim.resource[id].vote
					   [sim.resource[id].owner]; /* not that of the partition */
		return 2;
	case 0x201:
		*status = p[0] >= SIM_PARTITIONS || !sim.partition[p[0]].used || p[1] > 3 ? PARM
			  : controls(p[0])						  ? OK
					   : NOACCESS;
		if (*status == OK)
			sim.partition[p[0]].mode = p[1];
		return 1;
	case 0x206: /* clock rate: 24 MHz */
		*status = check(id) ? check(id) : sim_powered(id) ? OK : NOPOWER;
		memcpy(out, &(uint32_t){24000000}, 4);
		return 2;
	case 0x301:
		*status = partition_alloc(p, out);
		return 2;
	case 0x302:
		*status = partition_free(p[0]);
		return 1;
	case 0x305:
		*status = OK;
		out[0] = SIM_HOME;
		return 2;
	case 0x308:
		*status = assign(id, p[2]);
		return 1;
	case 0x30b:
		*status = set_sid(id, p[2] | (unsigned)p[3] << 8);
		return 1;
	case 0x30d: /* owned: the answer is in the status */
		*status = id < SCU_RESOURCES && sim.resource[id].exists &&
			  sim.resource[id].owner == SIM_HOME;
		return 1;
	case 0x60f: /* pad set */
		*status = OK;
		return 1;
	case 0x713: /* unique id */
		*status = OK;
		memcpy(out, "\1\2\3\4\5\6\7\10", 8);
		return 3;
	}
	*status = PARM;
	return 1;
}

static bool strikes(unsigned service, unsigned resource)
{
	if (sim.fault == SIM_FINE || sim.fault == SIM_STUCK_ON || sim.fault == SIM_STUCK_OFF ||
	    sim.fault == SIM_UNASKED || sim.fault_count == 0)
		return false;
	if (sim.fault_resource != SIM_ANY && (service != 2 || sim.fault_resource != resource))
		return false;
	sim.fault_count--;
	return true;
}

static void carry_out(void)
{
	const uint8_t *p = (const uint8_t *)&sim.in[1];
	unsigned service = sim.in[0] >> 16 & 0xff, function = sim.in[0] >> 24, status = OK, size;
	uint8_t *out = (uint8_t *)&sim.out[1];
	bool bad = strikes(service, p[0] | (unsigned)p[1] << 8);

	sim.calls++;
	memset(sim.out, 0, sizeof(sim.out));
	if (bad && sim.fault == SIM_STATUS) {
		status = sim.fault_value;
		size = 1;
	} else {
		size = serve(service, function, p, out, &status);
	}
	sim.in_at = 0;
	if (bad && (sim.fault == SIM_SILENT || sim.fault == SIM_DEAF))
		return;
	sim.out_when = sim.clock + (bad && sim.fault == SIM_LATE ? sim.fault_value : sim.latency);
	if (bad && sim.fault == SIM_SHORT)
		size = 1;
	if (bad && sim.fault == SIM_BAD_VALUE)
		out[0] = (uint8_t)sim.fault_value;
	sim.out[0] = 1u | size << 8 | 1u << 16 | status << 24;
	if (bad && sim.fault == SIM_BAD_SIZE)
		sim.out[0] = (sim.out[0] & ~0xff00u) | sim.fault_value << 8;
	if (bad && sim.fault == SIM_HALF)
		size = 1;
	sim.out_size = size;
	sim.out_at = bad && sim.fault == SIM_OUT_OF_STEP ? 1 : 0;
	if (sim.out_at)
		sim.out_size++;
	sim.answering = true;
}

/* ---- the messaging unit, from the client's side ------------------------------------------------------------------------- */
static void tick(void)
{
	sim.clock++;
	while (sim.answering && sim.clock >= sim.out_when && sim.out_at < sim.out_size &&
	       !(sim.sr & MU_RF(sim.out_at % 4))) {
		bool shifted = sim.out_at > 0 && sim.fault == SIM_OUT_OF_STEP;

		sim.rr[sim.out_at % 4] = sim.out[shifted ? sim.out_at - 1 : sim.out_at];
		sim.sr |= MU_RF(sim.out_at % 4);
		sim.out_at++;
	}
	if (sim.out_at == sim.out_size)
		sim.answering = false;
}

static uint32_t mu_read(void *arg, unsigned offset)
{
	(void)arg;
	tick();
	if (offset == MU_SR)
		return sim.sr;
	if (offset == MU_CR)
		return sim.cr;
	if (offset >= MU_RR(0) && offset < MU_RR(4) && offset % 4 == 0) {
		unsigned n = (offset - MU_RR(0)) / 4;

		if (!(sim.sr & MU_RF(n)))
			sim.violations++;
		sim.sr &= ~MU_RF(n);
		return sim.rr[n];
	}
	sim.violations++;
	return 0;
}

static void mu_write(void *arg, unsigned offset, uint32_t value)
{
	(void)arg;
	tick();
	if (offset == MU_CR) {
		sim.cr = value;
		return;
	}
	if (offset >= MU_TR(4) || offset % 4 || !(sim.sr & MU_TE(offset / 4)) ||
	    offset / 4 != sim.in_at % 4 || (sim.in_at == 0 && sim.answering)) {
		sim.violations++;
		return;
	}
	if (sim.fault == SIM_DEAF && sim.fault_count > 0) {
		sim.sr &= ~MU_TE(offset / 4);
		sim.in_at++;
		return;
	}
	sim.in[sim.in_at++] = value;
	if (sim.in_at == (sim.in[0] >> 8 & 0xff))
		carry_out();
}

static uint64_t mu_now(void *arg)
{
	(void)arg;
	tick();
	return sim.clock;
}

const struct scu_port sim_port = {mu_read, mu_write, mu_now, NULL};
