-- +goose Up
-- Numbers instead of texts: what findings share is stored once and joined by
-- id, so that the row of a finding stays under 64 bytes.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE asset (
  id         BIGINT PRIMARY KEY,
  key        TEXT NOT NULL UNIQUE,
  kind       BIGINT NOT NULL,
  name       TEXT NOT NULL,
  os         TEXT NOT NULL,
  first_seen BIGINT NOT NULL,
  demo       BIGINT NOT NULL,
  merged     BIGINT NOT NULL -- id of the asset it became part of, 0: itself
);

CREATE INDEX asset_merged ON asset (merged) WHERE merged <> 0;

CREATE TABLE asset_identifier (
  identifier TEXT NOT NULL,
  asset      BIGINT NOT NULL,
  PRIMARY KEY (identifier, asset)
);
CREATE INDEX asset_identifier_asset ON asset_identifier (asset);

CREATE TABLE advisory (
  id       BIGINT PRIMARY KEY,
  key      TEXT NOT NULL UNIQUE,
  type     BIGINT NOT NULL,
  severity BIGINT NOT NULL,
  title    TEXT NOT NULL,
  facts    TEXT NOT NULL, -- JSON: cves, aliases, cwes, cvss
  detail   BYTEA NOT NULL, -- zstd JSON: description, solution, references
  threat   TEXT NOT NULL  -- JSON: what the feeds say
);

CREATE TABLE location (
  id     BIGINT PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE, -- first 16 bytes of SHA-256 of the body
  body   TEXT NOT NULL         -- JSON
);

CREATE TABLE source (
  id    BIGINT PRIMARY KEY,
  tool  TEXT NOT NULL,
  class TEXT NOT NULL,
  UNIQUE (tool, class)
);

CREATE TABLE scan (
  id       BIGINT PRIMARY KEY,
  digest   TEXT NOT NULL UNIQUE,
  name     TEXT NOT NULL,
  format   TEXT NOT NULL,
  tool     TEXT NOT NULL,
  version  TEXT NOT NULL,
  at       BIGINT NOT NULL,
  received BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  complete BIGINT NOT NULL,
  failure  TEXT NOT NULL,
  records  BIGINT NOT NULL,
  errors   BIGINT NOT NULL,
  created  BIGINT NOT NULL,
  closed   BIGINT NOT NULL,
  reopened BIGINT NOT NULL,
  demo     BIGINT NOT NULL,
  seen     BYTEA -- roaring bitmap of finding ids, written when the import ends
);

CREATE TABLE scan_error (
  scan    BIGINT NOT NULL,
  record  BIGINT NOT NULL,
  place   BIGINT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (scan, record, place)
);

CREATE TABLE checkset (
  id     BIGINT PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  body   BYTEA NOT NULL -- zstd JSON: rules and ports; many assets share one
);

CREATE TABLE coverage (
  scan     BIGINT NOT NULL,
  source   BIGINT NOT NULL,
  asset    BIGINT NOT NULL,
  checkset BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (asset, source, at, scan)
);
CREATE INDEX coverage_scan ON coverage (scan);

CREATE TABLE finding (
  id          BIGINT PRIMARY KEY,
  fingerprint BYTEA NOT NULL,
  asset       BIGINT NOT NULL,
  advisory    BIGINT NOT NULL,
  location    BIGINT NOT NULL,
  source      BIGINT NOT NULL,
  scan        BIGINT NOT NULL,
  first_seen  BIGINT NOT NULL,
  since       BIGINT NOT NULL, -- 0: since first_seen
  flags       BIGINT NOT NULL  -- status, severity, detection, verdict, shared: see flags.go
);
CREATE UNIQUE INDEX finding_fingerprint ON finding (fingerprint);

CREATE TABLE finding_alias (
  fingerprint BYTEA PRIMARY KEY,
  finding     BIGINT NOT NULL, -- what it leads to now
  old         BIGINT NOT NULL  -- the number it led to before, 0: none
);

