-- +goose Up
-- What is scanned, when and by whom: plans, their jobs in shards, agents, and
-- results on their way up.
CREATE TABLE scan_plan (
  id   BIGINT PRIMARY KEY,
  next BIGINT NOT NULL, -- when it is due, unix milliseconds; 0: not by the clock
  body TEXT NOT NULL   -- JSON
);

CREATE TABLE scan_job (
  id       BIGINT PRIMARY KEY,
  plan     BIGINT NOT NULL, -- 0: asked for once
  state    TEXT NOT NULL,
  vantage  TEXT NOT NULL,
  created  BIGINT NOT NULL,
  started  BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  cause    TEXT NOT NULL,
  failure  TEXT NOT NULL,
  body     TEXT NOT NULL -- JSON: the plan as it was then
);
CREATE INDEX scan_job_open ON scan_job (id) WHERE finished = 0;
CREATE INDEX scan_job_plan ON scan_job (plan);

CREATE TABLE scan_shard (
  job      BIGINT NOT NULL,
  number   BIGINT NOT NULL,
  state    TEXT NOT NULL,
  targets  TEXT NOT NULL, -- JSON
  agent    BIGINT NOT NULL,
  worker   TEXT NOT NULL,
  fence    BIGINT NOT NULL,
  until    BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  started  BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  progress TEXT NOT NULL,
  failure  TEXT NOT NULL,
  created  BIGINT NOT NULL, -- findings made
  found    BIGINT NOT NULL, -- weaknesses stated
  PRIMARY KEY (job, number)
);
CREATE INDEX scan_shard_open ON scan_shard (job, number) WHERE finished = 0;

CREATE TABLE scan_upload (
  job    BIGINT NOT NULL,
  number BIGINT NOT NULL,
  fence  BIGINT NOT NULL,
  place  BIGINT NOT NULL, -- of the first byte
  size   BIGINT NOT NULL,
  body   BYTEA NOT NULL,
  PRIMARY KEY (job, number, fence, place)
);

CREATE TABLE agent (
  id       BIGINT PRIMARY KEY,
  name     TEXT NOT NULL,
  labels   TEXT NOT NULL, -- JSON
  facts    TEXT NOT NULL, -- JSON
  enrolled BIGINT NOT NULL,
  seen     BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  digest   TEXT NOT NULL UNIQUE, -- of its secret
  actor    TEXT NOT NULL
);

CREATE TABLE agent_invitation (
  digest  TEXT PRIMARY KEY, -- of the token, good once
  name    TEXT NOT NULL,
  labels  TEXT NOT NULL, -- JSON
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  actor   TEXT NOT NULL
);

-- +goose Down
SELECT 1;
