-- +goose Up
CREATE TABLE saved_view (
  id      BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name    TEXT NOT NULL,
  query   TEXT NOT NULL,
  sort    TEXT NOT NULL, -- '': by risk
  reverse BIGINT NOT NULL,
  columns TEXT NOT NULL, -- with spaces between, '': the usual ones
  shared  BIGINT NOT NULL,
  created BIGINT NOT NULL,
  UNIQUE (account, name)
);
CREATE INDEX saved_view_shared ON saved_view (shared) WHERE shared <> 0;

-- +goose Down
SELECT 1;
