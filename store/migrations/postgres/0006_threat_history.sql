-- +goose Up
-- What the feeds said of advisories over time, as far as it moves scores. The
-- row of time 0 is what was known before the first change.
CREATE TABLE threat_history (
  advisory BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  threat   TEXT NOT NULL, -- JSON
  PRIMARY KEY (advisory, at)
);

-- +goose Down
SELECT 1;
