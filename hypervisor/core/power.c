/* One rail at a time goes through its steps; each call of power_work() makes one move of the backend at most, so nobody waits
 * here for the firmware. */
#include "core/page.h"
#include "core/power_rail.h"
#include "core/unit.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"

#define POLL_NS 50000

struct power *power;

/* ---- boot ------------------------------------------------------------------------------------------------------------ */
int power_init(const struct power_backend *backend)
{
	power = heap_pages(POWER_ORDER);
	if (!power)
		return -ENOMEM;
	lock_init(&power->lock, LOCK_POWER);
	power->backend = backend;
	power->job = NO_RAIL;
	memset(power->rail_of, NO_RAIL, sizeof(power->rail_of));
	return 0;
}

int power_add(const char *name, const uint16_t *resources, unsigned count,
	      const struct power_range *ranges, unsigned range_count, uint16_t owner,
	      const char *why)
{
	struct power *p = power;
	struct rail *r;

	if (p->count == RAIL_MAX || count > RAIL_RESOURCES - p->resources ||
	    range_count > RAIL_RANGES - p->ranges)
		return -ENOSPC;
	if (count == 0)
		return -EINVAL;
	r = &p->rail[p->count];
	r->id = ~0u;
	for (unsigned i = 0; i < count; i++) {
		if (resources[i] >= POWER_RESOURCE_IDS)
			return -EINVAL;
		if (p->rail_of[resources[i]] != NO_RAIL)
			return -EEXIST;
		r->id = resources[i] < r->id ? resources[i] : r->id;
	}
	for (unsigned i = 0; i < count; i++)
		p->rail_of[resources[i]] = (uint8_t)p->count;
	memcpy(&p->resource[p->resources], resources, count * sizeof(*resources));
	memcpy(&p->range[p->ranges], ranges, range_count * sizeof(*ranges));
	r->resources = (uint16_t)count;
	r->first_resource = (uint16_t)p->resources;
	r->ranges = (uint16_t)range_count;
	r->first_range = (uint16_t)p->ranges;
	r->owner = owner;
	r->driver = owner == POWER_HYPERVISOR ? owner : 0;
	r->place = r->home = POWER_OURS;
	r->wanted = owner == POWER_NOBODY ? POWER_OFF : POWER_ON;
	r->todo = owner == POWER_NOBODY ? RAIL_UNMAP : RAIL_READ;
	r->reason = owner == POWER_HYPERVISOR ? POWER_ALWAYS_ON : POWER_AT_BOOT;
	r->why = why;
	string_copy(r->name, name, sizeof(r->name));
	p->resources += count;
	p->ranges += range_count;
	p->count++;
	return 0;
}

void power_start(void)
{
	unsigned off = 0, wrong = 0;

	if (!power)
		return;
	for (unsigned i = 0; i < power->count; i++)
		if (power->rail[i].owner == POWER_HYPERVISOR &&
		    rail_map(&power->rail[i], 0, false) != 0)
			panic("power: %s cannot be taken from Dom0", power->rail[i].name);
	while (power_work())
		cpu_relax();
	for (unsigned i = 0; i < power->count; i++) {
		off += power->rail[i].actual == POWER_OFF;
		wrong += power->rail[i].error != 0;
	}
	log_info("power: %s, %u rails, %u are off, %u do not obey", power->backend->name,
		 power->count, off, wrong);
}

/* ---- the work -------------------------------------------------------------------------------------------------------------- */
static void begin(unsigned index)
{
	struct rail *r = &power->rail[index];
	enum rail_step first = r->todo;

	power->job = index;
	power->again = false;
	power->error = 0;
	r->todo = RAIL_SETTLED;
	rail_enter(r, first == RAIL_MOVE && rail_has_gone(r) ? RAIL_RETURN : first);
}

static void finish(struct rail *r)
{
	static const char *const levels[] = {"unknown", "off", "on"};

	if (power->error && power->error != r->error)
		log_warning("power: %s (%u) is %s, wanted %s: error %d", r->name, r->id,
			    levels[r->actual], levels[r->wanted], power->error);
	r->error = power->error;
	power->job = NO_RAIL;
}

