-- Users and their credentials, operations, events, audit, idempotency. Times are milliseconds since 1970 UTC.
CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	password TEXT NOT NULL,               -- argon2id$v=19$m=…,t=…,p=…$salt$hash
	privilege INTEGER NOT NULL CHECK (privilege BETWEEN 1 AND 3),
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
	id TEXT PRIMARY KEY,
	secret BLOB NOT NULL UNIQUE,          -- SHA-256 of the cookie's value
	csrf TEXT NOT NULL,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	address TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,             -- the absolute end
	used INTEGER NOT NULL                 -- last use, to the minute
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
	id TEXT PRIMARY KEY,
	secret BLOB NOT NULL UNIQUE,          -- SHA-256 of the whole token
	name TEXT NOT NULL,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	privilege INTEGER NOT NULL CHECK (privilege BETWEEN 1 AND 3),
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	used INTEGER                          -- last use, to the minute; NULL: never
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user_id, id);

CREATE TABLE operations (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
	done INTEGER NOT NULL DEFAULT 0,
	total INTEGER,
	unit TEXT NOT NULL DEFAULT 'steps',
	step TEXT NOT NULL DEFAULT '',
	cancellable INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	request_id TEXT NOT NULL,
	created INTEGER NOT NULL,
	started INTEGER,
	finished INTEGER,
	error TEXT,                           -- problem details, JSON
	warnings TEXT NOT NULL DEFAULT '[]',
	result TEXT                           -- JSON object
) STRICT;
CREATE INDEX operations_by_state ON operations (state);

CREATE TABLE events (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	time INTEGER NOT NULL,
	type TEXT NOT NULL,
	resource TEXT,
	revision INTEGER,
	actor TEXT NOT NULL,
	operation TEXT,
	data TEXT,                            -- JSON object
	privilege INTEGER NOT NULL CHECK (privilege BETWEEN 1 AND 3)
) STRICT;

CREATE TABLE audit (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	time INTEGER NOT NULL,
	action TEXT NOT NULL,
	resource TEXT,
	outcome TEXT NOT NULL,
	actor TEXT NOT NULL,
	method TEXT NOT NULL,
	address TEXT NOT NULL,
	request_id TEXT NOT NULL,
	operation TEXT,
	event INTEGER                         -- sequence number of its event
) STRICT;

CREATE TABLE idempotency (
	principal INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	key TEXT NOT NULL,
	request BLOB NOT NULL,                -- SHA-256 of method, path and body
	status INTEGER NOT NULL,
	headers TEXT NOT NULL,                -- JSON object
	body TEXT,
	expires INTEGER NOT NULL,
	PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (expires);
