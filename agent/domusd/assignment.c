#include "domusd/assignment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domusd/store_device.h"

/* ---- may it have them? ---- */

struct torn {
	const struct definition *d;
	const struct device_row *row;
	char other[VERBS_DEVICE_MAX + 1]; /* what would be left behind, or "" */
};

static bool torn_one(void *context, const struct device_row *other)
{
	struct torn *t = context;

	if (!other->present || strcmp(other->together, t->row->together) != 0 ||
	    definition_owns(t->d, other->id))
		return true;
	memcpy(t->other, other->id, sizeof(t->other));
	return false;
}

static int check_group(struct store_tx *tx, const struct definition *d,
		       const struct device_row *row, const char *pointer, struct error *e)
{
	struct torn t = {.d = d, .row = row};

	if (!*row->together)
		return 0;
	if (store_device_list(tx, "", INT32_MAX, torn_one, &t, e) < 0)
		return -1;
	return *t.other ? error_set_rule(e, "group", pointer,
					 "%s moves together with %s; take both or none.", row->id,
					 t.other)
			: 0;
}

static int check_device(struct store_tx *tx, const struct definition *d, unsigned n,
			struct device_row *row, struct error *e)
{
	char pointer[32];
	int found = store_device_find(tx, d->devices[n], row, e);

	snprintf(pointer, sizeof(pointer), "/devices/%u", n);
	if (found < 0)
		return -1;
	if (!found)
		return error_set_at(e, ERROR_REFERENCE, pointer, "The board has no device %s.",
				    d->devices[n]);
	if (strcmp(row->owner, d->name) == 0)
		return check_group(tx, d, row, pointer, e); /* its own; it may be away just now */
	if (*row->needed)
		return error_set_rule(e, "needed", pointer, "%s stays the appliance's: %s",
				      row->name, row->needed);
	if (*row->owner || (*row->holder && strcmp(row->holder, d->name) != 0))
		return error_set_rule(e, "in_use", pointer, "%s belongs to the domain %s.",
				      row->name, *row->owner ? row->owner : row->holder);
	if (!row->present)
		return error_set_at(e, ERROR_REFERENCE, pointer, "%s is not there any more.",
				    row->name);
	if (!device_switchable(row))
		return error_set_rule(e, "unsupported", pointer,
				      "Nothing switches %s, so no domain can have it: %s",
				      row->name, row->note);
	if (row->power == VERBS_POWER_FAULT)
		return error_set_rule(e, "fault", pointer, "%s does not do what it is told: %.150s",
				      row->name, row->error);
	return check_group(tx, d, row, pointer, e);
}

int assignment_check(struct store_tx *tx, const struct definition *d, struct error *e)
{
	struct device_row *row = malloc(sizeof(*row));
	int result = row ? 0 : error_set(e, ERROR_INTERNAL, "Out of memory.");

	for (unsigned i = 0; result == 0 && i < d->device_count; i++)
		result = check_device(tx, d, i, row, e);
	free(row);
	return result;
}

/* ---- what follows ---- */

static int changed(struct journal *journal, struct store_tx *tx, const char *device,
		   const char *owner, const struct actor *actor, struct error *e)
{
	char resource[16 + VERBS_DEVICE_MAX];
	struct event event = {.type = "device.updated", .resource = resource, .actor = actor};
	json_t *data;
	int result = store_device_revise(tx, device, &event.revision, e);

	if (result < 0)
		return -1;
	snprintf(resource, sizeof(resource), "devices/%s", device);
	data = json_pack("{s:s?}", "owner", owner);
	event.data = data;
	result = journal_append(journal, tx, &event, e);
	json_decref(data);
	return result;
}

int assignment_changed(struct journal *journal, struct store_tx *tx,
		       const struct definition *before, const struct definition *after,
		       const struct actor *actor, struct error *e)
{
	for (unsigned i = 0; before && i < before->device_count; i++)
		if ((!after || !definition_owns(after, before->devices[i])) &&
		    changed(journal, tx, before->devices[i], NULL, actor, e) < 0)
			return -1;
	for (unsigned i = 0; after && i < after->device_count; i++)
		if ((!before || !definition_owns(before, after->devices[i])) &&
		    changed(journal, tx, after->devices[i], after->name, actor, e) < 0)
			return -1;
	return 0;
}