static bool find_work(void)
{
	for (unsigned i = 0; power->job == NO_RAIL && i < power->count; i++)
		if (power->rail[i].todo != RAIL_SETTLED)
			begin(i);
	return power->job != NO_RAIL;
}

bool power_work(void)
{
	struct rail *r;

	LOCK_SCOPE(&power->lock);
	if (!find_work())
		return false;
	r = &power->rail[power->job];
	rail_move(r);
	if (r->step != RAIL_SETTLED)
		return true;
	finish(r);
	return find_work();
}

static void work_later(void);

static void timer_fired(void *arg)
{
	(void)arg;
	lock_take(&power->lock);
	power->armed = false;
	lock_drop(&power->lock);
	if (power_work()) {
		LOCK_SCOPE(&power->lock);
		work_later();
	}
}

/* Lock held. */
static void work_later(void)
{
	if (power->armed)
		return;
	power->armed = true;
	power->timer.fire = timer_fired;
	timer_set(&power->timer, cpu_counter() + time_ticks_of_ns(POLL_NS));
}

/* ---- orders ---------------------------------------------------------------------------------------------------------------- */
static void order(struct rail *r, enum rail_step first)
{
	r->todo = (uint8_t)first;
	work_later();
}

static void want(struct rail *r, enum power_level level, enum power_reason reason)
{
	r->wanted = (uint8_t)level;
	r->reason = (uint8_t)reason;
	order(r, level == POWER_ON ? RAIL_MOVE : RAIL_UNMAP);
}

static struct rail *find(uint32_t id)
{
	if (id >= POWER_RESOURCE_IDS || power->rail_of[id] == NO_RAIL ||
	    power->rail[power->rail_of[id]].id != id)
		return NULL;
	return &power->rail[power->rail_of[id]];
}

/* NULL when it does not live (any more). */
static struct domain *alive(uint16_t id)
{
	struct domain *d = domain_find(id);

	return d && d->state <= DOMAIN_RUNNING && d->shut == 0 ? d : NULL;
}

/* Wanted off, and not known to be off. */
static bool stuck(const struct rail *r)
{
	return r->wanted == POWER_OFF && r->actual != POWER_OFF && r->step == RAIL_SETTLED &&
	       r->todo == RAIL_SETTLED;
}

/* A slot is given again, and what is stuck on keeps the partition of the one who had it before. */
static bool place_is_taken(const struct rail *r)
{
	for (unsigned i = 0; i < power->count; i++)
		if (r->place != POWER_OURS && power->rail[i].home == r->place &&
		    power->rail[i].owner != r->owner)
			return true;
	return false;
}

int power_set(uint32_t id, bool on)
{
	struct rail *r;

	if (!power)
		return -EOPNOTSUPP;
	LOCK_SCOPE(&power->lock);
	r = find(id);
	if (!r)
		return -ENOENT;
	if (r->owner == POWER_HYPERVISOR || (on && !alive(r->owner)))
		return -EPERM;
	if (on && stuck(r))
		return -EIO;
	if (on && place_is_taken(r))
		return -EBUSY;
	want(r, on ? POWER_ON : POWER_OFF, POWER_ASKED);
	return 0;
}

int power_give(uint32_t id, uint16_t owner, uint16_t driver)
{
	struct domain *d;
	struct rail *r;

	if (!power)
		return -EOPNOTSUPP;
	LOCK_SCOPE(&power->lock);
	d = alive(owner); /* under the lock: its end looks for its rails under the lock, too */
	r = find(id);
	if (!r)
		return -ENOENT;
	if (r->owner == POWER_HYPERVISOR || (driver != 0 && driver != owner))
		return -EPERM;
	if (owner == POWER_NOBODY ? driver != 0 : !d)
		return -ESRCH;
	if (stuck(r))
		return -EIO;
	if (r->step != RAIL_SETTLED || r->todo != RAIL_SETTLED)
		return -EBUSY;
	if (r->wanted == POWER_ON) {
		/* what is on does not move: the new owner's life decides from now on, and that is all */
		if (r->place != POWER_OURS || r->driver != 0 || driver != 0 || !d || r->error != 0)
			return -EBUSY;
		r->owner = owner;
		return 0;
	}
	r->owner = owner;
	r->driver = driver;
	r->place = !d || d->id == 0 ? POWER_OURS : d->slot;
	/* what another domain's partition still has goes back */
	if (rail_has_gone(r))
		order(r, RAIL_RETURN);
	return 0;
}

