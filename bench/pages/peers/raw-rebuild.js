/** The rows of FlowForge's runs and their logs, written by hand from the events in their order, in one transaction. */
const CREATE = `DROP TABLE IF EXISTS run_logs; DROP TABLE IF EXISTS runs;
  CREATE TABLE runs (id TEXT PRIMARY KEY NOT NULL, workflow_version_id TEXT NOT NULL, trigger TEXT NOT NULL,
    status TEXT NOT NULL, input_manifest_json TEXT, started_at TEXT, finished_at TEXT, created_at TEXT NOT NULL) STRICT;
  CREATE INDEX runs_by_version ON runs (workflow_version_id);
  CREATE INDEX runs_by_status ON runs (status);
  CREATE INDEX runs_by_start ON runs (started_at);
  CREATE TABLE run_logs (id TEXT PRIMARY KEY NOT NULL, run_id TEXT NOT NULL REFERENCES runs (id), run_step_id TEXT,
    level TEXT NOT NULL, message TEXT NOT NULL, meta_json TEXT, ts TEXT NOT NULL) STRICT;
  CREATE INDEX run_logs_by_run ON run_logs (run_id, level);
  CREATE INDEX run_logs_by_step ON run_logs (run_step_id)`

const SQL = {
  RunQueued: `INSERT INTO runs (id, workflow_version_id, trigger, status, input_manifest_json, created_at)
    VALUES (?, ?, ?, 'queued', ?, ?)`,
  RunStarted: `UPDATE runs SET status = 'running', started_at = ?, input_manifest_json = ? WHERE id = ?`,
  RunLogged: 'INSERT INTO run_logs (id, run_id, level, message, meta_json, ts) VALUES (?, ?, ?, ?, ?, ?)',
  RunSucceeded: `UPDATE runs SET status = 'succeeded', finished_at = ? WHERE id = ?`
}

const VALUES = {
  RunQueued: (id, payload, at) => [
    id,
    payload.workflowVersionId,
    payload.trigger,
    JSON.stringify(payload),
    at
  ],
  RunStarted: (id, payload, at) => [at, JSON.stringify(payload.manifest), id],
  RunLogged: (id, payload, at) => [
    payload.logId,
    id,
    payload.level,
    payload.message,
    JSON.stringify(payload.meta),
    at
  ],
  RunSucceeded: (id, _payload, at) => [at, id]
}

/** @returns how long it took in ms, and what `sql` reads of the rows afterwards */
export const rebuildByHand = (database, sql) => {
  const started = performance.now()
  database.exec('BEGIN')
  database.exec(CREATE)
  const statements = new Map(Object.entries(SQL).map(([type, text]) => [type, database.prepare(text)]))
  const events = database.prepare(
    'SELECT aggregate_id, event_type, payload_json, created_at FROM events ORDER BY position'
  )
  try {
    while (events.step()) {
      const [id, type, json, at] = events.get([])
      statements
        .get(type)
        .bind(VALUES[type](id, JSON.parse(json), at))
        .stepReset()
    }
  } finally {
    events.finalize()
    for (const statement of statements.values()) statement.finalize()
  }
  database.exec('COMMIT')
  const time = performance.now() - started
  return { time, rows: JSON.stringify(database.selectObjects(sql)) }
}
