/* A device as the API tells it. */
#include <stdio.h>
#include <string.h>

#include "domusd/clock.h"
#include "domusd/power.h"

enum verbs_power device_wanted(const struct device_row *row)
{
	if (row->gate == VERBS_GATE_NONE)
		return VERBS_POWER_UNKNOWN;
	if (*row->needed)
		return VERBS_POWER_ON;
	if (row->gate == VERBS_GATE_HYPERVISOR)
		return VERBS_POWER_UNKNOWN;
	return *row->holder || row->always_on ? VERBS_POWER_ON : VERBS_POWER_OFF;
}

/* Why it is as it is, one sentence. */
static void reason(const struct device_row *row, bool live, char *text, size_t size)
{
	if (!live)
		snprintf(text, size, "Nobody knows now: keeper does not answer.");
	else if (!row->present)
		snprintf(text, size, "It is not there any more.");
	else if (row->power == VERBS_POWER_FAULT)
		snprintf(text, size, "%s", row->error);
	else if (*row->needed)
		snprintf(text, size, "%s", row->needed);
	else if (row->gate == VERBS_GATE_NONE || row->gate == VERBS_GATE_HYPERVISOR)
		snprintf(text, size, "%s", *row->note ? row->note : "Nothing switches it.");
	else if (row->power == VERBS_POWER_UNKNOWN)
		snprintf(text, size, "%s",
			 *row->error ? row->error : "Its switch does not say what it does.");
	else if (*row->holder && row->power == VERBS_POWER_OFF)
		snprintf(text, size, "It went off under the domain %s.", row->holder);
	else if (*row->holder)
		snprintf(text, size, "The domain %s has it.", row->holder);
	else if (row->always_on)
		snprintf(text, size, "Policy keeps it on: %s", row->policy_reason);
	else if (row->power == VERBS_POWER_ON)
		snprintf(text, size, "It is on without an owner and will be switched off.");
	else if (*row->owner)
		snprintf(text, size, "Its domain %s does not run.", row->owner);
	else
		snprintf(text, size, "Nobody owns it.");
}

/* Who has it: Dom0, or whose definition names it, or who still has it on. */
static json_t *owner(const struct device_row *row)
{
	const char *name = *row->needed ? "dom0" : *row->owner ? row->owner : row->holder;

	return *name ? json_string(name) : json_null();
}

static json_t *null_or(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *power_json(const struct device_row *row, bool live)
{
	enum verbs_power wanted = device_wanted(row);
	enum verbs_power actual = live ? row->power : VERBS_POWER_UNKNOWN;
	char text[1200], since[CLOCK_TEXT_SIZE];

	reason(row, live, text, sizeof(text));
	return json_pack("{s:s?, s:s, s:s, s:s, s:s, s:o, s:o}", "wanted",
			 wanted == VERBS_POWER_UNKNOWN ? NULL : verbs_power_name(wanted), "actual",
			 verbs_power_name(actual), "reason", text, "cause",
			 verbs_cause_name(row->cause), "since", clock_format(row->since, since),
			 "last_error", null_or(row->error), "domain", null_or(row->holder));
}

json_t *device_json(const struct device_row *row, bool live)
{
	json_t *json = json_loads(row->about, 0, NULL);
	json_t *rest = json_pack(
		"{s:s, s:s, s:s, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:{s:b, s:o}, s:I}", "id",
		row->id, "kind", verbs_kind_name(row->kind), "name", row->name, "present",
		row->present, "owner", owner(row), "gate", verbs_gate_name(row->gate), "group",
		null_or(row->together), "needed", null_or(row->needed), "note", null_or(row->note),
		"power", power_json(row, live), "policy", "always_on", row->always_on, "reason",
		null_or(row->policy_reason), "revision", (json_int_t)row->revision);

	if (!json || !rest || json_object_update(json, rest) < 0) {
		json_decref(json);
		json = NULL;
	}
	json_decref(rest);
	return json;
}
