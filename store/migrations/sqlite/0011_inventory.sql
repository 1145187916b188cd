-- +goose Up
-- What is on the assets: a dictionary of packages, and of each asset and source
-- which of them are there. One row holds a set, so that a million packages on
-- ten thousand assets are ten thousand rows.
CREATE TABLE component (
  id       INTEGER PRIMARY KEY,
  purl     TEXT NOT NULL UNIQUE,
  concerns TEXT NOT NULL -- JSON: the advisories about it when it was matched last
);

CREATE TABLE asset_inventory (
  asset    INTEGER NOT NULL,
  source   INTEGER NOT NULL,
  scan     INTEGER NOT NULL, -- the newest that said so
  at       INTEGER NOT NULL, -- when that ran, unix milliseconds
  complete INTEGER NOT NULL, -- when the newest ran that saw everything; 0: none
  packages BLOB NOT NULL, -- a roaring bitmap of components
  services TEXT NOT NULL, -- JSON, in order
  PRIMARY KEY (asset, source)
) WITHOUT ROWID;

CREATE TABLE asset_match (
  asset   INTEGER PRIMARY KEY,
  due     INTEGER NOT NULL, -- how often its inventory changed since it was matched; 0: matched
  classes TEXT NOT NULL -- JSON: what was said of it
);
CREATE INDEX asset_match_due ON asset_match (asset) WHERE due <> 0;

CREATE TABLE surface_change (
  id    INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL, -- unix milliseconds
  asset INTEGER NOT NULL,
  scan  INTEGER NOT NULL,
  kind  TEXT NOT NULL,
  was   TEXT NOT NULL, -- JSON: the service before; empty: there was none
  now   TEXT NOT NULL  -- JSON: the service after; empty: there is none
);
CREATE INDEX surface_change_at ON surface_change (at);

-- +goose Down
SELECT 1;
