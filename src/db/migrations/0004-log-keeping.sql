-- The log is kept: a hash chain over it, segments of streams that have ended, reports on the database's health.

-- One link of the chain: the hashes of the events up to last_position that no earlier seal holds.
CREATE TABLE log_seals (
  last_position   INTEGER PRIMARY KEY NOT NULL,
  first_position  INTEGER NOT NULL,
  event_count     INTEGER NOT NULL CHECK (event_count >= 1),
  event_hashes    BLOB NOT NULL, -- SHA-256 an event, 32 bytes each, by position
  previous_sha256 TEXT, -- NULL for the first
  sha256          TEXT NOT NULL UNIQUE, -- of all of the above and sealed_at
  sealed_at       TEXT NOT NULL,
  CHECK (first_position <= last_position),
  CHECK (length(event_hashes) = 32 * event_count)
) STRICT;
CREATE TRIGGER log_seals_are_never_changed BEFORE UPDATE ON log_seals
BEGIN
  SELECT RAISE(ABORT, 'a seal is never changed');
END;
CREATE TRIGGER log_seals_are_never_deleted BEFORE DELETE ON log_seals
BEGIN
  SELECT RAISE(ABORT, 'a seal is never deleted');
END;

-- Events that were moved out of the table: gzip of one JSON row a line, by position, under their SHA-256.
CREATE TABLE archive_segments (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  first_position  INTEGER NOT NULL,
  last_position   INTEGER NOT NULL,
  event_count     INTEGER NOT NULL CHECK (event_count >= 1),
  stream_count    INTEGER NOT NULL CHECK (stream_count >= 1),
  place           TEXT NOT NULL CHECK (place IN ('browser', 'folder')),
  sha256          TEXT NOT NULL, -- of the segment as it lies there
  size            INTEGER NOT NULL,
  contents_sha256 TEXT NOT NULL, -- of the lines in it
  contents_size   INTEGER NOT NULL,
  created_at      TEXT NOT NULL
) STRICT;

-- Where an archived stream ends, so that one that goes on is numbered on.
CREATE TABLE archived_streams (
  id             INTEGER PRIMARY KEY,
  aggregate_type TEXT NOT NULL,
  aggregate_id   TEXT NOT NULL,
  last_seq       INTEGER NOT NULL CHECK (last_seq >= 1),
  segment_id     INTEGER NOT NULL REFERENCES archive_segments (id),
  UNIQUE (aggregate_type, aggregate_id, segment_id)
) STRICT;
CREATE INDEX archived_streams_by_segment ON archived_streams (segment_id);

-- Every archived event by its id, so that an id that is appended again is known.
CREATE TABLE archived_events (
  id         TEXT PRIMARY KEY NOT NULL,
  position   INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  stream_id  INTEGER NOT NULL REFERENCES archived_streams (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX archived_events_by_stream ON archived_events (stream_id);

-- What a check or a salvage found, and when the storage ran full, for the person.
CREATE TABLE health_reports (
  id          TEXT PRIMARY KEY NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('check', 'salvage', 'room')),
  outcome     TEXT NOT NULL CHECK (outcome IN ('sound', 'damaged', 'salvaged', 'full', 'free')),
  report_json TEXT NOT NULL CHECK (json_valid(report_json)),
  created_at  TEXT NOT NULL
) STRICT;
CREATE INDEX health_reports_by_time ON health_reports (created_at);
