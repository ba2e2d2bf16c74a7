-- Uploads, images, volumes, domains. Times are milliseconds since 1970 UTC. Files bear the id as their name:
-- STATE/uploads/<id>, STATE/images/<id>, STATE/volumes/<id>.
CREATE TABLE images (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	size INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	created INTEGER NOT NULL,
	revision INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	sha256 TEXT NOT NULL,                 -- what was promised, or ''
	length INTEGER NOT NULL,
	offset INTEGER NOT NULL DEFAULT 0,    -- bytes on disk for sure (fdatasync was called before)
	expires INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	image TEXT REFERENCES images (id) ON DELETE SET NULL -- once complete and verified
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_expiry ON uploads (expires);
CREATE INDEX uploads_by_image ON uploads (image);

CREATE TABLE volumes (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	size INTEGER NOT NULL,
	image TEXT REFERENCES images (id) ON DELETE SET NULL, -- what it was copied from, while that exists
	created INTEGER NOT NULL,
	revision INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE INDEX volumes_by_image ON volumes (image);

CREATE TABLE domains (
	name TEXT PRIMARY KEY,
	uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
	definition TEXT NOT NULL,             -- JSON with every default filled in
	revision INTEGER NOT NULL DEFAULT 1,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	state TEXT NOT NULL DEFAULT 'stopped'
		CHECK (state IN ('stopped', 'starting', 'running', 'paused', 'stopping', 'crashed')),
	since INTEGER NOT NULL,
	domid INTEGER,                        -- the hypervisor's number while it lives
	reason TEXT
) STRICT, WITHOUT ROWID;

-- What a definition refers to, so that nothing it needs can be deleted.
CREATE TABLE domain_images (
	domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
	image TEXT NOT NULL REFERENCES images (id),
	PRIMARY KEY (domain, image)
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_images_by_image ON domain_images (image);

CREATE TABLE domain_volumes (
	domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
	volume TEXT NOT NULL REFERENCES volumes (id),
	writes INTEGER NOT NULL CHECK (writes IN (0, 1)),
	PRIMARY KEY (domain, volume)
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_volumes_by_volume ON domain_volumes (volume);

CREATE TABLE domain_nics (
	domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	network TEXT NOT NULL,
	mac TEXT NOT NULL UNIQUE,
	PRIMARY KEY (domain, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_nics_by_network ON domain_nics (network);

CREATE TABLE domain_after (
	domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
	other TEXT NOT NULL REFERENCES domains (name),
	PRIMARY KEY (domain, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_after_by_other ON domain_after (other);
