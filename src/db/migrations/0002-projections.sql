-- How projections stand, beside `projection_checkpoints`: paused, parked, being rebuilt.

CREATE TABLE projection_states (
  projection         TEXT PRIMARY KEY NOT NULL,
  paused_at          TEXT,
  -- The event at which it stands still until a person says retry or skip.
  parked_position    INTEGER,
  parked_event_id    TEXT,
  parked_event_type  TEXT,
  parked_error       TEXT,
  parked_attempts    INTEGER,
  parked_at          TEXT,
  -- How far the copies beside its tables are filled; null where there are none.
  rebuild_version    INTEGER,
  rebuild_position   INTEGER,
  rebuild_write      INTEGER, -- the last direct write that is in the copies
  rebuild_started_at TEXT
) STRICT;

-- Events that a person told a version of a projection to leave out.
CREATE TABLE projection_skips (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  projection TEXT NOT NULL,
  version    INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  error      TEXT NOT NULL,
  skipped_by TEXT NOT NULL,
  skipped_at TEXT NOT NULL,
  UNIQUE (projection, version, event_id)
) STRICT;

-- What callers wrote into a projection's tables without an event: applied again at its place in the log by a rebuild.
CREATE TABLE direct_writes (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  projection     TEXT NOT NULL,
  after_position INTEGER NOT NULL,
  table_name     TEXT NOT NULL,
  op             TEXT NOT NULL CHECK (op IN ('upsert', 'truncate')),
  rows_json      TEXT NOT NULL CHECK (json_valid(rows_json)),
  written_at     TEXT NOT NULL
) STRICT;
CREATE INDEX direct_writes_by_place ON direct_writes (projection, after_position);

-- Each run with the workflow it was of, for good: neither goes when the workflow does.
CREATE TABLE workflow_runs (
  id            TEXT PRIMARY KEY NOT NULL, -- the run's
  workflow_id   TEXT NOT NULL,
  workflow_name TEXT NOT NULL,
  version       INTEGER NOT NULL,
  trigger       TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
  queued_at     TEXT NOT NULL,
  started_at    TEXT,
  finished_at   TEXT
) STRICT;
CREATE INDEX workflow_runs_by_workflow ON workflow_runs (workflow_id, queued_at);

-- The same by workflow. Durations are those of runs that succeeded, in ms.
CREATE VIEW workflow_activity AS
  WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY workflow_id ORDER BY queued_at DESC, rowid DESC) AS place,
      CASE status WHEN 'succeeded' THEN round((julianday(finished_at) - julianday(started_at)) * 86400000) END AS ms,
      CASE status WHEN 'succeeded' THEN finished_at END AS succeeded_at
    FROM workflow_runs
  )
  SELECT workflow_id,
    max(CASE place WHEN 1 THEN workflow_name END) AS workflow_name,
    count(*) AS runs,
    count(*) FILTER (WHERE status = 'queued') AS queued,
    count(*) FILTER (WHERE status = 'running') AS running,
    count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'canceled') AS canceled,
    max(CASE place WHEN 1 THEN id END) AS last_run_id,
    max(CASE place WHEN 1 THEN status END) AS last_status,
    max(CASE place WHEN 1 THEN coalesce(finished_at, started_at, queued_at) END) AS last_run_at,
    max(succeeded_at) AS last_success_at,
    median(ms) AS median_ms,
    (SELECT round((julianday(l.finished_at) - julianday(l.started_at)) * 86400000) FROM workflow_runs l
      WHERE l.workflow_id = placed.workflow_id AND l.status = 'succeeded'
      ORDER BY l.finished_at DESC, l.rowid DESC LIMIT 1) AS last_ms
  FROM placed
  GROUP BY workflow_id;
