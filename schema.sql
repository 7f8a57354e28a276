-- FlowForge's database: version 1. Times are ISO-8601 UTC text with milliseconds, `*_json` is valid JSON text.
-- Later versions are numbered steps in src/db/migrations; this file never changes once it has been released.

-- Event store -------------------------------------------------------------------------------------------------------

CREATE TABLE events (
  position           INTEGER PRIMARY KEY AUTOINCREMENT,
  id                 TEXT NOT NULL UNIQUE,
  aggregate_type     TEXT NOT NULL,
  aggregate_id       TEXT NOT NULL,
  event_type         TEXT NOT NULL,
  event_version      INTEGER NOT NULL DEFAULT 1 CHECK (event_version >= 1),
  seq                INTEGER NOT NULL CHECK (seq >= 1),
  tx_id              TEXT NOT NULL,
  caused_by_event_id TEXT,
  payload_json       TEXT NOT NULL CHECK (json_valid(payload_json)),
  metadata_json      TEXT CHECK (metadata_json IS NULL OR json_valid(metadata_json)),
  created_at         TEXT NOT NULL,
  UNIQUE (aggregate_type, aggregate_id, seq)
) STRICT;
CREATE INDEX events_by_tx ON events (tx_id);
CREATE INDEX events_by_time ON events (created_at);
CREATE INDEX events_by_type ON events (event_type, position);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'an event is never changed');
END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'an event is never deleted');
END;

CREATE TABLE snapshots (
  id             TEXT PRIMARY KEY NOT NULL,
  aggregate_type TEXT NOT NULL,
  aggregate_id   TEXT NOT NULL,
  last_seq       INTEGER NOT NULL CHECK (last_seq >= 1),
  state_json     TEXT NOT NULL CHECK (json_valid(state_json)),
  created_at     TEXT NOT NULL,
  state_version  INTEGER NOT NULL DEFAULT 1,
  UNIQUE (aggregate_type, aggregate_id)
) STRICT;

-- Catalog -----------------------------------------------------------------------------------------------------------

CREATE TABLE schemas (
  id          TEXT PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  schema_json TEXT NOT NULL CHECK (json_valid(schema_json)),
  created_at  TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;

CREATE TABLE data_sources (
  id          TEXT PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('file', 'http', 'db', 'manual', 'excel', 'csv', 'json', 'parquet')),
  config_json TEXT NOT NULL CHECK (json_valid(config_json)),
  schema_id   TEXT REFERENCES schemas (id),
  created_at  TEXT NOT NULL
) STRICT;
CREATE INDEX data_sources_by_kind ON data_sources (kind);

CREATE TABLE auth_profiles (
  id               TEXT PRIMARY KEY NOT NULL,
  name             TEXT NOT NULL,
  kind             TEXT NOT NULL CHECK (kind IN ('none', 'basic', 'api_key', 'bearer', 'oauth2', 'ntlm')),
  config_json      TEXT NOT NULL CHECK (json_valid(config_json)),
  secret_refs_json TEXT CHECK (secret_refs_json IS NULL OR json_valid(secret_refs_json)),
  created_at       TEXT NOT NULL
) STRICT;

CREATE TABLE endpoints (
  id                   TEXT PRIMARY KEY NOT NULL,
  name                 TEXT NOT NULL,
  base_url             TEXT NOT NULL,
  auth_profile_id      TEXT REFERENCES auth_profiles (id),
  default_headers_json TEXT CHECK (default_headers_json IS NULL OR json_valid(default_headers_json)),
  created_at           TEXT NOT NULL
) STRICT;

-- Workflow definitions ----------------------------------------------------------------------------------------------

CREATE TABLE workflows (
  id          TEXT PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL UNIQUE,
  description TEXT,
  created_at  TEXT NOT NULL,
  updated_at  TEXT
) STRICT;

CREATE TABLE workflow_versions (
  id           TEXT PRIMARY KEY NOT NULL,
  workflow_id  TEXT NOT NULL REFERENCES workflows (id),
  version      INTEGER NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
  created_at   TEXT NOT NULL,
  activated_at TEXT,
  UNIQUE (workflow_id, version)
) STRICT;
CREATE UNIQUE INDEX one_draft_a_workflow ON workflow_versions (workflow_id) WHERE status = 'draft';
CREATE UNIQUE INDEX one_active_version_a_workflow ON workflow_versions (workflow_id) WHERE status = 'active';

