-- +goose Up
-- What is scanned, when and by whom: plans, their jobs in shards, agents, and
-- results on their way up.
CREATE TABLE scan_plan (
  id   INTEGER PRIMARY KEY,
  next INTEGER NOT NULL, -- when it is due, unix milliseconds; 0: not by the clock
  body TEXT NOT NULL   -- JSON
);

CREATE TABLE scan_job (
  id       INTEGER PRIMARY KEY,
  plan     INTEGER NOT NULL, -- 0: asked for once
  state    TEXT NOT NULL,
  vantage  TEXT NOT NULL,
  created  INTEGER NOT NULL,
  started  INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  cause    TEXT NOT NULL,
  failure  TEXT NOT NULL,
  body     TEXT NOT NULL -- JSON: the plan as it was then
);
CREATE INDEX scan_job_open ON scan_job (id) WHERE finished = 0;
CREATE INDEX scan_job_plan ON scan_job (plan);

CREATE TABLE scan_shard (
  job      INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  state    TEXT NOT NULL,
  targets  TEXT NOT NULL, -- JSON
  agent    INTEGER NOT NULL,
  worker   TEXT NOT NULL,
  fence    INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  started  INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  progress TEXT NOT NULL,
  failure  TEXT NOT NULL,
  created  INTEGER NOT NULL, -- findings made
  found    INTEGER NOT NULL, -- weaknesses stated
  PRIMARY KEY (job, number)
);
CREATE INDEX scan_shard_open ON scan_shard (job, number) WHERE finished = 0;

CREATE TABLE scan_upload (
  job    INTEGER NOT NULL,
  number INTEGER NOT NULL,
  fence  INTEGER NOT NULL,
  place  INTEGER NOT NULL, -- of the first byte
  size   INTEGER NOT NULL,
  body   BLOB NOT NULL,
  PRIMARY KEY (job, number, fence, place)
);

CREATE TABLE agent (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  labels   TEXT NOT NULL, -- JSON
  facts    TEXT NOT NULL, -- JSON
  enrolled INTEGER NOT NULL,
  seen     INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  digest   TEXT NOT NULL UNIQUE, -- of its secret
  actor    TEXT NOT NULL
);

CREATE TABLE agent_invitation (
  digest  TEXT PRIMARY KEY, -- of the token, good once
  name    TEXT NOT NULL,
  labels  TEXT NOT NULL, -- JSON
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  actor   TEXT NOT NULL
);

-- +goose Down
SELECT 1;
