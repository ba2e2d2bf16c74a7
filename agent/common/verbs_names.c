/* What the numbers in messages are called, in log lines and in JSON. */
#include "common/verbs.h"

static const char *const states[VERBS_STATE_END] = {
	[VERBS_RUNNING] = "running", [VERBS_PAUSED] = "paused", [VERBS_SHUTDOWN] = "shutdown",
	[VERBS_CRASHED] = "crashed", [VERBS_GONE] = "gone",	[VERBS_BUILDING] = "building",
};

static const char *const reasons[VERBS_REASON_END] = {
	[VERBS_REASON_NONE] = "none",	  [VERBS_REASON_POWEROFF] = "poweroff",
	[VERBS_REASON_REBOOT] = "reboot", [VERBS_REASON_SUSPEND] = "suspend",
	[VERBS_REASON_CRASH] = "crash",	  [VERBS_REASON_WATCHDOG] = "watchdog",
	[VERBS_REASON_KILLED] = "killed", [VERBS_REASON_UNKNOWN] = "unknown",
};

static const char *const kinds[VERBS_KIND_END] = {
	[VERBS_KIND_CPU] = "cpu",
	[VERBS_KIND_PLATFORM] = "platform",
	[VERBS_KIND_PCIE] = "pcie",
	[VERBS_KIND_USB] = "usb",
};

static const char *const gates[VERBS_GATE_END] = {
	[VERBS_GATE_NONE] = "none",
	[VERBS_GATE_SLOT] = "slot",
	[VERBS_GATE_PORT] = "port",
	[VERBS_GATE_PLATFORM] = "platform",
	[VERBS_GATE_HYPERVISOR] = "hypervisor",
};

static const char *const powers[VERBS_POWER_END] = {
	[VERBS_POWER_UNKNOWN] = "unknown",
	[VERBS_POWER_OFF] = "off",
	[VERBS_POWER_ON] = "on",
	[VERBS_POWER_FAULT] = "fault",
};

static const char *const causes[VERBS_CAUSE_COUNT] = {
	[VERBS_CAUSE_NONE] = "none",	   [VERBS_CAUSE_BOOT] = "boot",
	[VERBS_CAUSE_START] = "start",	   [VERBS_CAUSE_END] = "end",
	[VERBS_CAUSE_REQUEST] = "request", [VERBS_CAUSE_CORRECT] = "correct",
	[VERBS_CAUSE_FOUND] = "found",
};

static const char *const changes[VERBS_CHANGE_END] = {
	[VERBS_CHANGE_CAME] = "came",
	[VERBS_CHANGE_WENT] = "went",
	[VERBS_CHANGE_POWER] = "power",
	[VERBS_CHANGE_CONTENTS] = "contents",
};

static const char *const contents[VERBS_CONTENT_END] = {
	[VERBS_CONTENT_OTHER] = "other",
	[VERBS_CONTENT_DISK] = "disk",
	[VERBS_CONTENT_NIC] = "nic",
};

const char *verbs_state_name(unsigned state)
{
	return state < VERBS_STATE_END && states[state] ? states[state] : "unknown";
}

const char *verbs_reason_name(unsigned reason)
{
	return reason < VERBS_REASON_END ? reasons[reason] : "unknown";
}

/* The names of an enum whose values begin at 1. */
static const char *name_of(const char *const *names, unsigned value, unsigned end)
{
	return value < end && names[value] ? names[value] : "unknown";
}

const char *verbs_kind_name(unsigned kind)
{
	return name_of(kinds, kind, VERBS_KIND_END);
}

const char *verbs_gate_name(unsigned gate)
{
	return name_of(gates, gate, VERBS_GATE_END);
}

const char *verbs_power_name(unsigned power)
{
	return name_of(powers, power, VERBS_POWER_END);
}

const char *verbs_cause_name(unsigned cause)
{
	return name_of(causes, cause, VERBS_CAUSE_COUNT);
}

const char *verbs_change_name(unsigned change)
{
	return name_of(changes, change, VERBS_CHANGE_END);
}

const char *verbs_content_name(unsigned kind)
{
	return name_of(contents, kind, VERBS_CONTENT_END);
}
