/* Devices in answers and events: as verbs_check_answer() promises. */
#include <string.h>

#include "common/verbs_internal.h"

static int contents_check(const struct verbs_device *d, struct error *e)
{
	uint16_t count =
		d->content_count < VERBS_CONTENT_MAX ? d->content_count : VERBS_CONTENT_MAX;

	for (uint16_t i = 0; i < count; i++) {
		const struct verbs_content *c = &d->contents[i];

		if (!TEXT(c->name) || !TEXT(c->node))
			return verbs_malformed(e, "text");
		if (c->kind == 0 || c->kind >= VERBS_CONTENT_END)
			return verbs_malformed(e, "kind of content");
	}
	return 0;
}

int verbs_device_check(const struct verbs_device *d, struct error *e)
{
	if (!ENDS(d->id) || !verbs_device_valid(d->id))
		return verbs_malformed(e, "device id");
	if (!ENDS(d->group) || (d->group[0] && !verbs_device_valid(d->group)))
		return verbs_malformed(e, "device group");
	if (!TEXT(d->name) || !TEXT(d->group_reason) || !TEXT(d->needed) || !TEXT(d->note) ||
	    !TEXT(d->error))
		return verbs_malformed(e, "text");
	if (!ENDS(d->holder.name) || (d->holder.name[0] && verbs_domain_check(&d->holder, e) < 0))
		return verbs_malformed(e, "holder");
	if (d->kind == 0 || d->kind >= VERBS_KIND_END || d->gate == 0 || d->gate >= VERBS_GATE_END)
		return verbs_malformed(e, "kind of device");
	if (d->power == 0 || d->power >= VERBS_POWER_END || d->cause >= VERBS_CAUSE_COUNT ||
	    d->kept > 1)
		return verbs_malformed(e, "power");
	return contents_check(d, e);
}

int verbs_devices_check(const struct verbs_devices_response *r, struct error *e)
{
	if (r->count > VERBS_DEVICE_PAGE || r->more > 1 || (r->more && !r->count))
		return verbs_malformed(e, "number of devices");
	for (uint32_t i = 0; i < r->count; i++) {
		if (verbs_device_check(&r->devices[i], e) < 0)
			return -1;
		if (i && strcmp(r->devices[i - 1].id, r->devices[i].id) >= 0)
			return verbs_malformed(e, "order of devices");
	}
	return 0;
}

int verbs_device_event_check(const struct verbs_device_event *v, struct error *e)
{
	if (v->change == 0 || v->change >= VERBS_CHANGE_END || v->cause >= VERBS_CAUSE_COUNT)
		return verbs_malformed(e, "kind of change");
	return verbs_device_check(&v->device, e);
}
