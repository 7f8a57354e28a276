/** The bare engine under the event store: the same file system, pragmas and table; nothing of ours, no checks, no queue. */
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { expose, transfer } from 'comlink'
import { CREATE, HEAD, INSERT, INSERT_MANY, LOAD, toParams, toRows, typeOf } from '../event-table.js'
import { rebuildByHand } from './raw-rebuild.js'

let database
let insert
const changed = new Set()

const tell = () => {
  for (const listener of changed) void listener()
}

expose({
  open: async (directory) => {
    const sqlite3 = await sqlite3InitModule()
    const pool = await sqlite3.installOpfsSAHPoolVfs({
      directory: `/${directory}`,
      preserveOnInitFailure: true
    })
    database = new pool.OpfsSAHPoolDb('/raw.db')
    for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL']) {
      database.exec(`PRAGMA ${pragma}`)
    }
    for (const sql of CREATE) database.exec(sql)
    insert = database.prepare(INSERT)
    return sqlite3.version.libVersion
  },
  append: (event) => {
    const params = toParams(event)
    insert.bind(params).stepReset()
    tell()
    return params[0]
  },
  appendMany: (events) => {
    const rows = toRows(events, (stream) => database.selectValue(HEAD, [typeOf(stream), stream]))
    database.exec({ sql: INSERT_MANY, bind: [JSON.stringify(rows)] })
    tell()
    return rows.map(([id]) => id)
  },
  /** A stream as the bytes of one JSON array, built by SQLite. */
  load: (stream) => {
    const json = database.selectValue(
      `SELECT json_group_array(json_object('id', id, 'position', position, 'seq', seq, 'eventType', event_type,
        'txId', tx_id, 'payload', json(payload_json), 'createdAt', created_at)) FROM (${LOAD})`,
      [typeOf(stream), stream]
    )
    const bytes = new TextEncoder().encode(json)
    return transfer(bytes, [bytes.buffer])
  },
  count: () => database.selectValue('SELECT count(*) FROM events'),
  rebuild: (sql) => rebuildByHand(database, sql),
  onChange: (listener) => changed.add(listener) && undefined
})