int power_refresh(uint32_t id)
{
	struct rail *r;

	if (!power)
		return -EOPNOTSUPP;
	LOCK_SCOPE(&power->lock);
	r = find(id);
	if (!r)
		return -ENOENT;
	if (r->todo == RAIL_SETTLED && r->step == RAIL_SETTLED)
		order(r, RAIL_READ);
	return 0;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------- */
unsigned power_count(void)
{
	return power ? power->count : 0;
}

const char *power_backend_name(void)
{
	return power ? power->backend->name : NULL;
}

int power_get(unsigned index, struct rail *out)
{
	if (index >= power_count())
		return -ENOENT;
	LOCK_SCOPE(&power->lock);
	*out = power->rail[index];
	return 0;
}

enum power_access power_access(unsigned resource, uint16_t domain)
{
	const struct rail *r;

	if (!power || resource >= POWER_RESOURCE_IDS || power->rail_of[resource] == NO_RAIL)
		return POWER_UNLISTED;
	LOCK_SCOPE(&power->lock);
	r = &power->rail[power->rail_of[resource]];
	if (r->driver != domain)
		return POWER_FOREIGN;
	/* a reading that failed takes nothing away */
	if (r->wanted == POWER_ON && (r->error == 0 || r->actual == POWER_ON) &&
	    (r->step == RAIL_SETTLED || r->step == RAIL_READ) &&
	    (r->todo == RAIL_SETTLED || r->todo == RAIL_READ))
		return POWER_FULL;
	return POWER_IDLE;
}

bool power_has_registers(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; power && i < power->ranges; i++)
		if (base < power->range[i].base + power->range[i].size &&
		    power->range[i].base < base + size)
			return true;
	return false;
}

int power_at(uint64_t address)
{
	for (unsigned i = 0; i < power_count(); i++) {
		const struct rail *r = &power->rail[i];

		for (unsigned k = r->first_range; k < r->first_range + r->ranges; k++)
			if (address - power->range[k].base < power->range[k].size)
				return (int)i;
	}
	return -ENOENT;
}

/* ---- domains come and go ------------------------------------------------------------------------------------------------------- */
static void owner_shut(struct domain *d)
{
	if (!power)
		return;
	LOCK_SCOPE(&power->lock);
	for (unsigned i = 0; i < power->count; i++)
		if (power->rail[i].owner == d->id && power->rail[i].wanted != POWER_OFF)
			want(&power->rail[i], POWER_OFF, POWER_OWNER_SHUT);
}

/* True when what was the domain's is off and back, or has failed to. */
static bool owner_forgotten(struct domain *d)
{
	bool done = true;

	LOCK_SCOPE(&power->lock);
	for (unsigned i = 0; i < power->count; i++) {
		struct rail *r = &power->rail[i];

		if (r->owner != d->id)
			continue;
		r->place = POWER_OURS;
		if (r->reason != POWER_OWNER_GONE)
			want(r, POWER_OFF, POWER_OWNER_GONE);
		if (r->step == RAIL_SETTLED && r->todo == RAIL_SETTLED) {
			r->owner = POWER_NOBODY;
			r->driver = 0;
		} else {
			done = false;
		}
	}
	return done;
}

/* The domain is not gone before its rails have been read back. Each job ends, so this does too. */
static int owner_gone(struct domain *d)
{
	if (!power || d->id == 0 || owner_forgotten(d))
		return 0;
	power_work();
	return -ERESTART;
}

UNIT(power_unit) = {
	.name = "power",
	.domain_shutdown = owner_shut,
	.domain_relinquish = owner_gone,
};
