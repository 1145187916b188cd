-- +goose Up
-- What EPSS said a week apart, of all CVEs of a year in one row, so that the
-- past of one is read without reading that of all.
CREATE TABLE epss_history (
  year  INTEGER NOT NULL, -- of the CVE ids
  day   INTEGER NOT NULL, -- of the edition, since 1970-01-01
  model TEXT NOT NULL,
  body  BLOB NOT NULL,
  PRIMARY KEY (year, day)
) WITHOUT ROWID;
CREATE INDEX epss_history_day ON epss_history (day);

-- +goose Down
SELECT 1;
