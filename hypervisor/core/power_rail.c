/* The steps of a rail, see the table at enum rail_step. */
#include "core/power_rail.h"
#include "core/memory.h"
#include "lib/errno.h"

static void go(struct rail *r, enum rail_step step)
{
	r->step = (uint8_t)step;
	power->cursor = 0;
	power->step_error = 0;
	power->level = POWER_OFF;
}

static void note(int error)
{
	if (power->step_error == 0)
		power->step_error = error;
	if (power->error == 0)
		power->error = error;
}

static void read_back(struct rail *r, enum power_level level)
{
	uint64_t now = time_ns();

	if (r->actual != level)
		r->since = now;
	r->actual = (uint8_t)level;
	r->read = now;
}

/* Does another rail live in this rail's partition, and (`lit`) need it to have power? */
static bool partition_needed(const struct rail *r, bool lit)
{
	for (unsigned i = 0; i < power->count; i++) {
		const struct rail *o = &power->rail[i];

		if (o != r && o->home == r->home &&
		    (!lit || o->wanted == POWER_ON || o->todo != RAIL_SETTLED))
			return true;
	}
	return false;
}

int rail_map(const struct rail *r, uint16_t driver, bool map)
{
	struct domain *d = domain_find(driver);
	int error = map && !d ? -ESRCH : 0;

	for (unsigned i = 0; d && !error && i < r->ranges; i++) {
		const struct power_range *a = &power->range[r->first_range + i];

		error = map ? memory_map_device(d, IPA(a->base), PA(a->base), a->size)
			    : memory_unmap_range(d, IPA(a->base), a->size);
	}
	return error;
}

/* One backend operation of a step that goes over all resources of the rail. */
static int one_resource(struct rail *r)
{
	const struct power_backend *b = power->backend;
	unsigned resource = power->resource[r->first_resource + power->cursor];
	enum power_level level = POWER_UNKNOWN;
	int error;

	switch (r->step) {
	case RAIL_OFF:
	case RAIL_ON:
		return b->set(resource, r->step == RAIL_ON);
	case RAIL_RETURN:
		return b->assign(resource, POWER_OURS, false);
	case RAIL_MOVE:
		return b->assign(resource, r->home, r->driver != 0);
	}
	/* the readings: a rail is off when all are off, on when one is on, else nobody knows */
	error = b->get(resource, &level);
	if (error == -EAGAIN)
		return error;
	if (error)
		level = POWER_UNKNOWN;
	if (level == POWER_ON || power->level == POWER_OFF)
		power->level = level;
	if (r->step == RAIL_ON_READ && level == POWER_OFF)
		error = -EIO;
	return error;
}

static enum rail_step after_off(struct rail *r)
{
	if (r->actual == POWER_OFF && rail_has_gone(r))
		return RAIL_RETURN;
	return RAIL_SETTLED; /* what is stuck on stays where the ceiling is */
}

/* On from a partition that is not the owner's: by way of our own. */
static enum rail_step after_return(struct rail *r)
{
	r->home = POWER_OURS;
	return r->wanted == POWER_ON ? RAIL_MOVE : RAIL_SETTLED;
}

/* What was on for its owner and cannot be read so is switched off in order: its registers must not be touched any more. What failed
 * once is not healed by a reading alone: off it has to go. What the board gave to Dom0 is its kernel's to switch. */
static enum rail_step after_read(struct rail *r)
{
	if (power->step_error && !power->again) { /* one answer that is late takes nothing away */
		power->again = true;
		power->error = 0;
		return RAIL_READ;
	}
	read_back(r, power->level);
	if (r->wanted == POWER_OFF) {
		if (r->actual == POWER_ON)
			note(-EIO);
		return r->actual == POWER_OFF && r->error ? RAIL_UNMAP : RAIL_SETTLED;
	}
	if (r->reason != POWER_ASKED || (r->actual == POWER_ON && !power->error && !r->error))
		return RAIL_SETTLED;
	note(r->error ? r->error : -EIO);
	return RAIL_UNMAP;
}

/* What comes after a step, when all of it went well (or, on the way off, as well as it would). */
static enum rail_step after(struct rail *r)
{
	switch (r->step) {
	case RAIL_UNMAP: /* a device that may still be touched must have power: the bus would hang */
		return power->step_error ? RAIL_SETTLED : RAIL_OFF;
	case RAIL_OFF:
		return RAIL_OFF_READ;
	case RAIL_OFF_READ:
		read_back(r, power->level);
		if (r->actual != POWER_OFF)
			note(-EIO);
		else if (r->wanted == POWER_OFF)
			power->error = 0; /* off it is, whatever the answers were */
		if (r->home != POWER_OURS && !partition_needed(r, true))
			return RAIL_CEILING_OFF;
		return after_off(r);
	case RAIL_CEILING_OFF:
		return after_off(r);
	case RAIL_RETURN:
		if (power->step_error)
			return RAIL_SETTLED;
		return partition_needed(r, false) ? after_return(r) : RAIL_RETIRE;
	case RAIL_RETIRE:
		return after_return(r);
	case RAIL_MOVE:
		return r->home != POWER_OURS ? RAIL_CEILING_ON : RAIL_ON;
	case RAIL_CEILING_ON:
		return RAIL_ON;
	case RAIL_ON:
		return RAIL_ON_READ;
	case RAIL_ON_READ:
		read_back(r, power->level);
		return RAIL_MAP;
	case RAIL_READ:
		return after_read(r);
	}
	return RAIL_SETTLED;
}

bool rail_going_on(const struct rail *r)
{
	return r->step >= RAIL_MOVE && r->step <= RAIL_MAP;
}

void rail_enter(struct rail *r, enum rail_step step)
{
	if (step == RAIL_MOVE)
		r->home = r->place;
	go(r, step);
}

/* One move. -EAGAIN: the backend is at it. */
int rail_move(struct rail *r)
{
	const struct power_backend *b = power->backend;
	int error = 0;

	switch (r->step) {
	case RAIL_UNMAP:
		error = rail_map(r, r->driver, false);
		break;
	case RAIL_MAP:
		error = rail_map(r, r->driver, true);
		break;
	case RAIL_CEILING_OFF:
	case RAIL_CEILING_ON:
		error = b->ceiling(r->home, r->step == RAIL_CEILING_ON);
		break;
	case RAIL_RETIRE:
		error = b->retire(r->home);
		break;
	default:
		error = one_resource(r);
		if (error == -EAGAIN)
			return error;
		if (error)
			note(error);
		if (++power->cursor < r->resources && !(error && rail_going_on(r)))
			return 0;
		error = 0;
	}
	if (error == -EAGAIN)
		return error;
	if (error)
		note(error);
	rail_enter(r, rail_going_on(r) && power->error ? RAIL_UNMAP : after(r));
	return 0;
}
