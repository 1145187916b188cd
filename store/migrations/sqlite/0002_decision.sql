-- +goose Up
ALTER TABLE asset ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- that a person named; '': the programme decides

-- What a person decided at once, so that he can take it back.
CREATE TABLE decision (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  kind   INTEGER NOT NULL,
  undone INTEGER NOT NULL, -- 0: it stands
  body   BLOB NOT NULL     -- zstd JSON: what it was and which events it made
);

-- +goose Down
SELECT 1;
