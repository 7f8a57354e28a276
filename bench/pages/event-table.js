/** The table of the SQLite peers: FlowForge's own columns and indexes. A stream's type is what stands before its colon. */
export const CREATE = [
  `CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL, event_type TEXT NOT NULL, event_version INTEGER NOT NULL,
    seq INTEGER NOT NULL, tx_id TEXT NOT NULL, caused_by_event_id TEXT, payload_json TEXT NOT NULL, metadata_json TEXT,
    created_at TEXT NOT NULL, UNIQUE (aggregate_type, aggregate_id, seq)) STRICT`,
  'CREATE INDEX IF NOT EXISTS events_by_tx ON events (tx_id)',
  'CREATE INDEX IF NOT EXISTS events_by_time ON events (created_at)',
  'CREATE INDEX IF NOT EXISTS events_by_type ON events (event_type, position)'
]

const COLUMNS = `id, aggregate_type, aggregate_id, event_type, event_version, seq, tx_id, caused_by_event_id,
  payload_json, metadata_json, created_at`

/** One append: the stream's next seq is found by the statement itself. */
export const INSERT = `INSERT INTO events (${COLUMNS}) SELECT ?1, ?2, ?3, ?4, 1,
  coalesce((SELECT max(seq) FROM events WHERE aggregate_type = ?2 AND aggregate_id = ?3), 0) + 1, ?5, NULL, ?6, NULL, ?7`

export const HEAD =
  'SELECT coalesce(max(seq), 0) AS seq FROM events WHERE aggregate_type = ? AND aggregate_id = ?'

/** A batch with one bind: a JSON array of `toRows`. */
export const INSERT_MANY = `INSERT INTO events (${COLUMNS}) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 1,
  value ->> 7, value ->> 4, NULL, value ->> 5, NULL, value ->> 6 FROM json_each(?) ORDER BY key`

export const LOAD = `SELECT id, position, seq, event_type, tx_id, payload_json, created_at FROM events
  WHERE aggregate_type = ? AND aggregate_id = ? ORDER BY seq`

export const typeOf = (stream) => stream.slice(0, stream.indexOf(':'))

/** The parameters of INSERT; the first is the new event's id. */
export const toParams = (event, txId = crypto.randomUUID()) => [
  crypto.randomUUID(),
  typeOf(event.aggregateId),
  event.aggregateId,
  event.eventType,
  txId,
  JSON.stringify(event.payload),
  new Date().toISOString()
]

/** The rows of a batch, each with its seq; `headOf` tells where a stream ends so far. */
export const toRows = (events, headOf) => {
  const heads = new Map()
  const txId = crypto.randomUUID()
  return events.map((event) => {
    const stream = event.aggregateId
    const seq = (heads.get(stream) ?? headOf(stream)) + 1
    heads.set(stream, seq)
    return [...toParams(event, txId), seq]
  })
}

export const toEvent = (row) => ({
  id: row.id,
  position: row.position,
  seq: row.seq,
  eventType: row.event_type,
  txId: row.tx_id,
  payload: JSON.parse(row.payload_json),
  createdAt: row.created_at
})
