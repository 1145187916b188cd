-- +goose Up
-- What EPSS said a week apart, of all CVEs of a year in one row, so that the
-- past of one is read without reading that of all.
CREATE TABLE epss_history (
  year  BIGINT NOT NULL, -- of the CVE ids
  day   BIGINT NOT NULL, -- of the edition, since 1970-01-01
  model TEXT NOT NULL,
  body  BYTEA NOT NULL,
  PRIMARY KEY (year, day)
);
CREATE INDEX epss_history_day ON epss_history (day);

-- +goose Down
SELECT 1;
