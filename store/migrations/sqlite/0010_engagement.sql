-- +goose Up
-- Rules of engagement: what scans may send, to whom. Every change is a version.
CREATE TABLE engagement (
  id        INTEGER PRIMARY KEY,
  version   INTEGER NOT NULL,
  author    TEXT NOT NULL,     -- who last wrote the rules, and so does not approve them
  expires   INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,  -- 0: not
  body      BLOB NOT NULL      -- zstd JSON
);
-- Who changed what of them, and how they stood afterwards.
CREATE TABLE engagement_change (
  engagement INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  what       TEXT NOT NULL,
  body       BLOB NOT NULL,    -- zstd JSON
  PRIMARY KEY (engagement, version)
) WITHOUT ROWID;
-- Stops: while one is not lifted, nothing is sent.
CREATE TABLE halt (
  id         INTEGER PRIMARY KEY,
  engagement INTEGER NOT NULL, -- 0: all of them
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  why        TEXT NOT NULL,
  lifted     INTEGER NOT NULL, -- 0: it holds
  lifted_by  TEXT NOT NULL
);
CREATE UNIQUE INDEX halt_holds ON halt (engagement) WHERE lifted = 0;
-- The audit log: append-only chains, one for each who sends. Each entry holds
-- the hash of the one before.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY, -- in the order in which they came here
  chain      TEXT NOT NULL,
  seq        INTEGER NOT NULL,    -- within the chain
  at         INTEGER NOT NULL,
  engagement INTEGER NOT NULL,
  refused    INTEGER NOT NULL,
  prev       TEXT NOT NULL,
  hash       TEXT NOT NULL,
  body       BLOB NOT NULL,       -- JSON, as it was hashed
  UNIQUE (chain, seq)
);
CREATE INDEX audit_engagement ON audit (engagement, id);
CREATE INDEX audit_refused ON audit (id) WHERE refused = 1;

-- +goose Down
SELECT 1;
