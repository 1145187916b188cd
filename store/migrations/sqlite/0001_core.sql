-- +goose Up
-- Numbers instead of texts: what findings share is stored once and joined by
-- id, so that the row of a finding stays under 64 bytes.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE asset (
  id         INTEGER PRIMARY KEY,
  key        TEXT NOT NULL UNIQUE,
  kind       INTEGER NOT NULL,
  name       TEXT NOT NULL,
  os         TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  demo       INTEGER NOT NULL,
  merged     INTEGER NOT NULL -- id of the asset it became part of, 0: itself
);

CREATE INDEX asset_merged ON asset (merged) WHERE merged <> 0;

CREATE TABLE asset_identifier (
  identifier TEXT NOT NULL,
  asset      INTEGER NOT NULL,
  PRIMARY KEY (identifier, asset)
) WITHOUT ROWID;
CREATE INDEX asset_identifier_asset ON asset_identifier (asset);

CREATE TABLE advisory (
  id       INTEGER PRIMARY KEY,
  key      TEXT NOT NULL UNIQUE,
  type     INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  title    TEXT NOT NULL,
  facts    TEXT NOT NULL, -- JSON: cves, aliases, cwes, cvss
  detail   BLOB NOT NULL, -- zstd JSON: description, solution, references
  threat   TEXT NOT NULL  -- JSON: what the feeds say
);

CREATE TABLE location (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE, -- first 16 bytes of SHA-256 of the body
  body   TEXT NOT NULL         -- JSON
);

CREATE TABLE source (
  id    INTEGER PRIMARY KEY,
  tool  TEXT NOT NULL,
  class TEXT NOT NULL,
  UNIQUE (tool, class)
);

CREATE TABLE scan (
  id       INTEGER PRIMARY KEY,
  digest   TEXT NOT NULL UNIQUE,
  name     TEXT NOT NULL,
  format   TEXT NOT NULL,
  tool     TEXT NOT NULL,
  version  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  received INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  failure  TEXT NOT NULL,
  records  INTEGER NOT NULL,
  errors   INTEGER NOT NULL,
  created  INTEGER NOT NULL,
  closed   INTEGER NOT NULL,
  reopened INTEGER NOT NULL,
  demo     INTEGER NOT NULL,
  seen     BLOB -- roaring bitmap of finding ids, written when the import ends
);

CREATE TABLE scan_error (
  scan    INTEGER NOT NULL,
  record  INTEGER NOT NULL,
  place   INTEGER NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (scan, record, place)
) WITHOUT ROWID;

CREATE TABLE checkset (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  body   BLOB NOT NULL -- zstd JSON: rules and ports; many assets share one
);

CREATE TABLE coverage (
  scan     INTEGER NOT NULL,
  source   INTEGER NOT NULL,
  asset    INTEGER NOT NULL,
  checkset INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (asset, source, at, scan)
) WITHOUT ROWID;
CREATE INDEX coverage_scan ON coverage (scan);

CREATE TABLE finding (
  id          INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  asset       INTEGER NOT NULL,
  advisory    INTEGER NOT NULL,
  location    INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  scan        INTEGER NOT NULL,
  first_seen  INTEGER NOT NULL,
  since       INTEGER NOT NULL, -- 0: since first_seen
  flags       INTEGER NOT NULL  -- status, severity, detection, verdict, shared: see flags.go
);
CREATE UNIQUE INDEX finding_fingerprint ON finding (fingerprint);

CREATE TABLE finding_alias (
  fingerprint BLOB PRIMARY KEY,
  finding     INTEGER NOT NULL, -- what it leads to now
  old         INTEGER NOT NULL  -- the number it led to before, 0: none
) WITHOUT ROWID;

CREATE INDEX finding_alias_finding ON finding_alias (finding);

CREATE TABLE finding_source (
  finding INTEGER NOT NULL,
  source  INTEGER NOT NULL,
  scan    INTEGER NOT NULL,
  state   TEXT NOT NULL, -- '', not_affected, suppressed, fixed, absent
  at      INTEGER NOT NULL,
  PRIMARY KEY (finding, source)
) WITHOUT ROWID;

CREATE TABLE evidence (
  scan  INTEGER NOT NULL,
  first INTEGER NOT NULL, -- ids of the findings in the block, ascending
  last  INTEGER NOT NULL,
  body  BLOB NOT NULL,    -- zstd
  PRIMARY KEY (scan, first, last)
);

CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  cause  INTEGER NOT NULL,
  "from" INTEGER NOT NULL,
  "to"   INTEGER NOT NULL,
  first  INTEGER NOT NULL,
  last   INTEGER NOT NULL,
  ids    BLOB, -- roaring bitmap; NULL: the range
  scan   INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE verdict (
  id         INTEGER PRIMARY KEY,
  finding    INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  confidence INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  until      INTEGER NOT NULL,
  evidence   TEXT NOT NULL,
  actor      TEXT NOT NULL
);
CREATE INDEX verdict_finding ON verdict (finding);

CREATE TABLE exception (
  id        INTEGER PRIMARY KEY,
  reason    TEXT NOT NULL,
  requester TEXT NOT NULL,
  approver  TEXT NOT NULL,
  created   INTEGER NOT NULL,
  approved  INTEGER NOT NULL, -- 0: waits for approval
  expires   INTEGER NOT NULL,
  ended     INTEGER NOT NULL, -- 0: in force
  findings  BLOB NOT NULL     -- roaring bitmap
);

CREATE TABLE programme (
  version INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  body    TEXT NOT NULL
);

CREATE TABLE feed (
  name   TEXT PRIMARY KEY,
  copy   TEXT NOT NULL, -- JSON: where from, when, checksum, counts
  status TEXT NOT NULL, -- JSON: last attempt
  body   BLOB
);

CREATE TABLE outbox (
  id        INTEGER PRIMARY KEY,
  key       TEXT NOT NULL UNIQUE,
  connector TEXT NOT NULL,
  target    TEXT NOT NULL,
  body      BLOB NOT NULL,
  state     TEXT NOT NULL,
  attempts  INTEGER NOT NULL,
  next_at   INTEGER NOT NULL,
  leased    INTEGER NOT NULL,
  error     TEXT NOT NULL,
  created   INTEGER NOT NULL
);
CREATE INDEX outbox_next ON outbox (state, next_at);

CREATE TABLE rollup (
  day  INTEGER PRIMARY KEY,
  body TEXT NOT NULL -- JSON
);

CREATE TABLE account (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,
  role     TEXT NOT NULL,
  created  INTEGER NOT NULL,
  disabled INTEGER NOT NULL
);

CREATE TABLE token (
  id       INTEGER PRIMARY KEY,
  account  INTEGER NOT NULL,
  name     TEXT NOT NULL,
  digest   TEXT NOT NULL UNIQUE,
  scopes   TEXT NOT NULL,
  created  INTEGER NOT NULL,
  expires  INTEGER NOT NULL,
  used     INTEGER NOT NULL
);

CREATE TABLE session (
  token  TEXT PRIMARY KEY,
  data   BLOB NOT NULL,
  expiry INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
SELECT 1;
