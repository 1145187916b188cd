-- +goose Up
ALTER TABLE asset ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- that a person named; '': the programme decides

-- What a person decided at once, so that he can take it back.
CREATE TABLE decision (
  id     BIGINT PRIMARY KEY,
  at     BIGINT NOT NULL,
  actor  TEXT NOT NULL,
  kind   BIGINT NOT NULL,
  undone BIGINT NOT NULL, -- 0: it stands
  body   BYTEA NOT NULL   -- zstd JSON: what it was and which events it made
);

-- +goose Down
SELECT 1;
