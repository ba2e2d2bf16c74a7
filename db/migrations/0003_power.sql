-- Devices, who owns them, their rails as keeper read them last, what happened to them. Times are milliseconds since 1970 UTC.
CREATE TABLE devices (
	id TEXT PRIMARY KEY,                  -- by topology: docs/power.md
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	gate TEXT NOT NULL,
	together TEXT NOT NULL,               -- all devices of one word move together; '': alone
	needed TEXT NOT NULL,                 -- why the appliance needs it, or ''
	note TEXT NOT NULL,                   -- why nothing switches it, or ''
	about TEXT NOT NULL,                  -- JSON: the rest of what describes it
	present INTEGER NOT NULL CHECK (present IN (0, 1)),
	power TEXT NOT NULL CHECK (power IN ('unknown', 'off', 'on', 'fault')),
	cause TEXT NOT NULL,
	since INTEGER NOT NULL,
	error TEXT NOT NULL,                  -- the last one that there was
	holder TEXT NOT NULL,                 -- the domain that keeper has it on for, or ''
	kept INTEGER NOT NULL CHECK (kept IN (0, 1)), -- keeper knows that the policy keeps it on
	always_on INTEGER NOT NULL DEFAULT 0 CHECK (always_on IN (0, 1)),
	policy_reason TEXT,
	revision INTEGER NOT NULL DEFAULT 1   -- of policy and owner
) STRICT, WITHOUT ROWID;

-- Who owns what. A device has one owner.
CREATE TABLE domain_devices (
	domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	device TEXT NOT NULL UNIQUE REFERENCES devices (id),
	PRIMARY KEY (domain, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE rail_history (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	device TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
	time INTEGER NOT NULL,
	previous TEXT NOT NULL,
	power TEXT NOT NULL,
	cause TEXT NOT NULL,
	domain TEXT,                          -- whose start or end it was
	actor TEXT NOT NULL,
	operation TEXT,
	error TEXT
) STRICT;
CREATE INDEX rail_history_by_device ON rail_history (device, seq);

CREATE TABLE alerts (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	code TEXT NOT NULL,
	resource TEXT NOT NULL,
	detail TEXT NOT NULL,
	raised INTEGER NOT NULL,
	cleared INTEGER                       -- NULL: it is so now
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (code, resource) WHERE cleared IS NULL;
