/** The bare engine under the event store: the same file system, the same pragmas, the same table; nothing of ours. */
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { expose, transfer } from 'comlink'

const TABLE = `CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL, event_type TEXT NOT NULL, event_version INTEGER NOT NULL,
  seq INTEGER NOT NULL, tx_id TEXT NOT NULL, caused_by_event_id TEXT, payload_json TEXT NOT NULL, metadata_json TEXT,
  created_at TEXT NOT NULL, UNIQUE (aggregate_type, aggregate_id, seq));
  CREATE INDEX events_by_tx ON events (tx_id);
  CREATE INDEX events_by_time ON events (created_at);
  CREATE INDEX events_by_type ON events (event_type, position)`
const COLUMNS = `id, aggregate_type, aggregate_id, event_type, event_version, seq, tx_id, caused_by_event_id,
  payload_json, metadata_json, created_at`

let database
let insert
let seq = 0

const valuesOf = (event) => [
  crypto.randomUUID(),
  'bench',
  event.aggregateId,
  event.eventType,
  1,
  (seq += 1),
  crypto.randomUUID(),
  null,
  JSON.stringify(event.payload),
  null,
  new Date().toISOString()
]

expose({
  open: async () => {
    const sqlite3 = await sqlite3InitModule()
    const pool = await sqlite3.installOpfsSAHPoolVfs({
      directory: '/bare',
      clearOnInit: true,
      preserveOnInitFailure: true
    })
    database = new pool.OpfsSAHPoolDb('/bare.db')
    for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL']) {
      database.exec(`PRAGMA ${pragma}`)
    }
    database.exec(TABLE)
    insert = database.prepare(`INSERT INTO events (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    return sqlite3.version.libVersion
  },
  append: (event) => {
    insert.bind(valuesOf(event)).stepReset()
  },
  appendMany: (events) => {
    const rows = JSON.stringify(events.map(valuesOf))
    const columns = Array.from({ length: 11 }, (_, index) => `value ->> ${index}`).join(', ')
    database.exec({
      sql: `INSERT INTO events (${COLUMNS}) SELECT ${columns} FROM json_each(?)`,
      bind: [rows]
    })
  },
  /** A stream as the bytes of one JSON array, built by SQLite. */
  load: (aggregateId) => {
    const json = database.selectValue(
      `SELECT json_group_array(json_object('id', id, 'position', position, 'seq', seq, 'eventType', event_type,
        'txId', tx_id, 'payload', json(payload_json), 'createdAt', created_at))
       FROM (SELECT * FROM events WHERE aggregate_type = 'bench' AND aggregate_id = ? ORDER BY seq)`,
      [aggregateId]
    )
    const bytes = new TextEncoder().encode(json)
    return transfer(bytes, [bytes.buffer])
  }
})
