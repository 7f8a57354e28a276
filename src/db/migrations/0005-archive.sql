-- Events that were moved out of `events` into compressed files. Each event stands in one of the two, always.

-- One file, which never changes.
CREATE TABLE archive_segments (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  file_name      TEXT NOT NULL UNIQUE,
  place          TEXT NOT NULL CHECK (place IN ('storage', 'folder')),
  sha256         TEXT NOT NULL UNIQUE, -- of the file
  bytes          INTEGER NOT NULL,
  content_sha256 TEXT NOT NULL, -- of what is compressed in it
  content_bytes  INTEGER NOT NULL,
  event_count    INTEGER NOT NULL CHECK (event_count >= 1),
  stream_count   INTEGER NOT NULL CHECK (stream_count >= 1),
  first_position INTEGER NOT NULL,
  last_position  INTEGER NOT NULL,
  first_event_at TEXT NOT NULL,
  last_event_at  TEXT NOT NULL,
  created_at     TEXT NOT NULL,
  CHECK (first_position <= last_position)
) STRICT;

-- Which seqs of which stream a segment holds.
CREATE TABLE archived_streams (
  aggregate_type TEXT NOT NULL,
  aggregate_id   TEXT NOT NULL,
  segment_id     INTEGER NOT NULL REFERENCES archive_segments (id),
  event_count    INTEGER NOT NULL,
  first_seq      INTEGER NOT NULL,
  last_seq       INTEGER NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, segment_id)
) STRICT;

-- What is asked of an event without reading it.
CREATE TABLE archived_events (
  position       INTEGER PRIMARY KEY NOT NULL,
  id             TEXT NOT NULL UNIQUE,
  segment_id     INTEGER NOT NULL,
  aggregate_type TEXT NOT NULL,
  event_type     TEXT NOT NULL
) STRICT;

-- Every event's place, archived or not.
CREATE VIEW log_index AS
  SELECT position, id, aggregate_type, event_type FROM events
  UNION ALL
  SELECT position, id, aggregate_type, event_type FROM archived_events;

-- The log's newest event stays, so that the end of the log is the end of the table.
DROP TRIGGER events_are_never_deleted;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
WHEN OLD.position = (SELECT max(position) FROM events)
  OR NOT EXISTS (SELECT 1 FROM archived_events WHERE position = OLD.position AND id = OLD.id)
BEGIN
  SELECT RAISE(ABORT, 'an event is never deleted');
END;

CREATE TRIGGER archived_events_were_in_the_log BEFORE INSERT ON archived_events
WHEN NOT EXISTS (SELECT 1 FROM events WHERE position = NEW.position AND id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM archive_segments
                 WHERE id = NEW.segment_id AND NEW.position BETWEEN first_position AND last_position)
BEGIN
  SELECT RAISE(ABORT, 'only an event of the log is archived, into a segment that is there');
END;
CREATE TRIGGER archived_events_are_never_changed BEFORE UPDATE ON archived_events
BEGIN
  SELECT RAISE(ABORT, 'an archived event is never changed');
END;
CREATE TRIGGER archived_events_are_never_lost BEFORE DELETE ON archived_events
WHEN NOT EXISTS (SELECT 1 FROM events WHERE position = OLD.position AND id = OLD.id)
BEGIN
  SELECT RAISE(ABORT, 'an archived event is let go of when it is back in the log');
END;

CREATE TRIGGER archive_segments_are_never_changed BEFORE UPDATE ON archive_segments
BEGIN
  SELECT RAISE(ABORT, 'a segment is never changed');
END;
CREATE TRIGGER archive_segments_are_never_lost BEFORE DELETE ON archive_segments
WHEN EXISTS (SELECT 1 FROM archived_events
             WHERE position BETWEEN OLD.first_position AND OLD.last_position AND segment_id = OLD.id)
BEGIN
  SELECT RAISE(ABORT, 'a segment is let go of when its events are back in the log');
END;
