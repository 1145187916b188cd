-- +goose Up
-- News from the feeds about what is open here, each told once.
CREATE TABLE alert (
  id       BIGINT PRIMARY KEY,
  key      TEXT NOT NULL UNIQUE, -- what happened, so that it is told once
  at       BIGINT NOT NULL,
  kind     TEXT NOT NULL,
  advisory BIGINT NOT NULL,     -- 0: of none
  body     BYTEA NOT NULL,       -- zstd JSON: what was told
  acked    BIGINT NOT NULL,     -- when somebody took note of it; 0: nobody did
  acked_by TEXT NOT NULL
);
CREATE INDEX alert_at ON alert (at);
CREATE INDEX alert_advisory ON alert (advisory) WHERE advisory <> 0;
CREATE INDEX alert_unseen ON alert (id) WHERE acked = 0;

-- +goose Down
SELECT 1;