CREATE TABLE nodes (
  id                  TEXT PRIMARY KEY NOT NULL,
  key                 TEXT,
  workflow_version_id TEXT NOT NULL REFERENCES workflow_versions (id),
  kind                TEXT NOT NULL
                      CHECK (kind IN ('source', 'transform', 'join', 'rule', 'http', 'branch', 'sink')),
  name                TEXT NOT NULL,
  spec_json           TEXT NOT NULL CHECK (json_valid(spec_json)),
  created_at          TEXT NOT NULL,
  x                   REAL,
  y                   REAL,
  UNIQUE (workflow_version_id, key)
) STRICT;

CREATE TABLE edges (
  id                  TEXT PRIMARY KEY NOT NULL,
  workflow_version_id TEXT NOT NULL REFERENCES workflow_versions (id),
  from_node_id        TEXT NOT NULL REFERENCES nodes (id),
  to_node_id          TEXT NOT NULL REFERENCES nodes (id),
  condition_json      TEXT CHECK (condition_json IS NULL OR json_valid(condition_json)),
  created_at          TEXT NOT NULL,
  from_port           TEXT,
  to_port             TEXT
) STRICT;
CREATE INDEX edges_by_version ON edges (workflow_version_id);
CREATE INDEX edges_by_from ON edges (from_node_id);
CREATE INDEX edges_by_to ON edges (to_node_id);

-- Reusable components -----------------------------------------------------------------------------------------------

CREATE TABLE operators (
  id         TEXT PRIMARY KEY NOT NULL,
  name       TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL CHECK (kind IN ('transform', 'validation', 'aggregate', 'enricher')),
  spec_json  TEXT NOT NULL CHECK (json_valid(spec_json)),
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE rule_sets (
  id         TEXT PRIMARY KEY NOT NULL,
  name       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  rules_json TEXT NOT NULL CHECK (json_valid(rules_json)),
  created_at TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;

CREATE TABLE request_templates (
  id                    TEXT PRIMARY KEY NOT NULL,
  name                  TEXT NOT NULL UNIQUE,
  endpoint_id           TEXT NOT NULL REFERENCES endpoints (id),
  method                TEXT NOT NULL,
  path_template         TEXT NOT NULL,
  headers_template_json TEXT CHECK (headers_template_json IS NULL OR json_valid(headers_template_json)),
  body_template         TEXT,
  created_at            TEXT NOT NULL
) STRICT;

-- Execution and observability ---------------------------------------------------------------------------------------

CREATE TABLE runs (
  id                  TEXT PRIMARY KEY NOT NULL,
  workflow_version_id TEXT NOT NULL, -- soft: a run outlives its workflow
  trigger             TEXT NOT NULL CHECK (trigger IN ('manual', 'schedule', 'api', 'test')),
  status              TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
  input_manifest_json TEXT CHECK (input_manifest_json IS NULL OR json_valid(input_manifest_json)),
  started_at          TEXT,
  finished_at         TEXT,
  created_at          TEXT NOT NULL,
  error_json          TEXT CHECK (error_json IS NULL OR json_valid(error_json))
) STRICT;
CREATE INDEX runs_by_version ON runs (workflow_version_id);
CREATE INDEX runs_by_status ON runs (status);
CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE run_steps (
  id          TEXT PRIMARY KEY NOT NULL,
  run_id      TEXT NOT NULL REFERENCES runs (id),
  node_id     TEXT NOT NULL, -- soft
  status      TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'skipped', 'canceled')),
  stats_json  TEXT CHECK (stats_json IS NULL OR json_valid(stats_json)),
  started_at  TEXT,
  finished_at TEXT
) STRICT;
CREATE INDEX run_steps_by_run ON run_steps (run_id);

CREATE TABLE run_logs (
  id          TEXT PRIMARY KEY NOT NULL,
  run_id      TEXT NOT NULL REFERENCES runs (id),
  run_step_id TEXT REFERENCES run_steps (id),
  level       TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
  message     TEXT NOT NULL,
  meta_json   TEXT CHECK (meta_json IS NULL OR json_valid(meta_json)),
  ts          TEXT NOT NULL
) STRICT;
CREATE INDEX run_logs_by_run ON run_logs (run_id, level);
CREATE INDEX run_logs_by_step ON run_logs (run_step_id);

CREATE TABLE artifacts (
  id          TEXT PRIMARY KEY NOT NULL,
  run_id      TEXT NOT NULL REFERENCES runs (id),
  node_id     TEXT, -- soft
  kind        TEXT NOT NULL CHECK (kind IN ('table', 'file', 'view', 'http_response', 'metrics')),
  uri         TEXT, -- a key in blobs
  format      TEXT CHECK (format IN ('parquet', 'arrow', 'csv', 'xlsx', 'json', 'duckdb', 'sqlite')),
  schema_json TEXT CHECK (schema_json IS NULL OR json_valid(schema_json)),
  rows        INTEGER,
  stats_json  TEXT CHECK (stats_json IS NULL OR json_valid(stats_json)),
  created_at  TEXT NOT NULL,
  sha256      TEXT
) STRICT;
CREATE INDEX artifacts_by_run ON artifacts (run_id);

