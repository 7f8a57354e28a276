-- The log is kept: a hash chain over it, and reports on the health of its file.

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

-- What a check found, and when the storage ran full, for the person.
CREATE TABLE health_reports (
  id          TEXT PRIMARY KEY NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('check', 'room')),
  outcome     TEXT NOT NULL CHECK (outcome IN ('sound', 'damaged', 'full', 'free')),
  report_json TEXT NOT NULL CHECK (json_valid(report_json)),
  created_at  TEXT NOT NULL
) STRICT;
CREATE INDEX health_reports_by_time ON health_reports (created_at);
