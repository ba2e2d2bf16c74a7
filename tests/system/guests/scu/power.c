/* hypervisor/boot/power.c with the system controller that QEMU's board lacks: the simulator of the unit tests answers behind the same
 * registers. Only a test boots this (tests/bare.mk). Whatever gains or loses power is a line on the console, the view from
 * outside. A page of registers makes faults at run time; the simulator's own state is touched under the mailbox's lock alone, so
 * an order waits there until the mailbox is looked at next.
 *   write 0 fault (enum sim_fault), 4 resource, 8 value (SIM_LATE: us), 12 how often, then 16: 1 break, 2 vote (mode `value` for
 *   `resource`, as if somebody else spoke to the firmware), 3 latency of `value` us, 4 bridge the switches: all has power for good
 *   read 16 order not carried out yet, 20 has `resource` power, 24 broken rules of the messaging unit */
#include "core/power_rail.h"
#include "drivers/scu_rpc.h"
#include "fake/scu_sim.h"
#include "guest/trap.h"

#define power_find power_find_of_the_product
#define power_run  power_run_of_the_product
#include "../../../../hypervisor/boot/power.c"
#undef power_find
#undef power_run

#define CONTROL 0x0b010000ul /* nothing of QEMU's is there */
enum { BREAK = 1, VOTE, LATENCY, BRIDGE };

static uint32_t control[4], order;
static bool bridged, shown[SCU_RESOURCES];
static unsigned looked = ~0u; /* at which message */

static uint64_t ticks(uint32_t us)
{
	return time_ticks_of_ns(us * 1000ul);
}

static void carry_out_order(void)
{
	unsigned resource = control[1] % SCU_RESOURCES;

	switch (__atomic_load_n(&order, __ATOMIC_ACQUIRE)) {
	case BREAK:
		sim_break(control[0], control[1],
			  control[0] == SIM_LATE ? (uint32_t)ticks(control[2]) : control[2],
			  control[3]);
		break;
	case VOTE:
		sim.resource[resource].vote[sim.resource[resource].owner] = (uint8_t)control[2];
		break;
	case LATENCY:
		sim.latency = ticks(control[2]);
		break;
	case BRIDGE:
		bridged = control[2] != 0;
		break;
	default:
		return;
	}
	looked = ~0u;
	__atomic_store_n(&order, 0, __ATOMIC_RELEASE);
}

/* What is different since the last message. */
static void tell(void)
{
	if (looked == sim.calls || power == NULL)
		return;
	looked = sim.calls;
	for (unsigned r = 0; r < SCU_RESOURCES; r++) {
		bool on = bridged || sim_powered(r);

		if (power->rail_of[r] == NO_RAIL || shown[r] == on)
			continue;
		shown[r] = on;
		log_warning("scu: %u %s", r, on ? "on" : "off");
	}
}

static uint32_t sim_read(void *arg, unsigned offset)
{
	sim.clock = cpu_counter();
	carry_out_order();
	tell();
	return sim_port.read(arg, offset);
}
static void sim_write(void *arg, unsigned offset, uint32_t value)
{
	sim.clock = cpu_counter();
	sim_port.write(arg, offset, value);
	tell();
}

static bool control_access(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	(void)v;
	if (m->size != 4 || offset % 4 != 0)
		return false;
	if (m->write && offset < sizeof(control))
		control[offset / 4] = (uint32_t)m->value;
	else if (m->write && offset == 16)
		__atomic_store_n(&order, (uint32_t)m->value, __ATOMIC_RELEASE);
	else if (!m->write)
		m->value = offset == 16	  ? __atomic_load_n(&order, __ATOMIC_ACQUIRE)
			   : offset == 20 ? sim_powered(control[1] % SCU_RESOURCES)
			   : offset == 24 ? sim.violations
					  : 0;
	return true;
}

void power_find(const void *fdt)
{
	static const struct scu_port port = {.read = sim_read, .write = sim_write, .now = counter};

	if (!find_mailbox(fdt))
		return;
	sim_reset();
	sim.latency = ticks(20);
	/* a boot loader that leaves everything on */
	for (unsigned r = 19; r < 546; r++)
		sim.resource[r].vote[SIM_HOME] = SCU_ON;
	if (!power_open(fdt, &port))
		panic("the simulated system controller does not work");
}

void power_run(void)
{
	if (mailbox.size != 0 &&
	    mmio_register(domains[0], IPA(CONTROL), PAGE_SIZE, control_access) != 0)
		panic("no room for the simulator's own registers");
	power_run_of_the_product();
}