CREATE TABLE lineage (
  id               TEXT PRIMARY KEY NOT NULL,
  run_id           TEXT NOT NULL REFERENCES runs (id),
  from_artifact_id TEXT NOT NULL REFERENCES artifacts (id),
  to_artifact_id   TEXT NOT NULL REFERENCES artifacts (id),
  edge_json        TEXT CHECK (edge_json IS NULL OR json_valid(edge_json)),
  created_at       TEXT NOT NULL
) STRICT;
CREATE INDEX lineage_by_run ON lineage (run_id);
CREATE INDEX lineage_by_from ON lineage (from_artifact_id);
CREATE INDEX lineage_by_to ON lineage (to_artifact_id);

CREATE TABLE request_executions (
  id            TEXT PRIMARY KEY NOT NULL,
  run_step_id   TEXT NOT NULL REFERENCES run_steps (id),
  template_id   TEXT, -- soft
  request_json  TEXT NOT NULL CHECK (json_valid(request_json)),
  response_json TEXT CHECK (response_json IS NULL OR json_valid(response_json)),
  status_code   INTEGER,
  duration_ms   INTEGER,
  ts            TEXT NOT NULL
) STRICT;
CREATE INDEX request_executions_by_step ON request_executions (run_step_id);

-- Materialized projections ------------------------------------------------------------------------------------------

CREATE TABLE datasets (
  id           TEXT PRIMARY KEY NOT NULL,
  name         TEXT NOT NULL UNIQUE,
  location_uri TEXT,
  format       TEXT,
  schema_id    TEXT REFERENCES schemas (id),
  stats_json   TEXT CHECK (stats_json IS NULL OR json_valid(stats_json)),
  created_at   TEXT NOT NULL
) STRICT;

CREATE TABLE joins (
  id               TEXT PRIMARY KEY NOT NULL,
  name             TEXT NOT NULL,
  left_dataset_id  TEXT NOT NULL REFERENCES datasets (id),
  right_dataset_id TEXT NOT NULL REFERENCES datasets (id),
  join_type        TEXT NOT NULL CHECK (join_type IN ('inner', 'left', 'right', 'full', 'semi', 'anti')),
  on_expr          TEXT NOT NULL,
  created_at       TEXT NOT NULL
) STRICT;

-- Scheduling and governance -----------------------------------------------------------------------------------------

CREATE TABLE schedules (
  id                TEXT PRIMARY KEY NOT NULL,
  workflow_id       TEXT NOT NULL REFERENCES workflows (id),
  cron              TEXT NOT NULL,
  enabled           INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  last_scheduled_at TEXT,
  created_at        TEXT NOT NULL,
  timezone          TEXT,
  catch_up          TEXT NOT NULL DEFAULT 'none' CHECK (catch_up IN ('none', 'last', 'all'))
) STRICT;

CREATE TABLE idempotency_keys (
  key           TEXT PRIMARY KEY NOT NULL,
  scope         TEXT NOT NULL,
  first_seen_at TEXT NOT NULL,
  result_json   TEXT CHECK (result_json IS NULL OR json_valid(result_json))
) STRICT;

CREATE TABLE principals (
  id         TEXT PRIMARY KEY NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('user', 'service')),
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE permissions (
  id           TEXT PRIMARY KEY NOT NULL,
  principal_id TEXT NOT NULL REFERENCES principals (id),
  resource     TEXT NOT NULL,
  action       TEXT NOT NULL CHECK (action IN ('read', 'write', 'execute', 'admin')),
  created_at   TEXT NOT NULL,
  UNIQUE (principal_id, resource, action)
) STRICT;

-- Beside the document -----------------------------------------------------------------------------------------------

-- Small bytes stand in `bytes`; large ones in the OPFS file that `file_name` names.
CREATE TABLE blobs (
  key          TEXT PRIMARY KEY NOT NULL,
  content_type TEXT,
  size         INTEGER NOT NULL,
  sha256       TEXT NOT NULL,
  created_at   TEXT NOT NULL,
  bytes        BLOB,
  file_name    TEXT,
  CHECK ((bytes IS NULL) <> (file_name IS NULL))
) STRICT;
CREATE INDEX blobs_by_file ON blobs (file_name) WHERE file_name IS NOT NULL;

CREATE TABLE projection_checkpoints (
  projection TEXT PRIMARY KEY NOT NULL,
  position   INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE schema_migrations (
  version    INTEGER PRIMARY KEY NOT NULL,
  name       TEXT NOT NULL,
  checksum   TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT;
