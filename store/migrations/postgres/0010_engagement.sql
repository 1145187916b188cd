-- +goose Up
-- Rules of engagement: what scans may send, to whom. Every change is a version.
CREATE TABLE engagement (
  id        BIGINT PRIMARY KEY,
  version   BIGINT NOT NULL,
  author    TEXT NOT NULL,     -- who last wrote the rules, and so does not approve them
  expires   BIGINT NOT NULL,
  withdrawn BIGINT NOT NULL,  -- 0: not
  body      BYTEA NOT NULL      -- zstd JSON
);
-- Who changed what of them, and how they stood afterwards.
CREATE TABLE engagement_change (
  engagement BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  actor      TEXT NOT NULL,
  what       TEXT NOT NULL,
  body       BYTEA NOT NULL,    -- zstd JSON
  PRIMARY KEY (engagement, version)
);
-- Stops: while one is not lifted, nothing is sent.
CREATE TABLE halt (
  id         BIGINT PRIMARY KEY,
  engagement BIGINT NOT NULL, -- 0: all of them
  at         BIGINT NOT NULL,
  actor      TEXT NOT NULL,
  why        TEXT NOT NULL,
  lifted     BIGINT NOT NULL, -- 0: it holds
  lifted_by  TEXT NOT NULL
);
CREATE UNIQUE INDEX halt_holds ON halt (engagement) WHERE lifted = 0;
-- The audit log: append-only chains, one for each who sends. Each entry holds
-- the hash of the one before.
CREATE TABLE audit (
  id         BIGINT PRIMARY KEY, -- in the order in which they came here
  chain      TEXT NOT NULL,
  seq        BIGINT NOT NULL,    -- within the chain
  at         BIGINT NOT NULL,
  engagement BIGINT NOT NULL,
  refused    BIGINT NOT NULL,
  prev       TEXT NOT NULL,
  hash       TEXT NOT NULL,
  body       BYTEA NOT NULL,       -- JSON, as it was hashed
  UNIQUE (chain, seq)
);
CREATE INDEX audit_engagement ON audit (engagement, id);
CREATE INDEX audit_refused ON audit (id) WHERE refused = 1;

-- +goose Down
SELECT 1;
