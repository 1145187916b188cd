-- +goose Up
-- The pages of scans and sources ask for the newest of one tool, for what one
-- source looked at lately and for what one scan opened, without reading the
-- whole table for it.
CREATE INDEX scan_tool ON scan (tool, id);
CREATE INDEX coverage_source ON coverage (source, at, asset);
CREATE INDEX event_opened ON event (scan) WHERE kind = 0;

CREATE TABLE epss_rise (
  advisory BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  earlier  BIGINT NOT NULL, -- probability in millionths, in the edition before
  later    BIGINT NOT NULL,
  PRIMARY KEY (advisory, at)
);
CREATE INDEX epss_rise_at ON epss_rise (at);

-- +goose Down
SELECT 1;