CREATE INDEX finding_alias_finding ON finding_alias (finding);

CREATE TABLE finding_source (
  finding BIGINT NOT NULL,
  source  BIGINT NOT NULL,
  scan    BIGINT NOT NULL,
  state   TEXT NOT NULL, -- '', not_affected, suppressed, fixed, absent
  at      BIGINT NOT NULL,
  PRIMARY KEY (finding, source)
);

CREATE TABLE evidence (
  scan  BIGINT NOT NULL,
  first BIGINT NOT NULL, -- ids of the findings in the block, ascending
  last  BIGINT NOT NULL,
  body  BYTEA NOT NULL,    -- zstd
  PRIMARY KEY (scan, first, last)
);

CREATE TABLE event (
  seq    BIGINT PRIMARY KEY,
  at     BIGINT NOT NULL,
  kind   BIGINT NOT NULL,
  cause  BIGINT NOT NULL,
  "from" BIGINT NOT NULL,
  "to"   BIGINT NOT NULL,
  first  BIGINT NOT NULL,
  last   BIGINT NOT NULL,
  ids    BYTEA, -- roaring bitmap; NULL: the range
  scan   BIGINT NOT NULL,
  actor  TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE verdict (
  id         BIGINT PRIMARY KEY,
  finding    BIGINT NOT NULL,
  kind       BIGINT NOT NULL,
  confidence BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  until      BIGINT NOT NULL,
  evidence   TEXT NOT NULL,
  actor      TEXT NOT NULL
);
CREATE INDEX verdict_finding ON verdict (finding);

CREATE TABLE exception (
  id        BIGINT PRIMARY KEY,
  reason    TEXT NOT NULL,
  requester TEXT NOT NULL,
  approver  TEXT NOT NULL,
  created   BIGINT NOT NULL,
  approved  BIGINT NOT NULL, -- 0: waits for approval
  expires   BIGINT NOT NULL,
  ended     BIGINT NOT NULL, -- 0: in force
  findings  BYTEA NOT NULL     -- roaring bitmap
);

CREATE TABLE programme (
  version BIGINT PRIMARY KEY,
  at      BIGINT NOT NULL,
  actor   TEXT NOT NULL,
  body    TEXT NOT NULL
);

CREATE TABLE feed (
  name   TEXT PRIMARY KEY,
  copy   TEXT NOT NULL, -- JSON: where from, when, checksum, counts
  status TEXT NOT NULL, -- JSON: last attempt
  body   BYTEA
);

CREATE TABLE outbox (
  id        BIGINT PRIMARY KEY,
  key       TEXT NOT NULL UNIQUE,
  connector TEXT NOT NULL,
  target    TEXT NOT NULL,
  body      BYTEA NOT NULL,
  state     TEXT NOT NULL,
  attempts  BIGINT NOT NULL,
  next_at   BIGINT NOT NULL,
  leased    BIGINT NOT NULL,
  error     TEXT NOT NULL,
  created   BIGINT NOT NULL
);
CREATE INDEX outbox_next ON outbox (state, next_at);

CREATE TABLE rollup (
  day  BIGINT PRIMARY KEY,
  body TEXT NOT NULL -- JSON
);

CREATE TABLE account (
  id       BIGINT PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,
  role     TEXT NOT NULL,
  created  BIGINT NOT NULL,
  disabled BIGINT NOT NULL
);

CREATE TABLE token (
  id       BIGINT PRIMARY KEY,
  account  BIGINT NOT NULL,
  name     TEXT NOT NULL,
  digest   TEXT NOT NULL UNIQUE,
  scopes   TEXT NOT NULL,
  created  BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  used     BIGINT NOT NULL
);

CREATE TABLE session (
  token  TEXT PRIMARY KEY,
  data   BYTEA NOT NULL,
  expiry BIGINT NOT NULL
);

-- +goose Down
SELECT 1;
