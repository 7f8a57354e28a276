/** PGlite in its worker on `opfs-ahp`; its durability is not relaxed: what a query touched is flushed before its answer. */
import { live } from '@electric-sql/pglite/live'
import { PGliteWorker } from '@electric-sql/pglite/worker'
import { typeOf } from '../event-table.js'

const CREATE = `CREATE TABLE IF NOT EXISTS events (position BIGSERIAL PRIMARY KEY, id UUID NOT NULL UNIQUE,
  aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL, event_type TEXT NOT NULL, event_version INTEGER NOT NULL,
  seq INTEGER NOT NULL, tx_id UUID NOT NULL, caused_by_event_id UUID, payload JSONB NOT NULL, metadata JSONB,
  created_at TIMESTAMPTZ NOT NULL, UNIQUE (aggregate_type, aggregate_id, seq));
  CREATE INDEX IF NOT EXISTS events_by_tx ON events (tx_id);
  CREATE INDEX IF NOT EXISTS events_by_time ON events (created_at);
  CREATE INDEX IF NOT EXISTS events_by_type ON events (event_type, position)`
const COLUMNS = 'id, aggregate_type, aggregate_id, event_type, event_version, seq, tx_id, payload, created_at'
const INSERT = `INSERT INTO events (${COLUMNS}) SELECT $1, $2, $3, $4, 1,
  coalesce((SELECT max(seq) FROM events WHERE aggregate_type = $2 AND aggregate_id = $3), 0) + 1, $5, $6, now()`
/** One statement for a batch; a stream's events are numbered in their order after its head. */
const INSERT_MANY = `INSERT INTO events (${COLUMNS})
  SELECT new.id, new.type, new.stream, new.event_type, 1,
    coalesce((SELECT max(seq) FROM events WHERE aggregate_type = new.type AND aggregate_id = new.stream), 0)
      + row_number() OVER (PARTITION BY new.stream ORDER BY new.at), $2, new.payload, now()
  FROM (SELECT at, (value ->> 0)::uuid AS id, value ->> 1 AS type, value ->> 2 AS stream, value ->> 3 AS event_type,
    value -> 4 AS payload FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (value, at)) AS new
  ORDER BY new.at`
const LOAD = `SELECT id, position, seq, event_type AS "eventType", tx_id AS "txId", payload, created_at AS "createdAt"
  FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY seq`

let database

export const peer = {
  open: async (directory) => {
    const worker = new Worker(new URL('./pglite-worker.js', import.meta.url), { type: 'module' })
    database = await PGliteWorker.create(worker, {
      dataDir: `opfs-ahp://${directory}`,
      relaxedDurability: false,
      extensions: { live }
    })
    await database.exec(CREATE)
    const { rows } = await database.query(
      'SELECT current_setting($1) AS version, current_setting($2) AS fsync',
      ['server_version', 'fsync']
    )
    return `PostgreSQL ${rows[0].version}, fsync ${rows[0].fsync} (PGlite flushes the files itself), relaxedDurability false`
  },
  append: async (event) => {
    const id = crypto.randomUUID()
    const { aggregateId, eventType, payload } = event
    const type = typeOf(aggregateId)
    await database.query(INSERT, [id, type, aggregateId, eventType, crypto.randomUUID(), payload])
    return id
  },
  appendMany: async (events) => {
    const rows = events.map(({ aggregateId, eventType, payload }) => [
      crypto.randomUUID(),
      typeOf(aggregateId),
      aggregateId,
      eventType,
      payload
    ])
    await database.query(INSERT_MANY, [JSON.stringify(rows), crypto.randomUUID()])
    return rows.map(([id]) => id)
  },
  load: async (stream) => (await database.query(LOAD, [typeOf(stream), stream])).rows,
  count: async () => Number((await database.query('SELECT count(*) AS count FROM events')).rows[0].count),
  follow: (stream, heard) => database.live.query(LOAD, [typeOf(stream), stream], ({ rows }) => heard(rows)),
  close: () => database.close()
}
