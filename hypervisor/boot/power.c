/* Platform power on boards that have it: i.MX8 with its system controller. */
#include "arch/mmu.h"
#include "boards/imx8qm.h"
#include "boot/boot.h"
#include "boot/power_tree.h"
#include "core/page.h"
#include "core/time.h"
#include "drivers/scu_power.h"
#include "guest/vscu.h"
#include "lib/print.h"
#include <libfdt.h>

#define CALL_MS 30 /* for a whole call; Linux gives as much */

static struct dt_range mailbox; /* size 0: none */
static unsigned mailbox_intid;

static uint32_t mu_read(void *regs, unsigned offset)
{
	return *(volatile uint32_t *)((char *)regs + offset);
}
static void mu_write(void *regs, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)((char *)regs + offset) = value;
}
static uint64_t counter(void *regs)
{
	(void)regs;
	return cpu_counter();
}

static const char *always_on(const struct power_tree_rail *r)
{
	for (unsigned i = 0; i < r->resources; i++)
		for (unsigned k = 0; k < imx8qm_always_on_count; k++)
			if (r->resource[i] >= imx8qm_always_on[k].first &&
			    r->resource[i] <= imx8qm_always_on[k].last)
				return imx8qm_always_on[k].why;
	return r->owner == POWER_HYPERVISOR ? "the console" : NULL;
}

static int add_rails(struct power_tree *t, struct power_tree_rail *r)
{
	int error = 0;

	for (unsigned at = 0; error == 0 && power_tree_next(t, &at, r);) {
		const char *why = always_on(r);

		error = power_add(r->name, r->resource, r->resources, r->range, r->ranges,
				  why ? POWER_HYPERVISOR : r->owner, why);
	}
	return error;
}

/* The mailbox that /system-controller names, which is ours from now on. */
static bool find_mailbox(const void *fdt)
{
	int scu = dt_compatible(fdt, -1, "fsl,imx-scu"), node;
	struct dt_value v;
	unsigned flags;

	if (scu < 0)
		return false;
	v = dt_property(fdt, scu, "mboxes");
	node = v.size >= 4 ? dt_phandle(fdt, (uint32_t)dt_read_cells(v.data, 1)) : -1;
	if (node < 0 || !dt_reg(fdt, node, 0, &mailbox) ||
	    !dt_interrupt(fdt, node, 0, dt_compatible(fdt, -1, "arm,gic-v3"), &mailbox_intid,
			  &flags)) {
		mailbox.size = 0;
		log_warning("power: the system controller's mailbox cannot be found: Dom0 has all "
			    "of it");
	}
	return mailbox.size != 0;
}

bool power_open(const void *fdt, const struct scu_port *port)
{
	int error = scu_power_open(port, time_ticks_of_ns(CALL_MS * 1000000ul));
	const char *why = error == 0 ? NULL : "the system controller does not answer";
	struct power_tree *t;

	_Static_assert(sizeof(*t) + sizeof(struct power_tree_rail) <= PAGE_SIZE << 4,
		       "their heap pages");
	t = why == NULL ? heap_pages(4) : NULL;
	if (t != NULL && power_tree_read(t, fdt)) {
		error = power_init(&scu_power);
		if (error == 0)
			error = add_rails(t, (struct power_tree_rail *)(t + 1));
		if (error != 0)
			panic("power: the rails cannot be kept (error %d)", error);
	} else if (why == NULL) {
		why = t == NULL		? "no memory"
		      : t->full != NULL ? "the device tree has too many devices"
					: "the device tree has no power controller";
	}
	if (t != NULL)
		heap_free(t, 4);
	if (why != NULL)
		log_error("power: %s (error %d): no rails, Dom0 has the system controller", why,
			  error);
	return why == NULL;
}

void power_find(const void *fdt)
{
	struct scu_port port = {.read = mu_read, .write = mu_write, .now = counter};

	if (!find_mailbox(fdt))
		return;
	port.arg = mmu_map_device(PA(mailbox.base), PAGE_SIZE);
	if (!power_open(fdt, &port))
		mailbox.size = 0;
}

void power_run(void)
{
	if (mailbox.size == 0)
		return;
	if (vscu_create(domains[0], mailbox.base, mailbox.size, mailbox_intid) != 0)
		panic("power: Dom0 cannot be given its mailbox");
	power_start();
}
