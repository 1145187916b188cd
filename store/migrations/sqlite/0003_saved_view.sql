-- +goose Up
CREATE TABLE saved_view (
  id      INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  name    TEXT NOT NULL,
  query   TEXT NOT NULL,
  sort    TEXT NOT NULL, -- '': by risk
  reverse INTEGER NOT NULL,
  columns TEXT NOT NULL, -- with spaces between, '': the usual ones
  shared  INTEGER NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (account, name)
);
CREATE INDEX saved_view_shared ON saved_view (shared) WHERE shared <> 0;

-- +goose Down
SELECT 1;
